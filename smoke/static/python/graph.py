"""The import graph from what a container starts, resolved on the image's file system without running anything."""

from __future__ import annotations

import posixpath
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from smoke.static.model.filesystem import Cause, Entry
from smoke.static.model.image import Image
from smoke.static.python.conditions import Version
from smoke.static.python.effects import Named
from smoke.static.python.shadows import breaks
from smoke.static.python.source import Import, Source, has_name, read_source
from smoke.static.python.standard import has_module, lacks_name
from smoke.static.python.syntax import Syntax
from smoke.tree import Tree

MAX_MODULES = 5_000
_HOST: Version = (sys.version_info.major, sys.version_info.minor)


@dataclass(frozen=True)
class Found:
    """What a module's name means in the image."""

    kind: str
    """`package`, `module`, `namespace`, `standard`, `outside` (not of the tree, if anything), `doubt`, `binary`,
    `missing`."""
    source: str = ""
    """Path in the tree."""
    path: str = ""
    """Path in the image."""
    reason: str = ""


class Flaw(Enum):
    """Kinds of problems."""

    IMPORT = "import"
    RELATIVE = "relative"
    NAME = "name"
    SYNTAX = "syntax"
    CIRCLE = "circle"
    ANNOTATION = "annotation"
    SHADOW = "shadow"


@dataclass(frozen=True)
class Problem:
    """What breaks when the module is loaded. `lazy`: only when some function runs."""

    source: str
    line: int
    message: str
    lazy: bool = False
    flaw: Flaw = Flaw.IMPORT


@dataclass(frozen=True)
class Outside:
    """An import of what is not of the tree and not of the standard library: it must be installed."""

    name: str
    """The whole dotted name."""
    source: str
    line: int
    caught: bool
    lazy: bool
    by: str = ""
    """The setting that names it as text; empty for an import."""

    @property
    def top(self) -> str:
        """The top-level module."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Step:
    """One import as it is executed: what it loads, in order, and which names it then takes."""

    line: int
    loads: tuple[str, ...]
    wanted: tuple[str, ...] = ()
    """Names taken of `target` that are no modules themselves."""
    target: str = ""


@dataclass
class Graph:
    """Everything reachable from the entry."""

    problems: list[Problem] = field(default_factory=list)
    shadows: list[Problem] = field(default_factory=list)
    """Modules that stand in the way of others of their name."""
    outside: list[Outside] = field(default_factory=list)
    doubts: list[Problem] = field(default_factory=list)
    modules: dict[str, Source] = field(default_factory=dict)
    """Source files that are loaded, by their path in the tree, in order of arrival."""
    places: dict[str, str] = field(default_factory=dict)
    """Where the image has each of them."""
    steps: dict[str, list[Step]] = field(default_factory=dict)
    """Imports of each that run as it is loaded, in order."""
    later: set[str] = field(default_factory=set)
    """Those of the modules that only some function loads, or an import that may fail."""
    settings: set[str] = field(default_factory=set)
    """Modules that are Django's settings."""
    before: tuple[str, ...] = ()
    """Packages that the entry is in: they are loaded before it."""
    entry: Source | None = None
    entry_is_main: bool = False


def version_of(image: Image) -> Version | None:
    """The version of the Python that the image starts; none when it isn't known."""
    text = image.start.python or image.python or (image.base.python if image.base is not None else None)
    if not text:
        return None
    major, _, minor = text.partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None


