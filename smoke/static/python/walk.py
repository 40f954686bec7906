"""Follows every import from what a container starts."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec.structs import replace

from smoke.static.python.agenda import Agenda
from smoke.static.python.circles import circles
from smoke.static.python.consequences import Consequences
from smoke.static.python.effects import Mention
from smoke.static.python.graph import Flaw, Graph, ImportProblem, ImportStep, Outside
from smoke.static.python.importer import Found, Importer, Meaning
from smoke.static.python.lifespans import is_served, served_by
from smoke.static.python.mentions import Mentions
from smoke.static.python.resolver import Resolver
from smoke.static.python.shadows import judge_shadows
from smoke.static.python.source import Import, Source
from smoke.static.python.standard import has_module
from smoke.static.python.syntax_errors import judge_syntax
from smoke.static.python.user_model import judge_user_model

MAX_MODULES = 5_000


def import_graph(importer: Importer) -> Graph:
    """Follow every import from what the image starts."""
    return _Walk(importer).walk()


class _Walk:
    """One walk, from the entry on: each module is read once, and its imports are resolved in their order."""

    def __init__(self, importer: Importer) -> None:
        self.importer = importer
        self.graph = Graph()
        self.agenda = Agenda(importer)
        self.resolver = Resolver(importer, self.graph, self.agenda)
        self.mentions = Mentions(self.resolver)
        self.consequences = Consequences(self.mentions)
        self.moves: list[str] = []
        """Sources that change where modules are looked for."""
        self.reading: list[tuple[Source, str]] = []
        """What is loaded at the start, and the package that it is in."""

    def walk(self) -> Graph:
        """The whole graph."""
        start = self.importer.image.start
        if start.script:
            self._script(start.script)
        elif start.module:
            self._entry(start.module, bool(start.server))
        if start.calls:
            self.consequences.called(start)
        for name in start.also:
            self.mentions.follow(Mention(start.line, name, "the command"), "")
        while self.agenda and len(self.graph.modules) < MAX_MODULES:
            if (taken := self.agenda.take()) is not None:
                self._module(*taken)
        self.graph.served |= served_by(self.importer.image.start, self.graph)
        self._attributes()
        judge_user_model(self.importer, self.graph)
        judge_syntax(self.importer, self.graph)
        if start.script:
            judge_shadows(self.importer, self.graph, posixpath.dirname(start.script))
        if self.moves:
            self._in_doubt()
        self.graph.problems += circles(self.graph)
        return self.graph

    def _script(self, script: str) -> None:
        files = self.importer.files
        entry = files.find(script)
        if entry is not None and entry.kind == "directory":
            script = f"{script}/__main__.py"
            entry = files.find(script)
        if entry is not None and entry.source:
            self.agenda.queue.append((Found(Meaning.MODULE, entry.source, script), "", True))
            self.graph.entry = self.importer.source(entry.source)
            self.graph.entry_is_main = True

    def _entry(self, module: str, served: bool) -> None:
        found = self.importer.find(module)
        start = self.importer.image.start
        if start.server and start.application == "*":
            if found.kind is Meaning.MISSING and "." in module:
                # What is named may be an attribute of a module.
                above, _, name = module.rpartition(".")
                holder = self.importer.find(above)
                if holder.source and self.resolver.has(holder, above, name, set()):
                    module, found = above, holder
            elif found.kind is Meaning.PACKAGE and self.importer.find(f"{module}.celery").source:
                self.agenda.visit(found, module)
                module = f"{module}.celery"
                found = self.importer.find(module)
        self.agenda.loading = []
        self.agenda.ancestors(module)
        self.graph.before = tuple(self.agenda.loading)
        if found.kind in (Meaning.PACKAGE, Meaning.NAMESPACE) and not served:
            main = self.importer.find(f"{module}.__main__")
            if found.kind is Meaning.PACKAGE:
                self.agenda.visit(found, module)
            found, module = main, f"{module}.__main__"
        if found.source:
            package = module if found.kind is Meaning.PACKAGE else module.rpartition(".")[0]
            self.graph.entry = self.importer.source(found.source)
            self.graph.entry_is_main = not served
            self.agenda.visit(found, package, not served)

    def _shadow(self, found: Found) -> None:
        hidden = self.importer.shadowed(found)
        if hidden:
            message = f"{hidden} is never loaded: the package {found.source} has its name"
            self.graph.shadows.append(ImportProblem(hidden, 1, message))
        directory, name = posixpath.split(found.path.removesuffix(".py"))
        if directory in self.importer.own and has_module(name, self.importer.version):
            message = f"it stands before the standard library's module {name}, for all that is imported"
            self.graph.shadows.append(ImportProblem(found.source, 1, message))

    def _module(self, found: Found, package: str, main: bool) -> None:
        source = self.importer.source(found.source)
        first = found.source not in self.graph.modules
        self.graph.modules.setdefault(found.source, source)
        self.graph.places.setdefault(found.source, _place_of(found))
        if self.agenda.lazily:
            self.graph.later.add(found.source)
        elif first:
            self._shadow(found)
        if source.moves_path:
            self.moves.append(source.path)
        if source.doubt:
            self.graph.doubts.append(ImportProblem(source.path, 0, source.doubt))
        failed: set[int] = set()
        steps: list[ImportStep] = []
        lazily = self.agenda.lazily
        for each in source.imports:
            now = replace(each, lazy=each.lazy and not self._runs(source, each, main))
            self.agenda.lazily = lazily or now.lazy or each.caught
            if (each.main and not main) or (each.other and main):
                continue
            if each.instead and each.instead not in failed:
                continue
            self.agenda.loading, self.resolver.target = [], ""
            problems = [
                replace(problem, lazy=lazily or now.lazy) for problem in self.resolver.problems(source, now, package)
            ]
            if problems and each.attempt:
                failed.add(each.attempt)
            if not each.caught:
                self.graph.problems += problems
                if not each.lazy and self.agenda.loading and not problems:
                    steps.append(self._step(each))
        self.agenda.lazily = lazily
        if not lazily:
            self.reading.append((source, package))
            self.graph.steps[found.source] = steps
            self.consequences.follow(source, package)

    def _runs(self, source: Source, each: Import, main: bool) -> bool:
        """Whether an import in a function is made as the module is loaded, or as its app is started."""
        if each.caught or not each.lazy:
            return False
        found = [source.effects]
        if source is self.graph.entry and source.effects.served is not None and is_served(self.importer.image.start):
            found.append(source.effects.served)
        return any(each.line in effects.ran and (main or not effects.ran[each.line]) for effects in found)

    def _attributes(self) -> None:
        """Attributes of the tree's own modules and of the standard library's that are read as modules are loaded."""
        given = {name for source in self.graph.modules.values() for name in source.given}
        for source, _ in self.reading:
            main = self.graph.entry_is_main and source is self.graph.entry
            for use in source.unbound:
                if use.name not in given and (main or not use.main):
                    why = "is made only further down" if use.early else "nothing defines it"
                    message = f"{use.name} is used as the module is loaded, and {why}"
                    self.graph.problems.append(ImportProblem(source.path, use.line, message, flaw=Flaw.NAME))
        for source, package in self.reading:
            for each in (*source.attributes, *self._read_by_functions(source)):
                if each.main and not (self.graph.entry_is_main and source is self.graph.entry):
                    continue
                name = each.absolute(package)
                if name is None or name == "sys" or given & {*each.names} or not self._is_module(each, name):
                    continue
                self.graph.problems += self.resolver.problems(source, replace(each, perhaps=False), package)

    def _read_by_functions(self, source: Source) -> Iterator[Import]:
        """Attributes of standard modules that functions read which run as the module is loaded."""
        for named in (each for effects in self.graph.effects(source.path) for each in effects.attributes):
            module, _, attribute = named.name.rpartition(".")
            if self.importer.find(module).kind is Meaning.STANDARD:
                yield Import(named.line, module, names=(attribute,), main=named.main)

    def _is_module(self, each: Import, name: str) -> bool:
        """Whether what an attribute is read of is surely a module of the tree, or of the standard library."""
        kind = self.importer.find(name).kind
        if not each.perhaps:
            return kind in (Meaning.STANDARD, Meaning.MODULE, Meaning.PACKAGE)
        above, _, last = name.rpartition(".")
        package = self.importer.find(above) if above else None
        own = package is not None and bool(package.source) and self.resolver.has(package, above, last, set())
        return kind in (Meaning.MODULE, Meaning.PACKAGE) and not own

    def _step(self, each: Import) -> ImportStep:
        """Submodules that an import takes by name are loaded after the package that they are in."""
        names = tuple(name for name in each.names if name != "*" and not each.is_module(name, self.agenda.loading))
        return ImportStep(each.line, tuple(dict.fromkeys(self.agenda.loading)), names, self.resolver.target)

    # -- what is judged when all is loaded ------------------------------------------------------------------------

    def _in_doubt(self) -> None:
        """Where something changes `sys.path`, what is not found may be found there."""
        reason = f"{self.moves[0]} changes where modules are looked for"
        for each in self.graph.outside:
            if not each.caught and not has_module(each.top, None):
                self.graph.doubts.append(
                    ImportProblem(each.source, each.line, f"whether {each.name} is there: {reason}", each.lazy)
                )
        # What another distribution brings is judged as ever; what might be the tree's own is not.
        self.graph.outside = [each for each in self.graph.outside if not self._own_name(each)]

    def _own_name(self, outside: Outside) -> bool:
        """Whether the tree has a module of that name somewhere."""
        return any(
            path.endswith((f"/{outside.top}.py", f"/{outside.top}/__init__.py")) for path in self.importer.files.entries
        )


def _place_of(found: Found) -> str:
    """The file that a module is loaded from."""
    return f"{found.path}/__init__.py" if found.kind is Meaning.PACKAGE else found.path
