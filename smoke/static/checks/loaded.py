"""What modules do with paths as they are loaded: where those lead, and what is wrong with what is there."""

from __future__ import annotations

import json
import posixpath
import tomllib
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from smoke.finding import Evidence
from smoke.static.checks.evidence import at_source
from smoke.static.python.importer import Meaning
from smoke.static.python.paths import CodePath
from smoke.static.python.program import LoadedProgram
from smoke.static.python.source import Source
from smoke.static.scope import Scope


class Misused(Struct, frozen=True):
    """A path of which the code cannot make what it wants to."""

    message: str
    at: list[Evidence]
    remedy: str


def runs(program: LoadedProgram, source: Source, main: bool) -> bool:
    """Whether something runs, given that it may stand under a main guard."""
    if source.path in program.graph.later:
        return False
    return not main or (program.graph.entry_is_main and source is program.graph.entry)


def absolute(program: LoadedProgram, module: str, place: CodePath) -> str:
    """A path that a module names, in the image; empty when it starts from a package that is not of the tree."""
    image, graph = program.image, program.graph
    directory = image.start.workdir or image.workdir
    if place.variable:
        given = image.environment.get(place.variable, "")
        if not given or "$" in given or ":" in given:
            return ""
        place = replace(place, text=posixpath.join(given, place.text), variable="")
    if place.package:
        found = program.importer.find(place.package)
        if found.kind not in (Meaning.PACKAGE, Meaning.NAMESPACE) or not found.path:
            return ""
        directory = found.path
    return place.absolute(graph.places.get(module, module), directory)


def climbed(scope: Scope, program: LoadedProgram) -> Iterator[Misused]:
    """`Path(__file__).parents[3]` where there are no four directories above."""
    for path, source in program.graph.modules.items():
        for climb in (each for effects in program.graph.effects(path) for each in effects.climbs):
            place = absolute(program, path, climb.place) if runs(program, source, climb.main) else ""
            if place.startswith("/") and climb.count >= place.count("/"):
                message = f"{place} has no parents[{climb.count}]: IndexError as the code is loaded"
                remedy = "Copy it as deep as it is in the tree, or name the directory by a setting."
                yield Misused(message, at_source(scope, path, climb.line), remedy)


def misread(scope: Scope, program: LoadedProgram) -> Iterator[Misused]:
    """Files of the tree that are parsed as the code is loaded, and are not what they should be."""
    image = program.image
    for path, source in program.graph.modules.items():
        for each in (each for effects in program.graph.effects(path) for each in effects.parsed):
            place = absolute(program, path, each.place) if runs(program, source, each.main) else ""
            entry = image.files.find(place) if place else None
            if entry is None or not entry.source or entry.kind != "file" or scope.tree.cut(entry.source):
                continue
            if trouble := _malformed(scope.tree.data(entry.source), each.form):
                at = [Evidence(entry.source, 0), *at_source(scope, path, each.line)]
                message = f"{entry.source} is no {each.form}, and it is parsed as the code is loaded: {trouble}"
                yield Misused(message, at, f"Correct {entry.source}.")


def _malformed(data: bytes, form: str) -> str:
    try:
        json.loads(data) if form == "JSON" else tomllib.loads(data.decode())
    except RecursionError:
        return ""
    except ValueError as error:
        return str(error)[:120]
    return ""
