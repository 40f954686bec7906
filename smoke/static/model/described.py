"""Files that a pyproject.toml names, without which its project cannot be built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_STRICT = ("hatchling.build", "flit_core.buildapi", "poetry.core.masonry.api", "pdm.backend")


def files_named(told: dict[str, Any]) -> Iterator[str]:
    """The readme and license of the project, and where hatchling reads its version; of backends that insist."""
    backend = told.get("build-system", {}).get("build-backend", "")
    if backend not in _STRICT:
        return
    project = told.get("project", {})
    for key in ("readme", "license"):
        value = project.get(key)
        file = value.get("file") if isinstance(value, dict) else value if key == "readme" else None
        if isinstance(file, str) and file and not set(file) & set("*?[$"):
            yield file
    path = told.get("tool", {}).get("hatch", {}).get("version", {}).get("path")
    if backend == "hatchling.build" and isinstance(path, str) and "version" in project.get("dynamic", ()):
        yield path
    own = told.get("tool", {}).get("pdm", {}).get("version", {})
    if backend == "pdm.backend" and own.get("source") == "file" and isinstance(own.get("path"), str):
        yield own["path"]
