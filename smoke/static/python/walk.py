"""Follows every import from what a container starts."""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from smoke.static.python.circles import circles
from smoke.static.python.distributions import part_of
from smoke.static.python.effects import CallOut, Named
from smoke.static.python.graph import Flaw, Graph, Outside, Problem, Step
from smoke.static.python.importer import Found, Importer, Meaning
from smoke.static.python.inherited import Inherited
from smoke.static.python.judging import judge_shadows, judge_syntax, judge_user_model
from smoke.static.python.source import Import, Source, has_name
from smoke.static.python.standard import has_module, is_plain, lacks_name

MAX_MODULES = 5_000
_OF_WINDOWS = frozenset({"winreg", "msvcrt", "winsound", "_winapi", "msilib", "_winreg"})
"""Modules of the standard library that Linux does not have."""
MAX_CALLS = 400
"""Calls of other modules' functions that are followed."""


def import_graph(importer: Importer) -> Graph:
    """Follow every import from what the image starts."""
    return _Walk(importer).walk()


_ATTRIBUTES = {
    "INSTALLED_APPS": 1,
    "MIDDLEWARE": 1,
    "WSGI_APPLICATION": 1,
    "ASGI_APPLICATION": 1,
    "dictConfig": 2,
    "AUTHENTICATION_BACKENDS": 1,
    "THIRD_PARTY_APPS": 1,
    "LOCAL_APPS": 1,
    "DJANGO_APPS": 1,
    "MIDDLEWARE_CLASSES": 1,
    "the command": 1,
    "uvicorn.run": 0,
    "from_object": 1,
}
"""How many last parts of a name that a setting holds may be things in a module."""


_TAKEN = frozenset({"INSTALLED_APPS", "LOCAL_APPS", "MIDDLEWARE", "dictConfig", "from_object"})
"""Those of them whose things are taken from their modules as the code is loaded."""


def _is_thing(named: Named, last: str) -> bool:
    return not named.by.endswith("_APPS") or last[:1].isupper()


