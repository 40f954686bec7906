"""A pattern of .dockerignore: what a path has to be for it to be left out, by Docker's own rules."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from smoke.static.regex import regex

_MAX_BACKTRACKING = 3
"""Wildcards that a regular expression may hold; more could make it slow, so they are matched step by step."""
_TOKEN = regex(r"\*\*/?|\*|\?|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|\\.|.", re.DOTALL)
_NAMED = {
    **{"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "word": r"\w"},
    **{
        "xdigit": "0-9a-fA-F",
        "space": r"\s",
        "blank": r" \t",
        "punct": re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    },
}
"""Classes that Go's regular expressions know by name, as Python's spell them."""


class _Token(Struct, frozen=True):
    kind: str
    """`any` (a letter but /), `some` (letters but /), `deep` (nothing, or anything up to a /), `all`, `one`."""
    letter: re.Pattern[str] | None = None
    expression: str = ""


@lru_cache(maxsize=4096)
def matcher(pattern: str) -> Callable[[str], bool]:
    """What tells whether the whole of a path is what a pattern stands for."""
    if not any(letter in pattern for letter in "*?[\\"):
        return pattern.__eq__
    tokens = _tokens(pattern)
    if sum(token.kind in {"some", "deep"} for token in tokens) <= _MAX_BACKTRACKING:
        try:
            compiled = re.compile("".join(token.expression for token in tokens), re.DOTALL)
        except re.error:
            return lambda path: False  # as with Docker, which refuses the file
        return lambda path: compiled.fullmatch(path) is not None
    return lambda path: _simulate(tokens, path)


def _tokens(pattern: str) -> list[_Token]:
    found: list[_Token] = []
    parts = _TOKEN.findall(pattern)
    # Docker looks only at the end of a path where nothing but a leading ** is a wildcard.
    ending = pattern.startswith("**") and not re.search(r"[*?\[\]\\]", pattern[2:])
    for index, part in enumerate(parts):
        if part.startswith("**"):
            whole = index == len(parts) - 1 or (ending and part == "**")
            token = _Token("all", expression=".*") if whole else _Token("deep", expression="(?:.*/)?")
        elif part == "*":
            token = _Token("some", expression="[^/]*")
        else:
            token = _letter(part)
        if token.kind == "one" or not found or found[-1].kind != token.kind:
            found.append(token)
    return found


def _letter(part: str) -> _Token:
    if part == "?":
        expression = "[^/]"
    elif len(part) > 1 and part.startswith("["):
        if re.search(r"(?<!\\)[*?]", part):
            return _NEVER  # Docker makes two of it, which stand for no name that anyone has
        expression = f"[{_IN_CLASS.sub(_inside, part[1:-1])}]"
    else:
        expression = re.escape(part[-1])
    try:
        return _Token("one", re.compile(expression, re.DOTALL), expression)
    except re.error:
        return _NEVER  # a broken class


_NEVER = _Token("one", regex(r"(?!)"), r"(?!)")
_IN_CLASS = regex(r"\[:(\w+):\]|\\.|[\[&|~]|--+", re.DOTALL)


def _inside(found: re.Match[str]) -> str:
    """A part of a class as Python takes it."""
    if found[1]:
        return _NAMED.get(found[1], "")
    return found[0] if found[0].startswith("\\") else re.escape(found[0])


def _simulate(tokens: list[_Token], path: str) -> bool:
    """Match step by step, in time proportional to both lengths."""
    states = _closure(tokens, {0})
    begun: set[int] = set()  # tokens `deep` that are in the middle of what they eat
    for letter in path:
        following: set[int] = set()
        eating = begun | {state for state in states if state < len(tokens) and tokens[state].kind == "deep"}
        begun = eating
        for state in states:
            if state >= len(tokens):
                continue
            token = tokens[state]
            if token.kind == "all" or (token.kind == "some" and letter != "/"):
                following.add(state)
            elif token.kind == "one" and token.letter is not None and token.letter.match(letter):
                following.add(state + 1)
        if letter == "/":
            following |= {state + 1 for state in eating}
        states = _closure(tokens, following)
        if not states and not begun:
            return False
    return len(tokens) in states


def _closure(tokens: list[_Token], states: set[int]) -> set[int]:
    """The states that can be reached without a letter."""
    found, pending = set(states), list(states)
    while pending:
        state = pending.pop()
        if state < len(tokens) and tokens[state].kind != "one" and state + 1 not in found:
            found.add(state + 1)
            pending.append(state + 1)
    return found
