"""Programs that code starts as it is loaded, and that the image lacks."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.static.checks.dependencies.absence import Absence
from smoke.static.python.program import LoadedProgram

_OF_MODULES = {"git": ("gitpython", "git", "GIT_PYTHON_REFRESH")}
"""Modules that refuse to be loaded without a program: their distribution, the program, a variable that lets them."""


def lacking_programs(program: LoadedProgram) -> Iterator[Absence]:
    """All of them, where none would be found."""
    graph, surroundings = program.graph, program.image.surroundings()

    def lacks(name: str) -> bool:
        found = surroundings.find(name)
        return not found.place and not found.doubt

    for path, source in graph.modules.items():
        mine = graph.entry_is_main and graph.entry is source
        for each in source.effects.programs if path not in graph.later else ():
            if (mine or not each.main) and "$" not in each.name and lacks(each.name):
                yield Absence(path, each.line, f"{each.by} starts {each.name}, which is not in the image", "")
    for outside in graph.outside:
        distribution, wanted, variable = _OF_MODULES.get(outside.top, ("", "", ""))
        if not wanted or outside.lazy or outside.caught or not lacks(wanted):
            continue
        told = variable in program.image.environment or any(_names(program, path, variable) for path in graph.modules)
        if not told and any(distribution in brought.asked for brought in program.installed.each):
            message = f"{distribution} refuses to be imported without {wanted}, which is not in the image"
            yield Absence(outside.source, outside.line, message, f"Install {wanted} in the final stage.")


def _names(program: LoadedProgram, path: str, variable: str) -> bool:
    return variable.encode() in program.installed.tree.data(path)
