"""Metadata of the tree's own projects, whose version code asks for as it is loaded."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from smoke.static.checks.dependencies.absence import Absence
from smoke.static.checks.loaded import runs
from smoke.static.python.distributions import normalized
from smoke.static.python.program import LoadedProgram
from smoke.static.python.projects import read_project


def lacking_metadata(program: LoadedProgram) -> Iterator[Absence]:
    """Projects of the tree whose version is asked for, although nothing installs them."""
    installed = program.installed
    names = {name for each in installed.each for name in each.asked}
    if installed.doubts or program.image.base is None or program.graph.doubts:
        return
    for path, source in program.graph.modules.items():
        for each in source.effects.distributions:
            name = normalized(each.name)
            if not runs(program, source, each.main) or name in names or not _of_tree(program, path, name):
                continue
            if any(_is_metadata(place, name) for place in program.image.files.entries):
                continue
            message = f"{each.by} asks for {each.name}, a project of the tree that this image does not install"
            yield Absence(path, each.line, message, "Install the project itself, or take the version from elsewhere.")


def _of_tree(program: LoadedProgram, path: str, name: str) -> bool:
    """Whether a project above a module has that name."""
    directory = posixpath.dirname(path)
    while True:
        project = read_project(program.installed.tree, directory)
        if project is not None and normalized(project.name) == name:
            return True
        if not directory:
            return False
        directory = posixpath.dirname(directory)


def _is_metadata(place: str, name: str) -> bool:
    directory = posixpath.basename(place)
    if not directory.endswith((".dist-info", ".egg-info")):
        return False
    return normalized(directory.rpartition(".")[0].partition("-")[0]) == name
