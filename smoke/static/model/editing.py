"""Files that a step of the build changes in their place: what they then hold is known only for line endings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from smoke.static.model.operands import read_operands
from smoke.static.model.stage import Stage
from smoke.static.regex import regex

_STRIPS = regex(r"s(.)(?:\\r|\\x0[dD]|\r)\+?\*?\$?\1\1g?")
"""What takes carriage returns away, and does no more."""


def edited(stage: Stage, rest: Sequence[str], line: int) -> None:
    """`sed -i SCRIPT FILE`."""
    if not any(re.match(r"-[a-zA-Z]*i|--in-place", word) for word in rest):
        return
    _, values, operands = read_operands(rest, frozenset(["-e", "--expression", "-f", "--file"]))
    given = [values[each] for each in ("-e", "--expression", "-f", "--file") if each in values]
    scripts, files = (given, operands) if given else (operands[:1], operands[1:])
    strips = len(scripts) == 1 and _STRIPS.fullmatch(scripts[0]) is not None
    for file in files:
        _change(stage, file, strips)


def edited_to_unix(stage: Stage, rest: Sequence[str], line: int) -> None:
    """`dos2unix FILE`."""
    for file in rest:
        if not file.startswith("-"):
            _change(stage, file, True)


def edited_among(stage: Stage, rest: Sequence[str]) -> None:
    """Such commands that `find` or `xargs` runs: on any file, as far as is known."""
    if "dos2unix" in rest or ("sed" in rest and any(re.match(r"-[a-zA-Z]*i", word) for word in rest)):
        strips = "dos2unix" in rest or any(_STRIPS.fullmatch(word) for word in rest)
        for path, entry in list(stage.files.entries.items()):
            if entry.kind == "file" and entry.source:
                _change(stage, path, strips)


def patched(stage: Stage, rest: Sequence[str], line: int) -> None:
    """`patch`: any file of the working directory may be another."""
    for path, entry in list(stage.files.below(stage.workdir)):
        if entry.kind == "file" and entry.source:
            stage.files.entries[path] = replace(entry, source="", text=None)


def _change(stage: Stage, file: str, strips: bool) -> None:
    paths = stage.files.glob(stage.path(file)) if set(file) & set("*?[") else [stage.path(file)]
    for path in paths:
        resolved = stage.files.resolve(path)
        entry = stage.files.entries.get(resolved)
        if entry is None or entry.kind != "file":
            continue
        if strips:
            stage.files.entries[resolved] = replace(entry, unix=True)
        elif entry.text is not None or not entry.source.endswith(".py"):
            # Most edits of the tree's code are a version or an address; a here-document is written to be edited.
            stage.files.entries[resolved] = replace(entry, source="", text=None)
