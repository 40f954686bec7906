"""The import graph from what a container starts, resolved on the image's file system without running anything."""

from __future__ import annotations

import posixpath
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from smoke.static.model.image import Image
from smoke.static.python.conditions import Version
from smoke.static.python.source import Import, Source, has_name, read_source
from smoke.tree import Tree

MAX_MODULES = 5_000
_GONE_IN_312 = ["asynchat", "asyncore", "distutils", "imp", "smtpd"]
_GONE_IN_313 = [
    *["aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap", "msilib", "nis", "nntplib"],
    *["ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib"],
]
_GONE = {**dict.fromkeys(_GONE_IN_312, (3, 12)), **dict.fromkeys(_GONE_IN_313, (3, 13))}
"""Modules of the standard library, with the version that no longer has them."""
_NEW = {"graphlib": (3, 9), "zoneinfo": (3, 9), "tomllib": (3, 11), "annotationlib": (3, 14), "compression": (3, 14)}


@dataclass(frozen=True)
class Found:
    """What a module's name means in the image."""

    kind: str
    """`package`, `module`, `namespace`, `standard`, `outside` (not of the tree, if anything), `doubt`, `binary`."""
    source: str = ""
    """Path in the tree."""
    path: str = ""
    """Path in the image."""
    reason: str = ""


@dataclass(frozen=True)
class Problem:
    """What breaks when the module is loaded. `lazy`: only when some function runs."""

    source: str
    line: int
    message: str
    lazy: bool = False
    kind: str = "import"


@dataclass(frozen=True)
class Outside:
    """An import of what is not of the tree and not of the standard library: it must be installed."""

    name: str
    source: str
    line: int
    caught: bool
    lazy: bool


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
    entry: Source | None = None


def standard(version: Version | None, name: str) -> bool:
    """Whether a top-level module is of the standard library of a version of Python."""
    if version is not None:
        if name in _GONE:
            return version < _GONE[name]
        if name in _NEW:
            return version >= _NEW[name]
    return name in sys.stdlib_module_names or name in _GONE


class Importer:
    """Resolves names on one image's file system."""

    def __init__(self, tree: Tree, image: Image) -> None:
        self.tree, self.image, self.files = tree, image, image.files
        text = image.base.python if image.base is not None else None
        self.version: Version | None = None if text is None else (int(text.split(".")[0]), int(text.split(".")[1]))
        search = image.start.search
        self.own = tuple(path for path in search if not path.endswith("-packages"))
        """Directories in front of the standard library."""
        self.sites = tuple(path for path in search if path.endswith("-packages"))
        self._sources: dict[str, Source] = {}

    def source(self, path: str) -> Source:
        """The source file at a path of the tree, read once."""
        if path not in self._sources:
            self._sources[path] = read_source(path, self.tree.data(path), self.version)
        return self._sources[path]

    def find(self, name: str) -> Found:
        """What a dotted name means."""
        top, _, rest = name.partition(".")
        if top in sys.builtin_module_names:
            return Found("standard")
        found = self._among(self.own, top)
        if found is None or found.kind == "namespace":
            # A directory without __init__.py gives way to any module or package that comes later on the path.
            if standard(self.version, top):
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
                doubt = self.files.doubt(posixpath.join(found.path, part + ".py"))
                return (
                    Found("doubt", reason=doubt)
                    if doubt
                    else Found("missing", reason=f"there is no {part} in {found.path}")
                )
            found = child
        return found

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
            # pip's own directories are in doubt always; what is there is judged by the requirements.
            doubt = self.files.doubt(posixpath.join(place, name + ".py"))
            if doubt and not doubt.startswith("what pip installed") and not place.endswith("-packages"):
                return Found("doubt", reason=doubt)
        return None

    def _inside(self, directory: str, name: str) -> Found | None:
        path = posixpath.join(directory, name)
        package = self.files.find(f"{path}/__init__.py")
        if package is not None and package.kind == "file":
            return Found("package", package.source, path)
        module = self.files.find(f"{path}.py")
        if module is not None and module.kind == "file":
            return Found("module", module.source, f"{path}.py")
        if any(each.startswith(f"{name}.") and each.endswith((".so", ".pyc")) for each in self._listing(directory)):
            return Found("binary", path=path)
        entry = self.files.find(path)
        if entry is not None and entry.kind == "directory":
            return Found("namespace", path=path)
        return None

    def shadowed(self, found: Found) -> str:
        """The source file that a package of the same name keeps from ever being loaded; empty when there is none."""
        if found.kind != "package":
            return ""
        module = self.files.find(f"{found.path}.py")
        return module.source if module is not None and module.kind == "file" else ""

    def _listing(self, directory: str) -> list[str]:
        return self.files.names(directory) if directory in self.image.start.search else []


def import_graph(importer: Importer) -> Graph:
    """Follow every import from what the image starts."""
    return _Walk(importer).walk()


