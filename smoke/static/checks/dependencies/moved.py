"""Names that the installed version of a distribution, or of Python, no longer has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smoke.static.checks.dependencies.absence import Absence
from smoke.static.python.importer import version_of
from smoke.static.python.mismatched import mismatched
from smoke.static.python.program import LoadedProgram
from smoke.static.python.removed import Removal, has_it, removed
from smoke.static.python.source import Source
from smoke.static.python.unloadable import LOADABLE, UNLOADABLE


def moved_names(program: LoadedProgram) -> Iterator[Absence]:
    """All of them that are reached for as the code is loaded."""
    bounded = any(
        re.search(r"(?:^|\s)-c\s|--constraint|PIP_CONSTRAINT", each.text) for each in program.image.parsed.instructions
    )
    yield from _between(program, bounded)
    yield from _unloadable(program)
    yield from _of_old(program)
    for path, source in program.graph.modules.items():
        if path not in program.graph.later:
            yield from _outdated(program, source, path, bounded)
            yield from _removed(program, source, path, bounded)


def _between(program: LoadedProgram, bounded: bool) -> Iterator[Absence]:
    """What one distribution takes of another, in versions that do not go together."""
    loaded = {each.top: each for each in program.graph.outside if not each.lazy and not each.caught}
    for pair in mismatched(program.installed, {*loaded}, version_of(program.image), bounded=bounded):
        asking = loaded[pair.module]
        message = f"this {pair.older} takes {pair.taken}, which {pair.newer} {pair.since} does not have"
        remedy = f"Ask for {pair.newer}<{pair.since}, or for a newer {pair.older}."
        yield Absence(asking.source, asking.line, f"{message}: nothing holds {pair.newer} back", remedy)


def _unloadable(program: LoadedProgram) -> Iterator[Absence]:
    """Distributions that a newer Python cannot load."""
    version = version_of(program.image)
    loaded = {each.top: each for each in program.graph.outside if not each.lazy and not each.caught}
    for top, outside in loaded.items():
        since, instead = UNLOADABLE.get(top, ((4, 0), ""))
        asked = any(top in brought.asked for brought in program.installed.each)
        if asked and version is not None and version >= since:
            message = f"{top} cannot be loaded since Python {since[0]}.{since[1]}: {instead}"
            yield Absence(outside.source, outside.line, message)


def _of_old(program: LoadedProgram) -> Iterator[Absence]:
    """Pinned releases that a newer Python cannot load."""
    version = version_of(program.image)
    pins = {each.name: each.version for each in program.installed.requirements}
    loaded = {each.top: each for each in program.graph.outside if not each.lazy and not each.caught}
    for top, (distribution, first, since) in LOADABLE.items():
        pinned = pins.get(distribution, "")
        older = re.fullmatch(r"\d+(?:\.\d+)*", pinned) and _parts(pinned) < _parts(first)
        if top in loaded and older and version is not None and version >= since:
            message = f"{distribution} {pinned} cannot be loaded since Python {since[0]}.{since[1]}: {first} can"
            yield Absence(loaded[top].source, loaded[top].line, message, f"Ask for {distribution}>={first}.")


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _outdated(program: LoadedProgram, source: Source, path: str, bounded: bool) -> Iterator[Absence]:
    """Calls that newer versions refuse."""
    for old in (each for effects in program.graph.effects(path) for each in effects.outdated):
        made = Removal(distribution=old.distribution, since=old.since, python=(3, 7), module="", names=(), instead="")
        if (not old.main or _is_main(program, source)) and has_it(program.installed, made, bounded=bounded):
            message = f"{old.what} since version {old.since} of {old.distribution}"
            yield Absence(path, old.line, message, _remedy(old.distribution, old.since))


def _removed(program: LoadedProgram, source: Source, path: str, bounded: bool) -> Iterator[Absence]:
    """Imports, and attributes of what is imported, that are gone."""
    for each in (*source.imports, *source.attributes):
        if each.caught or each.lazy or each.instead or (each.main and not _is_main(program, source)):
            continue
        for removal, name in removed(program.installed, each, version_of(program.image), bounded=bounded):
            what = f"{removal.module} has no {name}" if name else f"there is no {removal.module}"
            hint = f": {removal.instead}" if removal.instead else ""
            message = f"{what} since version {removal.since} of {removal.distribution}{hint}"
            yield Absence(path, each.line, message, _remedy(removal.distribution, removal.since))


def _is_main(program: LoadedProgram, source: Source) -> bool:
    return program.graph.entry_is_main and source is program.graph.entry


def _remedy(distribution: str, since: str) -> str:
    return f"Write it for the newer version, or ask for {distribution}<{since}."
