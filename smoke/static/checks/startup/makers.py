"""Which module may make which path as the code is loaded."""

from __future__ import annotations

from smoke.static.checks.loaded import absolute
from smoke.static.python.effects import Use
from smoke.static.python.program import LoadedProgram


def makers_of(program: LoadedProgram) -> list[tuple[str, str | None, bool]]:
    """Which module may make which path (none: any) as the code is loaded, and whether only under conditions."""
    graph = program.graph
    found: list[tuple[str, str | None, bool]] = []
    for path in graph.modules:
        if path in graph.later:
            continue
        sure = [
            each.place for effects in graph.effects(path) for each in effects.files if each.use in (Use.WRITE, Use.MAKE)
        ]
        found += [(path, absolute(program, path, place) or None, False) for place in sure]
        perhaps = [
            absolute(program, path, place) if place else ""
            for effects in graph.effects(path)
            for place in effects.may_make
        ]
        found += [(path, each or None, True) for each in perhaps]
    return found


def maker_of(makers: list[tuple[str, str | None, bool]], module: str, place: str) -> str:
    """A module that may have made a path: another one, whose turn may come first, or under some condition."""
    return next(
        (
            path
            for path, made, perhaps in makers
            if (perhaps or path != module)
            and (made is None or place == made or place.startswith(f"{made}/") or made.startswith(f"{place}/"))
        ),
        "",
    )
