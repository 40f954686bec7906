"""What one import comes to: modules that are loaded, names that are there or not."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from smoke.static.python.agenda import Agenda
from smoke.static.python.distributions import part_of
from smoke.static.python.graph import Flaw, Graph, ImportProblem, Outside
from smoke.static.python.importer import Found, Importer, Meaning
from smoke.static.python.source import Import, Source, has_name
from smoke.static.python.standard import has_module, is_plain, lacks_name

_OF_WINDOWS = frozenset({"winreg", "msvcrt", "winsound", "_winapi", "msilib", "_winreg"})
"""Modules of the standard library that Linux does not have."""


class Resolver:
    """Follows imports one at a time; what they load goes on the agenda, what they say into the graph."""

    def __init__(self, importer: Importer, graph: Graph, agenda: Agenda) -> None:
        self.importer, self.graph, self.agenda = importer, graph, agenda
        self.target = ""
        """The module whose names the last import takes."""

    def problems(self, source: Source, each: Import, package: str) -> Iterator[ImportProblem]:
        """Why an import of a source fails; `package` is the one that the source is in."""
        name = each.absolute(package)
        if name is None:
            why = f"it is in {package}" if package else "it is started as a script, outside of any package"
            message = f"the relative import {'.' * each.level}{each.module} leaves the top package ({why})"
            yield ImportProblem(source=source.path, line=each.line, message=message, lazy=each.lazy, flaw=Flaw.RELATIVE)
            return
        found = self.importer.find(name)
        if found.kind is Meaning.MISSING:
            yield ImportProblem(source.path, each.line, f"{name} cannot be imported: {found.reason}", each.lazy)
        elif found.kind is Meaning.OUTSIDE:
            lazy = each.lazy or source.path in self.graph.later
            parts = [part for wanted in each.names if part_of(part := f"{name}.{wanted}")]
            for part in parts or [name]:
                self.graph.outside.append(
                    Outside(name=part, source=source.path, line=each.line, caught=each.caught, lazy=lazy)
                )
        elif found.kind is Meaning.DOUBT:
            message = f"whether {name} is there: {found.reason}"
            self.graph.doubts.append(ImportProblem(source.path, each.line, message, each.lazy))
        elif found.kind is Meaning.STANDARD:
            yield from self._standard(source, each, name)
        elif found.kind is not Meaning.BINARY:
            self.agenda.ancestors(name)
            self.agenda.enter(found, name)
            self.target = found.source
            if found.kind is Meaning.MODULE and found.source == source.path:
                yield from self._of_itself(source, each, name)
            for wanted in each.names:
                yield from self._name(source, each, name, found, wanted)

    def _of_itself(self, source: Source, each: Import, name: str) -> Iterator[ImportProblem]:
        """What a module takes from its own name before it has it: mostly it is called like what it means."""
        if each.lazy or each.caught or each.main or source.dynamic:
            return
        for wanted in each.names:
            if wanted != "*" and source.names.get(wanted, each.line) >= each.line:
                message = (
                    f"{wanted} is taken from {name}, which is this file itself: it stands before what is installed"
                )
                yield ImportProblem(source.path, each.line, message, flaw=Flaw.CIRCLE)

    def _standard(self, source: Source, each: Import, name: str) -> Iterator[ImportProblem]:
        version = self.importer.version
        if version is None:
            return
        shown = f"Python {version[0]}.{version[1]}"
        top = name.partition(".")[0]
        if top in _OF_WINDOWS:
            yield ImportProblem(source.path, each.line, f"{top} is a module of Windows alone", each.lazy)
            return
        if name != top and is_plain(top):
            message = f"{name} cannot be imported: {top} is a module of the standard library, no package"
            yield ImportProblem(source.path, each.line, message, each.lazy)
            return
        if "." in name and has_module(name, None) and not has_module(name, version) and "_" not in name[:1]:
            yield ImportProblem(source.path, each.line, f"{shown} has no module {name}", each.lazy)
            return
        for wanted in each.names:
            if lacks_name(name, wanted, version):
                message = f"{name} of {shown} has no {wanted}"
                yield ImportProblem(source=source.path, line=each.line, message=message, lazy=each.lazy, flaw=Flaw.NAME)

    def _name(self, source: Source, each: Import, name: str, found: Found, wanted: str) -> Iterator[ImportProblem]:
        if wanted == "*":
            exports = self.importer.source(found.source).exports if found.source else None
            for name_of_all in exports or ():
                for problem in self._name(source, each, name, found, name_of_all):
                    yield replace(problem, message=f"{problem.message}, which its __all__ names")
            return
        itself = found.kind is Meaning.PACKAGE and found.source == source.path
        if found.source and not itself and self.has(found, name, wanted, set()):
            return
        if found.kind in (Meaning.MODULE, Meaning.PACKAGE) and not found.source:
            return  # an instruction made it: what is in it is not known
        if found.kind in (Meaning.PACKAGE, Meaning.NAMESPACE):
            child = self.importer.find(f"{name}.{wanted}")
            if child.kind in (Meaning.PACKAGE, Meaning.MODULE, Meaning.NAMESPACE):
                self.agenda.visit(child, f"{name}.{wanted}" if child.kind is Meaning.PACKAGE else name)
                return
            if child.kind in (Meaning.DOUBT, Meaning.BINARY, Meaning.OUTSIDE):
                return
        where = found.source or found.path
        if found.source == source.path:
            return  # a package that looks into itself while it is loaded
        yield ImportProblem(
            source=source.path, line=each.line, message=f"{where} defines no {wanted}", lazy=each.lazy, flaw=Flaw.NAME
        )

    def has(self, found: Found, name: str, wanted: str, seen: set[str]) -> bool:
        """Whether a module has a name once it is loaded; what cannot be told counts as yes."""
        if found.source in seen:
            return False
        seen.add(found.source)
        source = self.importer.source(found.source)
        if source.error or source.doubt or has_name(source, wanted):
            return True
        for star in source.stars:
            package = name if found.kind is Meaning.PACKAGE else name.rpartition(".")[0]
            target = star.absolute(package)
            if target is None:
                continue
            origin = self.importer.find(target)
            if not origin.source or self.has(origin, target, wanted, seen):
                return True
        return False
