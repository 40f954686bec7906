"""Variables without which an entry script ends: `${NAME:?message}`, and each that `set -u` does not let be unset."""

from __future__ import annotations

import re

from smoke.static.regex import regex

_GIVEN = frozenset(
    [
        *["PATH", "HOME", "HOSTNAME", "PWD", "OLDPWD", "IFS", "PPID", "OPTIND", "OPTARG", "SHLVL", "TERM", "LANG"],
        *["UID", "EUID", "RANDOM", "SECONDS", "LINENO", "BASH", "BASH_SOURCE", "BASH_VERSION", "FUNCNAME", "REPLY"],
        *["PYTHON_VERSION", "GPG_KEY", "HOSTTYPE", "OSTYPE", "MACHTYPE", "PIPESTATUS", "_"],
    ]
)
_OPENS = regex(r"^\s*(?:if|case|for|while|until|select)\b|\bthen\b|\bdo\b|\(\)\s*\{?|^\s*function\b|\{\s*$|&&|\|\|")
_STRICT = regex(r"^\s*set\s+(?:-[a-zA-Z]*u[a-zA-Z]*\b.*|-o\s+nounset.*|.*\s-o\s+nounset.*)$")
_BORROWS = regex(r"(?m)^\s*(?:\.|source|eval)\s|\bread\s|\bprintf\s+-v|\bdeclare\b|\bmapfile\b|\$\(.*\beval\b")


def demanded(text: str) -> tuple[str, ...]:
    """The variables, in order: those of plain lines in front of the first block, which surely run."""
    if _BORROWS.search(text):
        return ()
    made = {match[1] for match in re.finditer(r"(?:^|[\s;&|(])(\w+)\+?=", text)}
    made |= {match[1] for match in re.finditer(r"\bfor\s+(\w+)\b", text)} | _GIVEN
    strict = re.match(r"#!.*\s-\w*u", text) is not None
    found: list[str] = []
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        plain = re.sub(r"(?:^|\s)#.*$", "", re.sub(r"'[^']*'", "", line))
        if _OPENS.search(plain) or "<<" in plain:
            break
        strict = (strict or _STRICT.match(plain) is not None) and re.match(r"\s*set\s+\+\w*u", plain) is None
        for match in re.finditer(r"(\\)?\$(?:\{(\w+)(:?\?)?(\})?|([A-Za-z_]\w*))", plain):
            name = match[2] or match[5] or ""
            bare = bool(match[5]) or (bool(match[2]) and match[4] is not None and not match[3])
            wanted = bool(match[3]) or (strict and bare)
            if wanted and not match[1] and not name.isdigit() and name not in made:
                found.append(name)
    return tuple(dict.fromkeys(found))
