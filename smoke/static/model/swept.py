"""`find ... -delete`: the files that a step takes away by their names."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from fnmatch import translate

from smoke.static.model.stage import Stage

_KINDS = {"f": "file", "d": "directory", "l": "link"}
_REMOVES = ("-exec", "-execdir")


def swept(stage: Stage, rest: Sequence[str]) -> None:
    """Take away what `find` deletes; an expression that is not plain takes nothing, as far as is known."""
    first = next((place for place, word in enumerate(rest) if word.startswith(("-", "(", "\\(", "!"))), len(rest))
    roots, words = list(rest[:first]) or ["."], [word.lstrip("\\") for word in rest[first:]]
    tests = _tests(words)
    if tests is None:
        return
    names, kind = tests
    patterns = [re.compile(translate(each)) for each in names]
    for root in roots:
        place = stage.path(root)
        for path, entry in list(stage.files.below(place)):
            named = any(each.match(posixpath.basename(path)) for each in patterns)
            if named and path != place and entry.kind == (kind or entry.kind):
                stage.files.remove(path)


def _tests(words: list[str]) -> tuple[list[str], str] | None:
    """The names, one of which a file must have, and its kind; none where more is asked, or nothing is deleted."""
    if words[-1:] == ["-delete"]:
        words = words[:-1]
    elif words[-2:-1] == ["{}"] and words[-1] in (";", "+", "") and (start := _removing(words)):
        words = words[:start]
    else:
        return None
    grouped = "(" in words
    words = [word for word in words if word not in ("(", ")", "-print", "-a", "-depth")]
    names: list[str] = []
    kind, alternatives = "", 0
    while words:
        match words:
            case ["-name", pattern, *words] if "$" not in pattern:
                names.append(pattern)
            case ["-type", letter, *words] if letter in _KINDS and not kind:
                kind = _KINDS[letter]
            case ["-o", *words] if grouped:
                alternatives += 1
            case _:
                return None
    return (names, kind) if names and len(names) == alternatives + 1 else None


def _removing(words: list[str]) -> int:
    """Where the command begins that `find` removes files by; 0 where it does something else."""
    start = next((place for place, word in enumerate(words) if word in _REMOVES), 0)
    plain = all(re.fullmatch(r"-[rfRv]+|--", each) for each in words[start + 2 : -2])
    return start if start and words[start + 1 : start + 2] == ["rm"] and plain else 0
