"""Resolves modules' names on an image's file system as Python would, without running anything."""

from __future__ import annotations

import posixpath
import sys
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.image import Image
from smoke.static.python.conditions import Version
from smoke.static.python.effects import CallOut, Effects
from smoke.static.python.loading import called_effects
from smoke.static.python.reading import read_source
from smoke.static.python.scripted_modules import modules_written
from smoke.static.python.source import Source
from smoke.static.python.standard import has_module
from smoke.static.python.syntax import Syntax
from smoke.tree import Tree

LIBRARIES_OF_SYSTEM = frozenset(["/lib", "/lib64", "/usr/lib", "/usr/local/lib", "/usr/include"])
"""Directories of a base's system that have no modules of Python's themselves."""


class Meaning(Enum):
    """What a module's name stands for."""

    PACKAGE = "package"
    MODULE = "module"
    NAMESPACE = "namespace"
    STANDARD = "standard"
    OUTSIDE = "outside"
    """Not of the tree, if it is anything."""
    BINARY = "binary"
    DOUBT = "doubt"
    MISSING = "missing"


class Found(Struct, frozen=True):
    """What a module's name means in the image."""

    kind: Meaning
    source: str = ""
    """Path in the tree."""
    path: str = ""
    """Path in the image."""
    reason: str = ""


def version_of(image: Image) -> Version | None:
    """The version of the Python that the image starts; none when it is not known."""
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
        self._written: dict[str, str] | None = None
        self._called: dict[tuple[str, CallOut], Effects] = {}
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

    def called(self, path: str, call: CallOut) -> Effects:
        """What a call of a function that a source file of the tree has does, read once."""
        key = path, replace(call, line=0, module="", level=0, main=False)
        if key not in self._called:
            source = self.source(path)
            unread = source.error or source.doubt or call.function not in source.names
            self._called[key] = Effects() if unread else called_effects(self.tree.data(path), self.version, call)
        return self._called[key]

    def find(self, name: str) -> Found:
        """What a dotted name means."""
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def _at(self, path: str) -> PathEntry | None:
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
            return Found(Meaning.STANDARD)
        found = self._among(self.own, top)
        if found is None or found.kind is Meaning.NAMESPACE:
            # A directory without __init__.py gives way to any module or package that comes later on the path.
            if has_module(top, self.version):
                return Found(Meaning.STANDARD)
            later = self._among(self.sites, top)
            if later is not None and later.kind is not Meaning.NAMESPACE:
                found = later
            found = found or later or self._outside(top)
        portions = self._portions(found, (*self.own, *self.sites), top)
        for part in rest.split(".") if rest else ():
            if found.kind in (Meaning.OUTSIDE, Meaning.DOUBT, Meaning.BINARY, Meaning.STANDARD):
                return found
            if found.kind is Meaning.MODULE:
                return Found(Meaning.MISSING, reason=f"{found.source} is a module, no package")
            child = self._first(portions, part)
            if child is None:
                return self._absent(found, part, portions)
            found, portions = child, self._portions(child, portions, part)
        return found

    def _outside(self, top: str) -> Found:
        """What is nowhere, unless a script makes it as the container starts."""
        maker = self._made_later(top)
        return Found(Meaning.DOUBT, reason=maker) if maker else Found(Meaning.OUTSIDE)

    def _made_later(self, name: str) -> str:
        """Why a module may be there once the container's scripts have run; empty when none writes it."""
        if self._written is None:
            self._written = modules_written(self.tree, self.files)
        return f"{self._written[name]} may write it as the container starts" if name in self._written else ""

    def _portions(self, found: Found, places: tuple[str, ...], name: str) -> tuple[str, ...]:
        """The directories that a package has its modules in: those of all places that have one without __init__.py."""
        if found.kind is not Meaning.NAMESPACE:
            return (found.path,)
        within = (self._inside(place, name) for place in places)
        return tuple(each.path for each in within if each is not None and each.kind is Meaning.NAMESPACE)

    def _absent(self, package: Found, part: str, portions: tuple[str, ...]) -> Found:
        doubts = (self.files.doubt(posixpath.join(each, part + ".py")) for each in portions)
        if doubt := next((each for each in doubts if each), ""):
            return Found(Meaning.DOUBT, reason=doubt)
        if package.source and (self.source(package.source).dynamic or self.source(package.source).moves_path):
            return Found(Meaning.DOUBT, reason=f"{package.source} decides at run time what is in the package")
        if maker := self._made_later(part):
            return Found(Meaning.DOUBT, reason=maker)
        if package.kind is Meaning.NAMESPACE and self.image.installs:
            return Found(Meaning.OUTSIDE, reason=f"there is no {part} in {package.path}")
        other = next((each for each in self._listing(package.path) if _differs_in_case(each, part)), "")
        hint = f", and {other} is another name on Linux" if other else ""
        return Found(Meaning.MISSING, reason=f"there is no {part} in {package.path}{hint}")

    def other_case(self, name: str) -> str:
        """A file or directory of the tree's own that differs from a module's name in case only."""
        for place in self.own:
            for each in self._listing(place):
                if _differs_in_case(each, name):
                    return posixpath.join(place, each)
        return ""

    def _first(self, places: tuple[str, ...], name: str) -> Found | None:
        """What the first of some directories has of that name; one without __init__.py gives way to the others."""
        namespace: Found | None = None
        for place in places:
            found = self._inside(place, name)
            if found is not None and found.kind is not Meaning.NAMESPACE:
                return found
            namespace = namespace or found
        return namespace

    def _among(self, places: tuple[str, ...], name: str) -> Found | None:
        if (found := self._first(places, name)) is not None:
            return found
        for place in places:
            # Installers' own directories are in doubt always; what is there is judged by what they installed.
            doubt = self.files.doubt(posixpath.join(place, name + ".py"))
            if doubt.cause is DoubtCause.BASE and place in LIBRARIES_OF_SYSTEM:
                continue
            if doubt and doubt.cause is not DoubtCause.DISTRIBUTIONS and not place.endswith("-packages"):
                return Found(Meaning.DOUBT, reason=doubt)
        return None

    def _inside(self, directory: str, name: str) -> Found | None:
        path = posixpath.join(directory, name)
        package = self._at(f"{path}/__init__.py")
        if package is not None and package.kind == "file":
            return Found(Meaning.PACKAGE, package.source, path)
        module = self._at(f"{path}.py")
        if module is not None and module.kind == "file":
            return Found(Meaning.MODULE, module.source, f"{path}.py")
        listed = self._listing(directory)
        if any(each.startswith(f"{name}.") and each.endswith((".so", ".pyc")) for each in listed):
            return Found(Meaning.BINARY, path=path)
        if any(f"{name}{suffix}" in listed for suffix in (".pyi", ".pyx", ".c", ".rs", ".cpp")):
            return Found(Meaning.DOUBT, reason=f"{path} has sources that a build may compile")
        entry = self._at(path)
        if entry is not None and entry.kind == "directory":
            return Found(Meaning.NAMESPACE, path=path)
        return None

    def shadowed(self, found: Found) -> str:
        """The source file that a package of the same name keeps from ever being loaded; empty when there is none."""
        if found.kind is not Meaning.PACKAGE:
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