class Importer:
    """Resolves names on one image's file system."""

    def __init__(
        self, tree: Tree, image: Image, syntax: Syntax, sources: dict[tuple[str, Version | None], Source]
    ) -> None:
        self.tree, self.image, self.files = tree, image, image.files
        self.version = version_of(image)
        search = image.start.search
        self.own = tuple(path for path in search if not path.endswith("-packages"))
        """Directories in front of the standard library."""
        self.sites = tuple(path for path in search if path.endswith("-packages"))
        self.syntax, self._sources = syntax, sources
        self._known: dict[str, Found] = {}
        self._links = {path for path, entry in self.files.entries.items() if entry.kind == "link"}
        self._children: dict[str, set[str]] = {}
        for path in self.files.entries:
            directory, name = posixpath.split(path)
            self._children.setdefault(directory, set()).add(name)

    def source(self, path: str) -> Source:
        """The source file at a path of the tree, read once."""
        key = path, self.version
        if key not in self._sources:
            alone = self.version is None or not self.syntax.able
            self._sources[key] = read_source(path, self.tree.data(path), self.version, alone=alone)
        return self._sources[key]

    def find(self, name: str) -> Found:
        """What a dotted name means."""
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def _at(self, path: str) -> Entry | None:
        """What is at a path, links followed."""
        entry = self.files.entries.get(path)
        if entry is not None and entry.kind != "link":
            return entry
        return self.files.find(path) if self._below_link(path) else None

    def _below_link(self, path: str) -> bool:
        while self._links and path != "/":
            if path in self._links:
                return True
            path = posixpath.dirname(path)
        return False

    def _find(self, name: str) -> Found:
        top, _, rest = name.partition(".")
        if top in sys.builtin_module_names:
            return Found("standard")
        found = self._among(self.own, top)
        if found is None or found.kind == "namespace":
            # A directory without __init__.py gives way to any module or package that comes later on the path.
            if has_module(top, self.version):
                return Found("standard")
            later = self._among(self.sites, top)
            found = later if later is not None and later.kind != "namespace" else found or later or Found("outside")
        for part in rest.split(".") if rest else ():
            if found.kind in ("outside", "doubt", "binary", "standard"):
                return found
            if found.kind == "module":
                return Found("missing", reason=f"{found.source} is a module, no package")
            child = self._inside(found.path, part)
            if child is None:
                return self._absent(found, part)
            found = child
        return found

    def _absent(self, package: Found, part: str) -> Found:
        doubt = self.files.doubt(posixpath.join(package.path, part + ".py"))
        if doubt:
            return Found("doubt", reason=doubt)
        if package.source and (self.source(package.source).dynamic or self.source(package.source).moves_path):
            return Found("doubt", reason=f"{package.source} decides at run time what is in the package")
        if package.kind == "namespace" and self.image.installs:
            return Found("outside", reason=f"there is no {part} in {package.path}")
        other = next((each for each in self._listing(package.path) if _differs_in_case(each, part)), "")
        hint = f", and {other} is another name on Linux" if other else ""
        return Found("missing", reason=f"there is no {part} in {package.path}{hint}")

    def other_case(self, name: str) -> str:
        """A file or directory of the tree's own that differs from a module's name in case only."""
        for place in self.own:
            for each in self._listing(place):
                if _differs_in_case(each, name):
                    return posixpath.join(place, each)
        return ""

    def _among(self, places: tuple[str, ...], name: str) -> Found | None:
        namespace: Found | None = None
        for place in places:
            found = self._inside(place, name)
            if found is not None and found.kind != "namespace":
                return found
            namespace = namespace or found
        if namespace is not None:
            return namespace
        for place in places:
            # Installers' own directories are in doubt always; what is there is judged by what they installed.
            doubt = self.files.doubt(posixpath.join(place, name + ".py"))
            if doubt and doubt.cause is not Cause.DISTRIBUTIONS and not place.endswith("-packages"):
                return Found("doubt", reason=doubt)
        return None

    def _inside(self, directory: str, name: str) -> Found | None:
        path = posixpath.join(directory, name)
        package = self._at(f"{path}/__init__.py")
        if package is not None and package.kind == "file":
            return Found("package", package.source, path)
        module = self._at(f"{path}.py")
        if module is not None and module.kind == "file":
            return Found("module", module.source, f"{path}.py")
        listed = self._listing(directory)
        if any(each.startswith(f"{name}.") and each.endswith((".so", ".pyc")) for each in listed):
            return Found("binary", path=path)
        if any(f"{name}{suffix}" in listed for suffix in (".pyi", ".pyx", ".c", ".rs", ".cpp")):
            return Found("doubt", reason=f"{path} has sources that a build may compile")
        entry = self._at(path)
        if entry is not None and entry.kind == "directory":
            return Found("namespace", path=path)
        return None

    def shadowed(self, found: Found) -> str:
        """The source file that a package of the same name keeps from ever being loaded; empty when there is none."""
        if found.kind != "package":
            return ""
        module = self.files.find(f"{found.path}.py")
        return module.source if module is not None and module.kind == "file" else ""

    def beside(self, directory: str) -> set[str]:
        """Names in a directory."""
        return self._listing(directory)

    def _listing(self, directory: str) -> set[str]:
        place = self.files.resolve(directory) if self._below_link(directory) else directory
        return self._children.get(place, set())


