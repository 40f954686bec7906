"""A stage of an image with a project in it, for tests of what installs one."""

from __future__ import annotations

from smoke.static.model.filesystem import FileSystem, PathEntry
from smoke.static.model.stage import Stage

SITE = "/usr/local/lib/python3.12/site-packages"


def stage_with(*names: str) -> Stage:
    """Files of these names in /app, and a Python."""
    files = FileSystem()
    files.add("/app", PathEntry("directory", ".", line=1))
    for name in names:
        files.add(f"/app/{name}", PathEntry("file", name, line=1))
    files.add("/usr/local/bin/python3.12", PathEntry("file", mode=0o755))
    environment = {"PATH": "/usr/local/bin"}
    return Stage(files, workdir="/app", environment=environment, python="3.12", sites=(SITE,))
