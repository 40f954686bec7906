"""`if [ "$(id -u)" = 0 ]` of an entry script, taken as it comes out for the user that the container runs as."""

from __future__ import annotations

import re

from smoke.static.regex import regex

_TEST = regex(
    r"""(?mx)^if[ \t]+\[{1,2}[ \t]+"?(?P<what>\$\(id[ \t]+-un?\)|`id[ \t]+-u`|\$\(whoami\)|\$\{?E?UID\}?)"?[ \t]+
    (?P<how>==?|-eq|!=|-ne|-gt)[ \t]+["']?(?P<who>0|root)["']?[ \t]+\]{1,2}[ \t]*(?:;[ \t]*|\n[ \t]*)then\b[ \t]*\n"""
)
_OPENS = regex(r"(?:if|case|for|while|until|select)\b")
_CLOSES = regex(r"(?:fi|esac|done)\b")
_ENDS = regex(r"exec[ \t]+[^<>\d]|exit\b")


def as_user(text: str, user: int | None) -> str:
    """The script with its first test for root replaced by the branch that this user takes; the script itself where
    who runs it is not known, or something else is decided before."""
    match = _TEST.search(text)
    if match is None or user is None or re.search(r"(?m)^[ \t]*(?:if|case|for|while|until)\b", text[: match.start()]):
        return text
    named = match["who"] == "root"
    if named != (match["what"] in ("$(id -un)", "$(whoami)")):
        return text
    branches = _branches(text[match.end() :])
    if branches is None:
        return text
    then, otherwise, rest = branches
    root = match["how"] in ("=", "==", "-eq")
    taken = then if (user == 0) == root else otherwise
    lines = [line.strip() for line in taken.splitlines() if line.strip()]
    done = bool(lines) and _ENDS.match(lines[-1]) is not None
    return text[: match.start()] + "".join(f"{line}\n" for line in lines) + ("" if done else rest)


def _branches(text: str) -> tuple[str, str, str] | None:
    """What stands before `else`, between it and `fi`, and after that; none where the test has more branches."""
    parts: list[list[str]] = [[], []]
    place, depth = 0, 0
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        word = line.strip()
        if depth == 0 and re.match(r"elif\b", word):
            return None
        if depth == 0 and re.match(r"fi\b", word):
            return "".join(parts[0]), "".join(parts[1]), "".join(lines[number + 1 :])
        if depth == 0 and word == "else":
            place = 1
            continue
        closed = re.search(r";[ \t]*(?:fi|esac|done)\b", word) is not None
        depth += (_OPENS.match(word) is not None and not closed) - (_CLOSES.match(word) is not None)
        parts[place].append(line)
    return None