def _differs_in_case(file: str, name: str) -> bool:
    stem = file.removesuffix(".py")
    return stem != name and stem.lower() == name.lower()


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
}
"""How many last parts of a name that a setting holds may be things in a module."""


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
        self._judge_syntax()
        if start.script:
            self._judge_shadows(posixpath.dirname(start.script))
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
            self.queue.append((Found("module", entry.source, script), "", True))
            self.graph.entry = self.importer.source(entry.source)
            self.graph.entry_is_main = True

    def _entry(self, module: str, served: bool) -> None:
        found = self.importer.find(module)
        start = self.importer.image.start
        if start.server and start.application == "*":
            if found.kind == "missing" and "." in module:
                # What is named may be an attribute of a module.
                module = module.rpartition(".")[0]
                found = self.importer.find(module)
            elif found.kind == "package" and self.importer.find(f"{module}.celery").source:
                self._visit(found, module, False)
                module = f"{module}.celery"
                found = self.importer.find(module)
        self.loading = []
        self._ancestors(module)
        self.graph.before = tuple(self.loading)
        if found.kind in ("package", "namespace") and not served:
            main = self.importer.find(f"{module}.__main__")
            if found.kind == "package":
                self._visit(found, module, False)
            found, module = main, f"{module}.__main__"
        if found.source:
            package = module if found.kind == "package" else module.rpartition(".")[0]
            self.graph.entry = self.importer.source(found.source)
            self.graph.entry_is_main = not served
            self._visit(found, package, not served)

    def _ancestors(self, name: str) -> None:
        parts = name.split(".")
        for count in range(1, len(parts)):
            above = ".".join(parts[:count])
            found = self.importer.find(above)
            if found.kind == "package" and found.source:
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
        return f"{found.path}/__init__.py" if found.kind == "package" else found.path

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
        for source, package in self.reading:
            for each in source.attributes:
                kind = self.importer.find(each.module).kind
                if each.module != "sys" and kind in ("standard", "module", "package") and not given & {*each.names}:
                    self.graph.problems += self._import(source, each, package)

    def _step(self, each: Import) -> Step:
        """Submodules that an import takes by name are loaded after the package that they are in."""
        names = tuple(name for name in each.names if name != "*" and not each.is_module(name, self.loading))
        return Step(each.line, tuple(dict.fromkeys(self.loading)), names, self.target)

    def _effects(self, source: Source, package: str) -> None:
        effects = source.effects
        for line, reason in effects.annotations:
            self.graph.problems.append(Problem(source.path, line, reason, flaw=Flaw.ANNOTATION))
        if effects.settings_module and not self.settings:
            name = self.importer.image.environment.get("DJANGO_SETTINGS_MODULE") or effects.settings_module
            found = self.importer.find(name)
            if found.source:
                self.settings.add(found.source)
            self._named(Named(0, name, "DJANGO_SETTINGS_MODULE"), source.path, Import(0, name))
        for named in effects.named:
            if named.main and not (self.graph.entry_is_main and source is self.graph.entry):
                continue
            self._named(named, source.path, Import(named.line, named.name))
        if source.path in self.settings:
            for star in source.stars:
                origin = self.importer.find(self._absolute(star, package) or "")
                if origin.source:
                    self.settings.add(origin.source)
            for named in effects.settings:
                self._named(named, source.path, Import(named.line, named.name))

    def _named(self, named: Named, source: str, each: Import) -> None:
        """A string that names a module, or a thing in a module: the longest part of it that is one is loaded."""
        parts = named.name.split(".")
        found = self.importer.find(named.name)
        cut = len(parts)
        least = len(parts) - _ATTRIBUTES.get(named.by, 0)
        while found.kind == "missing" and cut > max(1, least) and (cut < len(parts) or _is_thing(named, parts[-1])):
            cut -= 1
            found = self.importer.find(".".join(parts[:cut]))
        name = ".".join(parts[:cut])
        if found.kind == "missing" or (found.kind == "namespace" and cut < len(parts)):
            message = f"{named.by} names {named.name}: {found.reason or 'there is no such module'}"
            self.graph.problems.append(Problem(source, named.line, message))
        elif found.kind == "outside":
            self.graph.outside.append(Outside(named.name, source, named.line, False, False, named.by))
        elif found.source:
            self._ancestors(name)
            self._visit(found, name if found.kind == "package" else name.rpartition(".")[0], False)
            if named.by == "INSTALLED_APPS" and found.kind == "package":
                for child in ("apps", "models"):
                    inner = self.importer.find(f"{name}.{child}")
                    if inner.source:
                        self._visit(inner, f"{name}.{child}" if inner.kind == "package" else name, False)

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
        if found.kind == "missing":
            yield Problem(source.path, each.line, f"{name} cannot be imported: {found.reason}", each.lazy)
        elif found.kind == "outside":
            lazy = each.lazy or source.path in self.graph.later
            self.graph.outside.append(Outside(name, source.path, each.line, each.caught, lazy))
        elif found.kind == "doubt":
            message = f"whether {name} is there: {found.reason}"
            self.graph.doubts.append(Problem(source.path, each.line, message, each.lazy))
        elif found.kind == "standard":
            yield from self._standard(source, each, name)
        elif found.kind != "binary":
            self._ancestors(name)
            self._visit(found, name if found.kind == "package" else name.rpartition(".")[0], False)
            self.target = found.source
            for wanted in each.names:
                yield from self._name(source, each, name, found, wanted)

    def _standard(self, source: Source, each: Import, name: str) -> Iterator[Problem]:
        version = self.importer.version
        if version is None:
            return
        shown = f"Python {version[0]}.{version[1]}"
        if "." in name and has_module(name, None) and not has_module(name, version) and "_" not in name[:1]:
            yield Problem(source.path, each.line, f"{shown} has no module {name}", each.lazy)
            return
        for wanted in each.names:
            if lacks_name(name, wanted, version):
                message = f"{name} of {shown} has no {wanted}"
                yield Problem(source.path, each.line, message, each.lazy, Flaw.NAME)

    def _name(self, source: Source, each: Import, name: str, found: Found, wanted: str) -> Iterator[Problem]:
        if wanted == "*" or (found.source and self._has(found, name, wanted, set())):
            return
        if found.kind in ("module", "package") and not found.source:
            return  # an instruction made it: what is in it is not known
        if found.kind in ("package", "namespace"):
            child = self.importer.find(f"{name}.{wanted}")
            if child.kind in ("package", "module", "namespace"):
                self._visit(child, f"{name}.{wanted}" if child.kind == "package" else name, False)
                return
            if child.kind in ("doubt", "binary", "outside"):
                return
        where = found.source or found.path
        if found.source == source.path:
            return  # a package that looks into itself while it is loaded
        yield Problem(source.path, each.line, f"{where} defines no {wanted}", each.lazy, Flaw.NAME)

    def _has(self, found: Found, name: str, wanted: str, seen: set[str]) -> bool:
        """Whether a module has a name once it is loaded; what can't be told counts as yes."""
        if found.source in seen:
            return False
        seen.add(found.source)
        source = self.importer.source(found.source)
        if source.error or source.doubt or has_name(source, wanted):
            return True
        for star in source.stars:
            package = name if found.kind == "package" else name.rpartition(".")[0]
            target = self._absolute(star, package)
            if target is None:
                continue
            origin = self.importer.find(target)
            if not origin.source or self._has(origin, target, wanted, seen):
                return True
        return False

    # -- what is judged when all is loaded ------------------------------------------------------------------------

    def _judge_syntax(self) -> None:
        """Ruff judges for the image's version; the host's parser only what ruff leaves open."""
        version, modules = self.importer.version, self.graph.modules
        asked = version or (3, 15)
        refused = self.syntax.problems([path for path in modules if not modules[path].doubt], asked)
        for path, source in modules.items():
            problem = refused.get(path)
            if problem is not None and (version is not None or source.error):
                message = f"it is no Python that can be loaded: {problem.message}"
                lazy = path in self.graph.later
                self.graph.problems.append(Problem(path, problem.line, message, lazy, Flaw.SYNTAX))
            elif source.error and version is not None and (version <= _HOST or self.syntax.trouble == ""):
                if version <= _HOST:
                    message = f"it is no Python that can be loaded: {source.error}"
                    lazy = path in self.graph.later
                    self.graph.problems.append(Problem(path, source.error_line, message, lazy, Flaw.SYNTAX))
                else:
                    self._newer(path)
            elif source.error:
                self._newer(path)
        if self.syntax.trouble and version is not None and version != _HOST and modules:
            first = next(iter(modules))
            self.graph.doubts.append(Problem(first, 0, self.syntax.trouble))

    def _judge_shadows(self, directory: str) -> None:
        """Files beside the script that have a standard module's name: all that is loaded gets them instead."""
        standard = {
            each.module.partition(".")[0] for source in self._eager() for each in source.imports if not each.lazy
        }
        outside = {each.top for each in self.graph.outside if not each.lazy and not each.caught}
        for child in sorted(self.importer.beside(directory)):
            name = child.removesuffix(".py")
            if not has_module(name, self.importer.version) or name in sys.builtin_module_names:
                continue
            found = self.importer.find(name)
            if found.kind not in ("module", "package") or not found.source:
                continue
            clause = breaks(name, self.importer.source(found.source), standard, outside)
            if clause:
                message = f"it stands before the standard library's module {name}: {clause}"
                self.graph.problems.append(Problem(found.source, 1, message, flaw=Flaw.SHADOW))

    def _eager(self) -> list[Source]:
        return [source for path, source in self.graph.modules.items() if path not in self.graph.later]

    def _newer(self, path: str) -> None:
        reason = f"its syntax is newer than Python {_HOST[0]}.{_HOST[1]}, which reads it here: imports are not followed"
        self.graph.doubts.append(Problem(path, 0, reason))

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


