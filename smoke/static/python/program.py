"""What one image runs: its importer, the graph of its imports and what is installed, worked out once."""

from __future__ import annotations

from msgspec import Struct, field

from smoke.static.model.image import Image
from smoke.static.python.conditions import Version
from smoke.static.python.graph import Graph
from smoke.static.python.importer import Importer, version_of
from smoke.static.python.installed import Installed
from smoke.static.python.source import Source
from smoke.static.python.syntax import Syntax
from smoke.static.python.walk import import_graph
from smoke.tree import Tree


class LoadedProgram(Struct, frozen=True):
    """One image's Python."""

    image: Image
    importer: Importer
    graph: Graph
    installed: Installed


class Programs(Struct):
    """The programs of a tree's images; several checks ask for the same ones."""

    tree: Tree
    _made: dict[int, tuple[Image, LoadedProgram]] = field(default_factory=dict)
    _syntax: Syntax | None = None
    _sources: dict[tuple[str, Version | None], Source] = field(default_factory=dict)

    def of(self, image: Image) -> LoadedProgram:
        """The program of an image."""
        held = self._made.get(id(image))
        if held is not None and held[0] is image:
            return held[1]
        if self._syntax is None:
            self._syntax = Syntax(self.tree)
        importer = Importer(self.tree, image, self._syntax, self._sources)
        installed = Installed(self.tree, image.installs, version_of(image), image.dockerfile)
        made = LoadedProgram(image, importer, import_graph(importer), installed)
        self._made[id(image)] = image, made
        return made