class _Walk:
    def __init__(self, importer: Importer) -> None:
        self.importer = importer
        self.graph = Graph()
        self.queue: deque[tuple[Found, str, bool]] = deque()
        """What was found, the package that it is in, and whether Python was started with it."""

    def walk(self) -> Graph:
        """The whole graph."""
        start = self.importer.image.start
        if start.script:
            self._script(start.script)
        elif start.module:
            self._entry(start.module, bool(start.server))
        while self.queue and len(self.graph.modules) < MAX_MODULES:
            found, package, main = self.queue.popleft()
            self._module(found, package, main)
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

    def _entry(self, module: str, served: bool) -> None:
        found = self.importer.find(module)
        self._ancestors(module)
        if found.kind in ("package", "namespace") and not served:
            main = self.importer.find(f"{module}.__main__")
            if found.kind == "package":
                self._visit(found, module, False)
            found, module = main, f"{module}.__main__"
        if found.source:
            package = module if found.kind == "package" else module.rpartition(".")[0]
            self.graph.entry = self.importer.source(found.source)
            self._visit(found, package, not served)

    def _ancestors(self, name: str) -> None:
        parts = name.split(".")
        for count in range(1, len(parts)):
            above = ".".join(parts[:count])
            found = self.importer.find(above)
            if found.kind == "package" and found.source:
                self._visit(found, above, False)

    def _visit(self, found: Found, package: str, main: bool) -> None:
        if found.source and found.source not in self.graph.modules:
            self._shadow(found, package)
            self.graph.modules[found.source] = self.importer.source(found.source)
            self.queue.append((found, package, main))

    def _shadow(self, found: Found, package: str) -> None:
        hidden = self.importer.shadowed(found)
        if hidden:
            message = f"{hidden} is never loaded: the package {found.source} has its name"
            self.graph.shadows.append(Problem(hidden, 1, message))
        directory, name = posixpath.split(found.path.removesuffix(".py"))
        if directory in self.importer.own and standard(self.importer.version, name):
            message = f"it stands before the standard library's module {name}, for all that is imported"
            self.graph.shadows.append(Problem(found.source, 1, message))

    def _module(self, found: Found, package: str, main: bool) -> None:
        source = self.importer.source(found.source)
        self.graph.modules.setdefault(found.source, source)
        if source.error:
            message = f"it is no Python that can be loaded: {source.error}"
            self.graph.problems.append(Problem(source.path, source.error_line, message, kind="syntax"))
        if source.doubt:
            self.graph.doubts.append(Problem(source.path, 0, source.doubt))
        failed: set[int] = set()
        for each in source.imports:
            if each.main and not main:
                continue
            if each.instead and each.instead not in failed:
                continue
            problems = list(self._import(source, each, package))
            if problems and each.attempt:
                failed.add(each.attempt)
            if not each.caught:
                self.graph.problems += problems

    def _import(self, source: Source, each: Import, package: str) -> Iterator[Problem]:
        name = each.module
        if each.level:
            parts = package.split(".") if package else []
            if each.level > len(parts):
                why = "it is started as a script, outside of any package" if not parts else f"it is in {package}"
                message = f"the relative import {'.' * each.level}{each.module} leaves the top package ({why})"
                yield Problem(source.path, each.line, message, each.lazy, "relative")
                return
            base = ".".join(parts[: len(parts) - each.level + 1])
            name = f"{base}.{each.module}" if each.module else base
        found = self.importer.find(name)
        if found.kind == "missing":
            yield Problem(source.path, each.line, f"{name} can't be imported: {found.reason}", each.lazy)
            return
        if found.kind == "outside":
            self._outside(source, each, name)
            return
        if found.kind == "doubt":
            self.graph.doubts.append(
                Problem(source.path, each.line, f"whether {name} is there: {found.reason}", each.lazy)
            )
            return
        if found.kind in ("standard", "binary"):
            return
        self._ancestors(name)
        self._visit(found, name if found.kind == "package" else name.rpartition(".")[0], False)
        for wanted in each.names:
            yield from self._name(source, each, name, found, wanted)

    def _outside(self, source: Source, each: Import, name: str) -> None:
        top = name.partition(".")[0]
        self.graph.outside.append(Outside(top, source.path, each.line, each.caught, each.lazy))

    def _name(self, source: Source, each: Import, name: str, found: Found, wanted: str) -> Iterator[Problem]:
        if wanted == "*" or (found.source and self._has(found, name, wanted, set())):
            return
        if found.kind in ("package", "namespace"):
            child = self.importer.find(f"{name}.{wanted}")
            if child.kind in ("package", "module", "namespace"):
                self._visit(child, f"{name}.{wanted}" if child.kind == "package" else name, False)
                return
            if child.kind in ("doubt", "binary"):
                return
        where = found.source or found.path
        yield Problem(source.path, each.line, f"{where} defines no {wanted}", each.lazy, "name")

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
            parts = package.split(".") if package else []
            if star.level > len(parts):
                continue
            base = ".".join(parts[: len(parts) - star.level + 1]) if star.level else ""
            target = ".".join(part for part in (base, star.module) if part)
            origin = self.importer.find(target)
            if not origin.source or self._has(origin, target, wanted, seen):
                return True
        return False
