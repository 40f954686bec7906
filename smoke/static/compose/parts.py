"""Compose files that make sense only with another one, which has what they lack: where that is."""

from __future__ import annotations

import posixpath
import re

from smoke.static.regex import regex
from smoke.tree import Tree

_MOST_FILES = 300
_SERVICES = regex(r"^services:", re.MULTILINE)


def completed_by(tree: Tree, file: str, services: set[str], builds: list[tuple[str, str]]) -> str:
    """The file that has all services which one depends on without having them, or beside which the contexts and
    Dockerfiles are that it lacks; empty when there is none. The paths of the first file are those of all."""
    for other in _others(tree, file) if services or builds else ():
        text = tree.text(other)
        if services and all(re.search(rf"(?m)^[ \t]+{re.escape(name)}:[ \t]*(?:#.*)?$", text) for name in services):
            return other
        beside = posixpath.dirname(other)
        if services or beside == posixpath.dirname(file):
            continue
        if all(_is_there(tree, beside, *each) for each in builds):
            return other
    return ""


def _others(tree: Tree, file: str) -> list[str]:
    """Other files with services, those of the directories above first."""
    names = [path for path in tree.files() if path.endswith((".yml", ".yaml")) and path != file][:_MOST_FILES]
    found = [path for path in names if _SERVICES.search(tree.text(path))]
    return sorted(found, key=lambda path: not _is_above(posixpath.dirname(path), file))


def _is_above(directory: str, file: str) -> bool:
    return not directory or file.startswith(f"{directory}/")


def _is_there(tree: Tree, directory: str, context: str, dockerfile: str) -> bool:
    place = posixpath.normpath(posixpath.join(directory, context))
    return not place.startswith("..") and tree.is_file(posixpath.normpath(posixpath.join(place, dockerfile)))