def circles(graph: Graph) -> Iterator[Problem]:
    """Names that are taken from a module that is itself still being loaded, before it has them."""
    if graph.entry is None:
        return
    order = _Loading(graph)
    for path in (*graph.before, graph.entry.path):
        if path not in order.done:
            yield from order.load(path)


class _Loading:
    """Loads modules in the order in which Python would."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.done: set[str] = set()
        self.under_way: dict[str, int] = {}
        """Modules that are being loaded, with the line that each has come to."""

    def load(self, entry: str) -> Iterator[Problem]:
        """All problems, from an entry on; iterative, since chains of imports are long."""
        stack: list[Iterator[Step]] = []
        names: list[str] = []
        pending: list[str] = [] if entry not in self.graph.steps else [entry]
        waiting: list[tuple[str, Step, list[str]]] = []
        while pending or stack:
            if pending:
                module = pending.pop()
                self.under_way[module] = 0
                stack.append(iter(self.graph.steps.get(module, [])))
                names.append(module)
                continue
            if waiting and waiting[-1][0] == names[-1]:
                module, step, rest = waiting[-1]
                fresh = next((each for each in rest if each not in self.done and each not in self.under_way), None)
                if fresh is not None:
                    rest.remove(fresh)
                    pending.append(fresh)
                    continue
                waiting.pop()
                yield from self._taken(module, step)
            step_or_none = next(stack[-1], None)
            if step_or_none is None:
                stack.pop()
                module = names.pop()
                self.under_way.pop(module, None)
                self.done.add(module)
                continue
            self.under_way[names[-1]] = step_or_none.line
            waiting.append((names[-1], step_or_none, list(step_or_none.loads)))

    def _taken(self, module: str, step: Step) -> Iterator[Problem]:
        target = step.target
        if not step.wanted or target not in self.under_way or target == module:
            return
        if self.graph.entry is not None and target == self.graph.entry.path and self.graph.entry_is_main:
            return  # as main it has another name, and is loaded a second time
        source = self.graph.modules[target]
        if source.dynamic or source.error or source.stars:
            return
        for name in step.wanted:
            line = source.names.get(name)
            if line is not None and line >= self.under_way[target]:
                chain = " -> ".join([*self.under_way][list(self.under_way).index(target) :])
                message = f"{name} is taken from {target} before it is there: they import each other ({chain})"
                yield Problem(module, step.line, message, flaw=Flaw.CIRCLE)
