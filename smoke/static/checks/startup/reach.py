"""`startup.reach`: the user can enter the directories that the code is loaded from."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity
from smoke.static.checks.startup.access import is_closed
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.image import Image
from smoke.static.python.program import LoadedProgram

REACH = Check(
    "startup.reach",
    Severity.CRITICAL,
    "the user can enter the directories that the code is loaded from",
    "Python ends with a PermissionError, or finds no module at all.",
    "Install to a directory that everyone may enter, such as /opt, and not below /root.",
)


def judge_reach(program: LoadedProgram) -> Iterator[Finding]:
    image = program.image
    name, start = image.service.name, image.start
    if image.uid is None:
        yield REACH.skip(f"the number of the user {image.user or '(none)'} is not known", name)
        return
    needed = [each.install.directory for each in program.installed.each if each.install.visible is not False]
    needed += [path for path in (start.script, start.program, *program.graph.places.values()) if path]
    closed = {wall: path for path in needed if path and (wall := _wall(image, path))}
    for wall, path in closed.items():
        line = next((each.line for each in image.installs if each.directory == path), start.line)
        message = f"{path} cannot be reached by the user {image.user}: {wall} is closed to all but its owner"
        yield REACH.fail(message, name, [Evidence(image.dockerfile, line)])
    if not closed:
        yield REACH.passed(f"the user {image.user or '0'} can enter every directory that is loaded from", name)


def _wall(image: Image, path: str) -> str:
    """The topmost directory above a path that the user may not enter; empty when there is none."""
    if image.uid == 0:
        return ""
    parts = posixpath.dirname(path).strip("/").split("/")
    for count in range(1, len(parts) + 1):
        above = "/" + "/".join(parts[:count])
        entry = image.files.entries.get(above)
        if entry is not None and entry.kind == "link":
            return ""
        if above == "/root" and (entry is None or entry.mode is None):
            entry = PathEntry("directory", user=0, mode=0o700)
        if any(
            above == each or above.startswith(f"{each}/")
            for each in (*image.start.search, image.workdir)
            if each != "/"
        ):
            return ""  # dockerfile.user tells of what is below the directories that are searched
        if entry is not None and is_closed(image, entry, 0o1):
            return above
    return ""
