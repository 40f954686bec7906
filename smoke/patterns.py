"""Globs as manifests have them: `*` stays within a directory, `**` crosses directories."""

from __future__ import annotations

import re
from functools import lru_cache

MAX_BACKTRACKING = 4
"""Wildcards that a regular expression may hold; more could make it slow, so they are matched letter by letter."""
_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")
_MEANING = {"**/": r"(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@lru_cache(maxsize=1024)
def _parts(pattern: str) -> tuple[str, ...]:
    # Neighbors that mean no more than one of them.
    plain = re.sub(r"(?:\*\*/)+", "**/", re.sub(r"\*{3,}", "**", pattern))
    return tuple(_PARTS.findall(plain))


@lru_cache(maxsize=1024)
def _compiled(parts: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("".join(_MEANING.get(part) or re.escape(part) for part in parts), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of `text` is what a glob stands for."""
    parts = _parts(pattern)
    if sum(part.startswith("*") for part in parts) <= MAX_BACKTRACKING:
        return _compiled(parts).fullmatch(text) is not None
    return len(text) in _ends(parts, text)


def _ends(parts: tuple[str, ...], text: str) -> set[int]:
    """Where in the text a match of all parts can end: the sets grow part by part, so that nothing is tried twice."""
    places = {0}
    for part in parts:
        match part:
            case "**":
                places = set(range(min(places), len(text) + 1)) if places else set()
            case "**/":
                first = min(places, default=len(text))
                places |= {place + 1 for place in range(first, len(text)) if text[place] == "/"}
            case "*":
                places = _within(places, text)
            case "?":
                places = {place + 1 for place in places if place < len(text) and text[place] != "/"}
            case _:
                places = {place + len(part) for place in places if text.startswith(part, place)}
    return places


def _within(places: set[int], text: str) -> set[int]:
    found: set[int] = set()
    for first in sorted(places):
        place = first
        while place not in found:
            found.add(place)
            if place >= len(text) or text[place] == "/":
                break
            place += 1
    return found
