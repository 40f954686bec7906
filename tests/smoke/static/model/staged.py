"""A stage as it begins on a known base, and what a script makes of it."""

from __future__ import annotations

from smoke.static.dockerfile.variables import Variables
from smoke.static.model.bases.catalog import find_base
from smoke.static.model.building import Made
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.script import run
from smoke.static.model.stage import Stage


def stage(reference: str = "python:3.12-slim", files: dict[str, str] | None = None) -> Stage:
    """A stage on a base; `files` of the tree lie in its root directory."""
    base = find_base(reference, ())
    assert base is not None
    made = Made(base, reference, Variables()).state
    held = files or {}
    made.read = lambda path: held.get(path, "").encode()
    for name in held:
        made.files.add(f"/{name}", PathEntry("file", name, line=1))
    return made


def followed(script: str, **values: str) -> Stage:
    """A stage on Python's slim image after a script."""
    made = stage()
    run(made, script, 7, values)
    return made
