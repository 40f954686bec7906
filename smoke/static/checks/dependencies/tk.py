"""Tk's shared library, which `tkinter` loads, and which the small images of Python lack."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.static.checks.dependencies.absence import Absence
from smoke.static.model.image import Image
from smoke.static.python.program import LoadedProgram
from smoke.static.regex import regex

_SMALL_PYTHON = regex(r"(?:^|/)python:[\w.-]*(?:slim|alpine)")
_OF_TK = frozenset({"pyautogui", "mouseinfo", "pymsgbox"})
"""Modules that end the program where there is no tkinter."""


def lacking_tk(program: LoadedProgram, path: str) -> Iterator[Absence]:
    """That of a module which imports `tkinter` as it is loaded."""
    if path not in program.graph.later and (line := _imported(program, path)) and _is_without(program.image):
        message = "tkinter is imported: it loads libtk8.6.so, which the small images of Python lack"
        yield Absence(path, line, message, "Install tk (Debian) or tk of Alpine, or take the full image.")


def _imported(program: LoadedProgram, path: str) -> int:
    graph = program.graph
    mine = graph.entry_is_main and graph.entry is not None and graph.entry.path == path
    for each in graph.modules[path].imports:
        if each.module in _OF_TK and not (each.caught or each.lazy or (each.main and not mine)):
            return each.line
        plain = not (each.caught or each.lazy or each.instead or each.other) and (mine or not each.main)
        if plain and each.module.partition(".")[0] in ("tkinter", "turtle") and not each.level:
            return each.line
    return 0


def _is_without(image: Image) -> bool:
    return bool(_SMALL_PYTHON.search(image.base_reference)) and image.has_library(("libtk8.6.so", "libtcl")) is False