class _Walk:
    def __init__(self, importer: Importer) -> None:
        self.importer, self.syntax = importer, importer.syntax
        self.graph = Graph()
        self.queue: deque[tuple[Found, str, bool]] = deque()
        """What was found, the package that it is in, and whether Python was started with it."""
        self.later: deque[tuple[Found, str, bool]] = deque()
        """What only some function loads, or an import that may fail: looked at when all the rest is."""
        self.lazily = False
        """Whether what is found now is loaded only later, if at all."""
        self.seen: set[str] = set()
        self.eager: set[str] = set()
        self.moves: list[str] = []
        """Sources that change where modules are looked for."""
        self.loading: list[str] = []
        """What the import under way loads, in order."""
        self.configured: set[str] = set()
        self.inherited = Inherited(importer)
        self.called_out = 0
        """Calls of other modules' functions that were followed."""
        self.target = ""
        """The module whose names it takes."""
        self.settings = self.graph.settings
        self.reading: list[tuple[Source, str]] = []
        """What is loaded at the start, and the package that it is in."""

    def walk(self) -> Graph:
        """The whole graph."""
        start = self.importer.image.start
        if start.script:
            self._script(start.script)
        elif start.module:
            self._entry(start.module, bool(start.server))
        for name in start.also:
            self._named(Named(start.line, name, "the command"), "", Import(start.line, name))
        while (self.queue or self.later) and len(self.graph.modules) < MAX_MODULES:
            self.lazily = not self.queue
            found, package, main = (self.queue or self.later).popleft()
            if self.lazily and found.source in self.eager:
                continue
            self._module(found, package, main)
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
            self.queue.append((Found(Meaning.MODULE, entry.source, script), "", True))
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
                if holder.source and self._has(holder, above, name, set()):
                    module, found = above, holder
            elif found.kind is Meaning.PACKAGE and self.importer.find(f"{module}.celery").source:
                self._visit(found, module, False)
                module = f"{module}.celery"
                found = self.importer.find(module)
        self.loading = []
        self._ancestors(module)
        self.graph.before = tuple(self.loading)
        if found.kind in (Meaning.PACKAGE, Meaning.NAMESPACE) and not served:
            main = self.importer.find(f"{module}.__main__")
            if found.kind is Meaning.PACKAGE:
                self._visit(found, module, False)
            found, module = main, f"{module}.__main__"
        if found.source:
            package = module if found.kind is Meaning.PACKAGE else module.rpartition(".")[0]
            self.graph.entry = self.importer.source(found.source)
            self.graph.entry_is_main = not served
            self._visit(found, package, not served)

    def _ancestors(self, name: str) -> None:
        parts = name.split(".")
        for count in range(1, len(parts)):
            above = ".".join(parts[:count])
            found = self.importer.find(above)
            if found.kind is Meaning.PACKAGE and found.source:
                self._visit(found, above, False)

    def _visit(self, found: Found, package: str, main: bool) -> None:
        if found.source:
            self.loading.append(found.source)
        if not found.source or found.source in self.eager or (self.lazily and found.source in self.seen):
            return
        if self.lazily:
            self.seen.add(found.source)
            self.later.append((found, package, main))
        else:
            self.eager.add(found.source)
            self.queue.append((found, package, main))

    def _place(self, found: Found) -> str:
        return f"{found.path}/__init__.py" if found.kind is Meaning.PACKAGE else found.path

    def _shadow(self, found: Found) -> None:
        hidden = self.importer.shadowed(found)
        if hidden:
            message = f"{hidden} is never loaded: the package {found.source} has its name"
            self.graph.shadows.append(Problem(hidden, 1, message))
        directory, name = posixpath.split(found.path.removesuffix(".py"))
        if directory in self.importer.own and has_module(name, self.importer.version):
            message = f"it stands before the standard library's module {name}, for all that is imported"
            self.graph.shadows.append(Problem(found.source, 1, message))

    def _module(self, found: Found, package: str, main: bool) -> None:
        source = self.importer.source(found.source)
        first = found.source not in self.graph.modules
        self.graph.modules.setdefault(found.source, source)
        self.graph.places.setdefault(found.source, self._place(found))
        if self.lazily:
            self.graph.later.add(found.source)
        elif first:
            self._shadow(found)
        if source.moves_path:
            self.moves.append(source.path)
        if source.doubt:
            self.graph.doubts.append(Problem(source.path, 0, source.doubt))
        failed: set[int] = set()
        steps: list[Step] = []
        lazily = self.lazily
        for each in source.imports:
            self.lazily = lazily or each.lazy or each.caught
            if (each.main and not main) or (each.other and main):
                continue
            if each.instead and each.instead not in failed:
                continue
            self.loading, self.target = [], ""
            problems = [replace(problem, lazy=lazily or each.lazy) for problem in self._import(source, each, package)]
            if problems and each.attempt:
                failed.add(each.attempt)
            if not each.caught:
                self.graph.problems += problems
                if not each.lazy and self.loading and not problems:
                    steps.append(self._step(each))
        self.lazily = lazily
        if not lazily:
            self.reading.append((source, package))
            self.graph.steps[found.source] = steps
            self._effects(source, package)

    def _attributes(self) -> None:
        """Attributes of the tree's own modules and of the standard library's that are read as modules are loaded."""
        given = {name for source in self.graph.modules.values() for name in source.given}
        for source, _ in self.reading:
            main = self.graph.entry_is_main and source is self.graph.entry
            for use in source.unbound:
                if use.name not in given and (main or not use.main):
                    why = "is made only further down" if use.early else "nothing defines it"
                    message = f"{use.name} is used as the module is loaded, and {why}"
                    self.graph.problems.append(Problem(source.path, use.line, message, flaw=Flaw.NAME))
        for source, package in self.reading:
            for each in (*source.attributes, *self._read_by_functions(source)):
                if each.main and not (self.graph.entry_is_main and source is self.graph.entry):
                    continue
                name = self._absolute(each, package)
                if name is None or name == "sys" or given & {*each.names} or not self._is_module(each, name):
                    continue
                self.graph.problems += self._import(source, replace(each, perhaps=False), package)

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
        own = package is not None and bool(package.source) and self._has(package, above, last, set())
        return kind in (Meaning.MODULE, Meaning.PACKAGE) and not own

    def _step(self, each: Import) -> Step:
        """Submodules that an import takes by name are loaded after the package that they are in."""
        names = tuple(name for name in each.names if name != "*" and not each.is_module(name, self.loading))
        return Step(each.line, tuple(dict.fromkeys(self.loading)), names, self.target)

    def _effects(self, source: Source, package: str) -> None:
        effects = source.effects
        for line, reason in effects.refused:
            self.graph.problems.append(Problem(source.path, line, reason, flaw=Flaw.ANNOTATION))
        mine = self.graph.entry_is_main and source is self.graph.entry
        for failing in effects.failing:
            if mine or not failing.main:
                self.graph.problems.append(Problem(source.path, failing.line, failing.name, flaw=Flaw.NAME))
        given = self.importer.image.environment.get("DJANGO_SETTINGS_MODULE", "")
        if (effects.settings_module or (given and source.starts_django)) and not self.settings:
            name = given or effects.settings_module
            found = self.importer.find(name)
            if found.source:
                self.settings.add(found.source)
            self._named(Named(0, name, "DJANGO_SETTINGS_MODULE"), source.path, Import(0, name))
        for out in (each for each in effects.calls_out if mine or not each.main):
            self._call_out(out, package, 4)
            self._made(source.path, out.line, self._absolute(Import(0, out.module, out.level), package), out.function)
        own = self._own_module(source) if effects.instances else ""
        for instance in (each for each in effects.instances if mine or not each.main):
            self._made(source.path, instance.line, own, instance.name)
        for named in (each for each in effects.named if mine or not each.main):
            self._named(named, source.path, Import(named.line, named.name))
        if source.path in self.settings:
            for star in source.stars:
                origin = self.importer.find(self._absolute(star, package) or "")
                if origin.source:
                    self.settings.add(origin.source)
            for named in (each for each in effects.settings if each.by != "AUTH_USER_MODEL"):
                self._named(named, source.path, Import(named.line, named.name))

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
                self.graph.problems.append(Problem(path, line, message, flaw=Flaw.NAME))

    def _call_out(self, call: CallOut, package: str, depth: int) -> None:
        """What a call of another module's function does, and what that function calls of others."""
        module = self._absolute(Import(call.line, call.module, call.level), package)
        found = self.importer.find(module) if module else None
        if found is None or not found.source or module is None or depth == 0 or self.called_out >= MAX_CALLS:
            return
        self.called_out += 1
        target = self.importer.source(found.source)
        inside = module if found.kind is Meaning.PACKAGE else module.rpartition(".")[0]
        for each in target.imports if call.function in target.names else ():
            plain = call.function in each.names and not each.caught and not each.lazy
            if plain and (name := self._absolute(each, inside)):
                self._call_out(replace(call, module=name, level=0), "", depth - 1)
                return
        effects = self.importer.called(found.source, call)
        self.graph.called.setdefault(found.source, []).append(effects)
        for out in effects.calls_out:
            if not out.main:
                self._call_out(out, inside, depth - 1)

    def _named(self, named: Named, source: str, each: Import) -> None:
        """A string that names a module, or a thing in a module: the longest part of it that is one is loaded."""
        parts = named.name.split(".")
        found = self.importer.find(named.name)
        cut = len(parts)
        least = len(parts) - _ATTRIBUTES.get(named.by, 0)
        while (
            found.kind is Meaning.MISSING and cut > max(1, least) and (cut < len(parts) or _is_thing(named, parts[-1]))
        ):
            cut -= 1
            found = self.importer.find(".".join(parts[:cut]))
        name = ".".join(parts[:cut])
        standard = (
            found.kind is Meaning.STANDARD and is_plain(parts[0]) and len(parts) > 1 + _ATTRIBUTES.get(named.by, 0)
        )
        if standard:
            message = f"{named.by} names {named.name}: {parts[0]} is a module of the standard library, no package"
            self.graph.problems.append(Problem(source, named.line, message))
        elif found.kind is Meaning.MISSING or (found.kind is Meaning.NAMESPACE and cut < len(parts)):
            message = f"{named.by} names {named.name}: {found.reason or 'there is no such module'}"
            self.graph.problems.append(Problem(source, named.line, message))
        elif found.kind is Meaning.OUTSIDE:
            self.graph.outside.append(Outside(named.name, source, named.line, False, False, named.by))
        elif found.source:
            if cut == len(parts) - 1 and named.by in _TAKEN and not self._has(found, name, parts[-1], set()):
                message = f"{named.by} names {named.name}: {found.source} defines no {parts[-1]}"
                self.graph.problems.append(Problem(source, named.line, message, flaw=Flaw.NAME))
            self._ancestors(name)
            self._visit(found, name if found.kind is Meaning.PACKAGE else name.rpartition(".")[0], False)
            if named.by == "INSTALLED_APPS" and found.kind is Meaning.PACKAGE:
                for child in ("apps", "models"):
                    inner = self.importer.find(f"{name}.{child}")
                    if inner.source and child == "apps":
                        self._app_config(inner.source)
                    if inner.source:
                        self._visit(inner, f"{name}.{child}" if inner.kind is Meaning.PACKAGE else name, False)

    def _app_config(self, path: str) -> None:
        """The one configuration of an app: Django imports what its `name` says."""
        configs = self.importer.source(path).effects.configs
        if len(configs) == 1 and configs[0].name not in self.configured:
            self.configured.add(configs[0].name)
            self._named(configs[0], path, Import(configs[0].line, configs[0].name))

    def _absolute(self, each: Import, package: str) -> str | None:
        """The dotted name that an import means; none when it leaves the top package."""
        if not each.level:
            return each.module
        parts = package.split(".") if package else []
        if each.level > len(parts):
            return None
        base = ".".join(parts[: len(parts) - each.level + 1])
        return f"{base}.{each.module}" if each.module else base

    def _import(self, source: Source, each: Import, package: str) -> Iterator[Problem]:
        name = self._absolute(each, package)
        if name is None:
            why = f"it is in {package}" if package else "it is started as a script, outside of any package"
            message = f"the relative import {'.' * each.level}{each.module} leaves the top package ({why})"
            yield Problem(source.path, each.line, message, each.lazy, Flaw.RELATIVE)
            return
        found = self.importer.find(name)
        if found.kind is Meaning.MISSING:
            yield Problem(source.path, each.line, f"{name} cannot be imported: {found.reason}", each.lazy)
        elif found.kind is Meaning.OUTSIDE:
            lazy = each.lazy or source.path in self.graph.later
            parts = [part for wanted in each.names if part_of(part := f"{name}.{wanted}")]
            for part in parts or [name]:
                self.graph.outside.append(Outside(part, source.path, each.line, each.caught, lazy))
        elif found.kind is Meaning.DOUBT:
            message = f"whether {name} is there: {found.reason}"
            self.graph.doubts.append(Problem(source.path, each.line, message, each.lazy))
        elif found.kind is Meaning.STANDARD:
            yield from self._standard(source, each, name)
        elif found.kind is not Meaning.BINARY:
            self._ancestors(name)
            self._visit(found, name if found.kind is Meaning.PACKAGE else name.rpartition(".")[0], False)
            self.target = found.source
            for wanted in each.names:
                yield from self._name(source, each, name, found, wanted)

    def _standard(self, source: Source, each: Import, name: str) -> Iterator[Problem]:
        version = self.importer.version
        if version is None:
            return
        shown = f"Python {version[0]}.{version[1]}"
        top = name.partition(".")[0]
        if top in _OF_WINDOWS:
            yield Problem(source.path, each.line, f"{top} is a module of Windows alone", each.lazy)
            return
        if name != top and is_plain(top):
            message = f"{name} cannot be imported: {top} is a module of the standard library, no package"
            yield Problem(source.path, each.line, message, each.lazy)
            return
        if "." in name and has_module(name, None) and not has_module(name, version) and "_" not in name[:1]:
            yield Problem(source.path, each.line, f"{shown} has no module {name}", each.lazy)
            return
        for wanted in each.names:
            if lacks_name(name, wanted, version):
                message = f"{name} of {shown} has no {wanted}"
                yield Problem(source.path, each.line, message, each.lazy, Flaw.NAME)

    def _name(self, source: Source, each: Import, name: str, found: Found, wanted: str) -> Iterator[Problem]:
        if wanted == "*":
            exports = self.importer.source(found.source).exports if found.source else None
            for name_of_all in exports or ():
                for problem in self._name(source, each, name, found, name_of_all):
                    yield replace(problem, message=f"{problem.message}, which its __all__ names")
            return
        if found.source and self._has(found, name, wanted, set()):
            return
        if found.kind in (Meaning.MODULE, Meaning.PACKAGE) and not found.source:
            return  # an instruction made it: what is in it is not known
        if found.kind in (Meaning.PACKAGE, Meaning.NAMESPACE):
            child = self.importer.find(f"{name}.{wanted}")
            if child.kind in (Meaning.PACKAGE, Meaning.MODULE, Meaning.NAMESPACE):
                self._visit(child, f"{name}.{wanted}" if child.kind is Meaning.PACKAGE else name, False)
                return
            if child.kind in (Meaning.DOUBT, Meaning.BINARY, Meaning.OUTSIDE):
                return
        where = found.source or found.path
        if found.source == source.path:
            return  # a package that looks into itself while it is loaded
        yield Problem(source.path, each.line, f"{where} defines no {wanted}", each.lazy, Flaw.NAME)

    def _has(self, found: Found, name: str, wanted: str, seen: set[str]) -> bool:
        """Whether a module has a name once it is loaded; what cannot be told counts as yes."""
        if found.source in seen:
            return False
        seen.add(found.source)
        source = self.importer.source(found.source)
        if source.error or source.doubt or has_name(source, wanted):
            return True
        for star in source.stars:
            package = name if found.kind is Meaning.PACKAGE else name.rpartition(".")[0]
            target = self._absolute(star, package)
            if target is None:
                continue
            origin = self.importer.find(target)
            if not origin.source or self._has(origin, target, wanted, seen):
                return True
        return False

    # -- what is judged when all is loaded ------------------------------------------------------------------------

    def _in_doubt(self) -> None:
        """Where something changes `sys.path`, what is not found may be found there."""
        reason = f"{self.moves[0]} changes where modules are looked for"
        for each in self.graph.outside:
            if not each.caught and not has_module(each.top, None):
                self.graph.doubts.append(
                    Problem(each.source, each.line, f"whether {each.name} is there: {reason}", each.lazy)
                )
        # What another distribution brings is judged as ever; what might be the tree's own is not.
        self.graph.outside = [each for each in self.graph.outside if not self._own_name(each)]

    def _own_name(self, outside: Outside) -> bool:
        """Whether the tree has a module of that name somewhere."""
        return any(
            path.endswith((f"/{outside.top}.py", f"/{outside.top}/__init__.py")) for path in self.importer.files.entries
        )
