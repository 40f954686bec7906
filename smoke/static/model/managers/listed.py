"""Requirement files as they stand at a step: their lines, those of the files that they include, their pins."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from smoke.static.model.stage import Stage

MAX_FILE = 1 << 20
MAX_LINES = 5_000


def other_pin(pins: dict[str, str], line: str) -> str:
    match = re.match(r"([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*==\s*([\w.!+]+)\s*(?:--hash.*|#.*)?$", line)
    if match is None or ";" in line:
        return ""
    name = re.sub(r"[-_.]+", "-", match[1]).lower()
    held = pins.setdefault(name, match[2])
    return "" if held == match[2] else f"{name} is pinned to {held} and to {match[2]}"


def requirement_lines(stage: Stage, operand: str, depth: int) -> Iterator[tuple[str, str]]:
    """The requirements of a file and of those that it includes; or what is surely not there."""
    if any(letter in operand for letter in "*?[$`{~") or "://" in operand or operand == "-" or depth > 10:
        return
    place = stage.path(operand)
    entry = stage.files.find(place)
    if entry is None:
        if not stage.files.doubt(place):
            yield "", f"there is no {place} at this step"
        return
    if not entry.source or stage.read is None:
        return
    text = stage.read(entry.source)[:MAX_FILE].decode("utf-8", "replace")
    for line in re.sub(r"\\\r?\n", " ", text).splitlines()[:MAX_LINES]:
        plain = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if match := re.match(r"(?:-r|-c|--requirement|--constraint)[ =]?\s*(\S+)", plain):
            inner = match[1] if "://" in match[1] else posixpath.join(posixpath.dirname(place), match[1])
            held = match[1] if "://" in match[1] else posixpath.join(posixpath.dirname(entry.source), match[1])
            if not stage.read(posixpath.normpath(held)):
                continue  # dependencies.declared tells of what the tree itself lacks
            for text_of, absent in requirement_lines(stage, inner, depth + 1):
                if absent or not plain.startswith(("-c", "--c")):
                    yield text_of, absent
        elif plain and not plain.startswith("--"):
            yield plain, ""
