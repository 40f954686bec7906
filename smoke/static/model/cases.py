"""`case "$1" in` of an entry script, taken as it comes out for the command that the container is given."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from msgspec import Struct

from smoke.static.regex import regex

_CASE = regex(r"(?m)^case[ \t]+\"?\$(?:1|\{1(?::?-([^}]*))?\})\"?[ \t]+in[ \t]*\n(.*?)^esac\b[^\n]*\n?", re.DOTALL)
_OPEN = regex(r"(?m)^[ \t]*(?:if|for|while|until|case|select)\b|\(\)[ \t]*\{|\bshift\b|\bset[ \t]+--")
_FAILS = regex(r"exit[ \t]+[1-9]\d*\s*;?")
_FEW = 4
"""Up to so many branches are no choice of programs: something is to be given by default."""


class Chosen(Struct, frozen=True):
    """What a script comes to once its choice is made."""

    text: str
    trouble: str = ""
    """Why it ends at once, for what it is given."""
    doubt: str = ""


def choose(text: str, arguments: tuple[str, ...]) -> Chosen:
    """The script with its first choice by `$1` replaced by what is chosen; the script itself where that is not sure."""
    match = _CASE.search(text)
    if match is None or _OPEN.search(text[: match.start()]) or re.search(r"(?m)^\s*case\b", match[2]):
        return Chosen(text)
    word = arguments[0] if arguments else match[1] or ""
    if "$" in word or re.search(r"\$", _patterns(match[2])):
        return Chosen(text)
    body = _branch(match[2], word)
    lines = [line.strip() for line in body.replace(";;", "").splitlines() if line.strip()]
    if _OPEN.search("\n".join(lines)):
        return Chosen(text)
    last = re.split(r"[;\n]\s*", "\n".join(lines).rstrip("; \n"))[-1]
    if _FAILS.fullmatch(last):
        return _failing(text, word, len(_branches(match[2])))
    if last.startswith("exec "):
        return Chosen(text[: match.start()] + "\n".join(lines) + "\n")
    return Chosen(text[: match.start()] + "\n".join(lines) + "\n" + text[match.end() :])


def _failing(text: str, word: str, branches: int) -> Chosen:
    """A script that ends with a failure for a word."""
    if not word and branches > _FEW:
        return Chosen(text, doubt="whoever runs the image says which of its programs the entry script starts")
    shown = f"what it is given: {word}" if word else "nothing being given"
    return Chosen(text, f"the entry script ends with a failure for {shown}")


def _branches(body: str) -> list[tuple[list[str], str]]:
    """The patterns and commands of each branch."""
    found = []
    for part in re.split(r";;&?|;&", body):
        match = re.match(r"\s*(?:#[^\n]*\n\s*)*\(?([^()\n]+)\)(.*)", part, re.DOTALL)
        if match is not None:
            found.append(([each.strip().strip("'\"") for each in match[1].split("|")], match[2]))
    return found


def _patterns(body: str) -> str:
    return " ".join(each for patterns, _ in _branches(body) for each in patterns)


def _branch(body: str, word: str) -> str:
    """The commands of the first branch that takes a word; empty when none does."""
    for patterns, commands in _branches(body):
        if any(fnmatchcase(word, each) for each in patterns):
            return commands
    return ""
