"""`layout.*`: the directories that services are made of are there and hold code."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity
from smoke.static.scope import Scope

DIRECTORIES = Check(
    "layout.directories",
    Severity.CRITICAL,
    "each service's directories exist and hold code",
    "The image is built without the service in it, and ends at once.",
    "Write the service, or correct the directory in the manifest.",
)
EMPTY = Check(
    "layout.empty",
    Severity.CRITICAL,
    "nothing that a Dockerfile copies is empty",
    "An empty directory is copied without a word, and what it should have held is missed at the start.",
    "Put the code there, or take the COPY out.",
)
CHECKS = (DIRECTORIES, EMPTY)


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    for image in scope.images:
        yield from _directories(scope, image.service.name, image.service.directories)
    for image in scope.images:
        name = image.service.name
        if image.broken:
            yield EMPTY.skip(f"the Dockerfile cannot be followed: {image.broken}", name)
            continue
        copied = image.files.bare | {
            entry.source: entry.line
            for entry in image.files.entries.values()
            if entry.kind == "directory" and entry.source
        }
        empty = [path for path in sorted(copied) if not _holds_files(scope, path)]
        for path in empty:
            at = [Evidence(path), Evidence(image.dockerfile, copied[path])]
            yield EMPTY.fail(f"{path} is copied into the image and holds nothing", name, at)
        if not empty:
            yield EMPTY.passed(f"{len(copied)} copied directories hold files", name)


def _directories(scope: Scope, name: str, directories: tuple[str, ...]) -> Iterator[Finding]:
    if not directories:
        yield DIRECTORIES.skip("the manifest names no directories of it", name)
    for directory in directories:
        path = directory.strip("/").removeprefix("./")
        at = [Evidence(path)]
        if not scope.tree.is_directory(path):
            yield DIRECTORIES.fail(f"there is no directory {path}", name, at)
        elif not _holds_code(scope, path):
            yield DIRECTORIES.fail(f"{path} holds no code", name, at)
        else:
            yield DIRECTORIES.passed(f"{path} holds code", name, at)


def _holds_code(scope: Scope, directory: str) -> bool:
    return any(path.endswith(".py") and scope.tree.data(path).strip() for path in scope.tree.files(directory))


def _holds_files(scope: Scope, directory: str) -> bool:
    return next(scope.tree.files(directory), None) is not None
