"""Tells what of a dependency file or a build step names a package that is installed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from functools import lru_cache

from smoke.static.isolation.places import FileKind
from smoke.static.regex import regex

_INSTALLS = regex(
    r"(?i)\b(?:pip3?|npm|yarn|pnpm|uv|poetry|go|gem|cargo|apk|apt|apt-get|conda)\s.{0,200}?\b(?:install|add|i|get)\b"
)
_MIXED = ("pyproject.toml", "package.json", "cargo.toml", "composer.json")
_TABLES = regex(
    r"(?i)(?:.*-|dev|peer|optional|bundled)?(?:dependencies|requires|dependency-groups|require|require-dev)"
)
_MAX_DEPTH = 40


def is_requirement(path: str, text: str, offset: int, kind: FileKind) -> bool:
    """Whether what stands at an offset names a package: in a file of nothing else, or in its table of dependencies."""
    name = path.rpartition("/")[2].lower()
    start, end = text.rfind("\n", 0, offset) + 1, text.find("\n", offset)
    line = text[start : end if end >= 0 else len(text)][:4096]
    if kind is FileKind.DEPENDENCIES:
        return name not in _MIXED or any(package in line for package in _named(name, text))
    if "dockerfile" in name or "containerfile" in name or name.endswith((".yml", ".yaml")):
        return _INSTALLS.search(_logical(text, start, line)) is not None
    return False


def _logical(text: str, start: int, line: str) -> str:
    """A line with the ones that it continues, at most 20."""
    for _ in range(20):
        before = text.rfind("\n", 0, max(0, start - 1)) + 1
        previous = text[before:start].rstrip()
        if start == 0 or not previous.endswith("\\"):
            break
        line, start = f"{previous[:-1]} {line}"[-4096:], before
    return line


@lru_cache(maxsize=4)
def _named(name: str, text: str) -> frozenset[str]:
    """What a project file lists in its tables of dependencies, keys and values as they are written."""
    try:
        document: object = tomllib.loads(text) if name.endswith(".toml") else json.loads(text)
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(word for word in _listed(document, False, 0) if word)


def _listed(value: object, inside: bool, depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if inside:
                yield str(key)
            yield from _listed(item, inside or _TABLES.fullmatch(str(key)) is not None, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _listed(item, inside, depth + 1)
    elif inside and isinstance(value, str):
        yield value
