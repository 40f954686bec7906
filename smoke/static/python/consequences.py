"""What the effects of loaded modules lead to: further modules, calls of theirs, and what surely fails."""

from __future__ import annotations

from msgspec.structs import replace

from smoke.static.model.effective_command import Start
from smoke.static.python.effects import Borrowed, CallOut, Mention
from smoke.static.python.graph import Flaw, ImportProblem
from smoke.static.python.importer import Meaning
from smoke.static.python.inherited import HEIRS, Inherited
from smoke.static.python.literals import literal_of
from smoke.static.python.mentions import Mentions
from smoke.static.python.naming import logging_classes
from smoke.static.python.source import Import, Source

MAX_CALLS = 400
"""Calls of other modules' functions that are followed."""
_MOST_STEPS = 4
"""Functions that are followed from one module into the next."""


class Consequences:
    """Follows the effects of one module after the other."""

    def __init__(self, mentions: Mentions) -> None:
        self.importer, self.graph, self.mentions = mentions.importer, mentions.graph, mentions
        self.settings = self.graph.settings
        self.inherited = Inherited(self.importer)
        self.called_out = 0
        """Calls of other modules' functions that were followed."""

    def follow(self, source: Source, package: str) -> None:
        """What the effects of a source, which is in a package, lead to."""
        effects = source.effects
        mine = self.graph.entry_is_main and source is self.graph.entry
        for line, reason in effects.refused:
            self.graph.problems.append(ImportProblem(source.path, line, reason, flaw=Flaw.ANNOTATION))
        for failing in effects.failing:
            if mine or not failing.main:
                self.graph.problems.append(ImportProblem(source.path, failing.line, failing.name, flaw=Flaw.NAME))
        self._starts_django(source)
        self._calls(source, package, mine)
        self._ill_ordered(source)
        for named in (each for each in effects.named if mine or not each.main):
            self.mentions.follow(named, source.path)
        for borrowed in (each for each in effects.configured if mine or not each.main):
            self._configured(borrowed, package)
        if source.path in self.settings:
            self._settings(source, package)

    def called(self, start: Start) -> None:
        """What a program of a distribution's does: it calls a function of the tree."""
        self._call_out(CallOut(start.line, start.module, 0, start.application), "", _MOST_STEPS)

    def _starts_django(self, source: Source) -> None:
        """The settings that a source makes Django read, by the variable that names them."""
        given = self.importer.image.environment.get("DJANGO_SETTINGS_MODULE", "")
        name = given or source.effects.settings_module
        if not self.settings and (source.effects.settings_module or (given and source.starts_django)):
            found = self.importer.find(name)
            if found.source:
                self.settings.add(found.source)
            self.mentions.follow(Mention(0, name, "DJANGO_SETTINGS_MODULE"), source.path)

    def _calls(self, source: Source, package: str, mine: bool) -> None:
        """Calls of other modules' functions, and instances of classes."""
        effects = source.effects
        for out in (each for each in effects.calls_out if mine or not each.main):
            self._call_out(out, package, _MOST_STEPS)
            self._made(source.path, out.line, Import(0, out.module, out.level).absolute(package), out.function)
        own = self._own_module(source) if effects.instances else ""
        for instance in (each for each in effects.instances if mine or not each.main):
            self._made(source.path, instance.line, own, instance.name)

    def _settings(self, source: Source, package: str) -> None:
        """Django's settings: what they name, and the modules that they take all names of."""
        for star in source.stars:
            origin = self.importer.find(star.absolute(package) or "")
            if origin.source:
                self.settings.add(origin.source)
        for named in (each for each in source.effects.settings if each.by != "AUTH_USER_MODEL"):
            self.mentions.follow(named, source.path)

    def _configured(self, borrowed: Borrowed, package: str) -> None:
        """What the literal of another module names, by which logging is configured."""
        module = Import(borrowed.line, borrowed.module, borrowed.level).absolute(package)
        found = self.importer.find(module) if module else None
        if found is None or not found.source:
            return
        value = literal_of(self.importer.tree.data(found.source), borrowed.name)
        for named in logging_classes(value) if value is not None else ():
            self.mentions.follow(named, found.source)

    def _ill_ordered(self, source: Source) -> None:
        """Classes whose bases Python refuses."""
        if HEIRS.search(self.importer.tree.data(source.path)) and (own := self._own_module(source)):
            for line, reason in self.inherited.refused(own):
                self.graph.problems.append(ImportProblem(source.path, line, reason, flaw=Flaw.NAME))

    def _own_module(self, source: Source) -> str:
        """The dotted name that a source has where Python looks; empty when it cannot be told."""
        place = self.graph.places.get(source.path, "").removesuffix(".py").removesuffix("/__init__")
        for directory in self.importer.own:
            if place.startswith(f"{directory.rstrip('/')}/"):
                return place[len(directory.rstrip("/")) + 1 :].replace("/", ".")
        return ""

    def _made(self, path: str, line: int, module: str | None, name: str) -> None:
        """An instance that is made as a module is loaded, of a class that may be left abstract."""
        if module and name[:1].isupper() and (left := self.inherited.left_abstract(module, name)):
            message = f"{name} is abstract and cannot be made: it lacks {', '.join(left[:3])}"
            if all(each.message != message for each in self.graph.problems):
                self.graph.problems.append(ImportProblem(path, line, message, flaw=Flaw.NAME))

    def _call_out(self, call: CallOut, package: str, depth: int) -> None:
        """What a call of another module's function does, and what that function calls of others."""
        module = Import(call.line, call.module, call.level).absolute(package)
        found = self.importer.find(module) if module else None
        if found is None or not found.source or module is None or depth == 0 or self.called_out >= MAX_CALLS:
            return
        self.called_out += 1
        target = self.importer.source(found.source)
        inside = module if found.kind is Meaning.PACKAGE else module.rpartition(".")[0]
        for each in target.imports if call.function in target.names else ():
            plain = call.function in each.names and not each.caught and not each.lazy
            if plain and (name := each.absolute(inside)):
                self._call_out(replace(call, module=name, level=0), "", depth - 1)
                return
        effects = self.importer.called(found.source, call)
        self.graph.called.setdefault(found.source, []).append(effects)
        for each in target.imports:
            if each.lazy and not each.caught and each.line in effects.ran:
                made = self.mentions.resolver.problems(target, replace(each, lazy=False), inside)
                self.graph.problems += [one for one in made if one not in self.graph.problems]
        for out in effects.calls_out:
            if not out.main:
                self._call_out(out, inside, depth - 1)
