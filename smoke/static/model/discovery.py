"""What build backends look for in a project's directory, and refuse when they do not find it, or find too much."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from smoke.static.model.described import files_named
from smoke.static.model.stage import Stage
from smoke.static.model.versioned import unversioned

_NOT_FOUND = frozenset(
    [
        *["ci", "bin", "debian", "doc", "docs", "documentation", "manpages", "news", "newsfragments", "changelog"],
        *["test", "tests", "unit_test", "unit_tests", "example", "examples", "scripts", "tools", "util", "utils"],
        *["python", "build", "benchmark", "benchmarks", "exercise", "exercises", "htmlcov", "tasks", "fabfile"],
        *["site_scons", "node_modules", "dist", "venv", "env", "src", "lib"],
    ]
)
"""Directories that setuptools leaves out of a flat layout, and others of which it is not sure that it would not
(setuptools.discovery.FlatLayoutPackageFinder)."""


def undiscovered(stage: Stage, directory: str, told: dict[str, Any]) -> str:
    """Why the backend of a pyproject.toml finds no package to pack in its directory; empty when nothing speaks so."""
    build = told.get("build-system", {})
    backend = build.get("build-backend", "") if build else ""
    if _open(stage, directory) or "backend-path" in build or not told.get("project", {}).get("name"):
        return ""
    if backend == "hatchling.build":
        return _hatch(stage, directory, told)
    if backend == "flit_core.buildapi":
        return _flit(stage, directory, told)
    return _flat(stage, directory, told) if backend == "setuptools.build_meta" else ""


def unbuildable(stage: Stage, directory: str, told: dict[str, Any]) -> str:
    """Why a tool that installs the project in a directory too cannot build it."""
    if not told.get("build-system", {}).get("build-backend"):
        return ""
    for file in files_named(told):
        place = posixpath.normpath(posixpath.join(directory, file))
        if stage.files.find(place) is None and not stage.files.doubt(place):
            return f"the pyproject.toml names {file}, which is not in {directory} at this step"
    return undiscovered(stage, directory, told) or unversioned(stage, directory, told)


def _open(stage: Stage, directory: str) -> bool:
    """Whether more may be in the directory than is known."""
    return bool(stage.files.doubt(f"{directory}/any")) or bool(
        [each for each in stage.files.doubts if posixpath.dirname(each) == directory]
    )


def _parts(told: dict[str, Any], *keys: str) -> dict[str, Any]:
    held: Any = told
    for key in keys:
        held = held.get(key, {}) if isinstance(held, dict) else {}
    return held if isinstance(held, dict) else {}


def _hatch(stage: Stage, directory: str, told: dict[str, Any]) -> str:
    """hatchling takes the directory of the project's name, unless it is told what to take."""
    if _parts(told, "tool", "hatch", "build") or stage.files.find(f"{directory}/hatch.toml") is not None:
        return ""
    given = str(told["project"]["name"])
    name = re.sub(r"[-_.]+", "_", given)
    for each in {name, name.lower()}:
        for place in (f"{each}/__init__.py", f"src/{each}/__init__.py", f"{each}.py"):
            if stage.files.find(f"{directory}/{place}") is not None:
                return ""
        above = [path for path in stage.files.entries if path.endswith(f"/{each}/__init__.py")]
        if any(path.startswith(f"{stage.files.resolve(directory)}/") for path in above):
            return ""  # a namespace package
    return f"hatchling finds no package to put into the wheel: there is no {name.lower()} or src/{name.lower()}"


def _flit(stage: Stage, directory: str, told: dict[str, Any]) -> str:
    """flit takes the one module of the project's name, and version and summary from its text if they are dynamic."""
    given = _parts(told, "tool", "flit", "module").get("name")
    name = str(given or re.sub(r"[-.]+", "_", str(told["project"]["name"]))).replace(".", "/")
    places = [f"{directory}/{above}{name}{end}" for above in ("", "src/") for end in (".py", "/__init__.py", "")]
    found = next((place for place in places if stage.files.find(place) is not None), "")
    if not found:
        return f"flit finds no module {name} in {directory} or its src"
    entry = stage.files.find(found)
    data = stage.content(entry) if entry is not None and entry.kind == "file" else None
    dynamic = told["project"].get("dynamic", [])
    if data is None:
        return ""
    if "version" in dynamic and b"__version__" not in data:
        return f"flit takes the version from {found}, which has no __version__"
    if "description" in dynamic and not re.match(rb"(?:\s|#[^\n]*\n)*[rRuU]?[\"']", data):
        return f"flit takes the description from {found}, which does not begin with a docstring"
    return ""


def _flat(stage: Stage, directory: str, told: dict[str, Any]) -> str:
    """setuptools refuses to choose among several packages of a flat layout."""
    setuptools = _parts(told, "tool", "setuptools")
    files = (f"{directory}/{each}" for each in ("setup.py", "setup.cfg", "src"))
    if {"packages", "py-modules", "package-dir", "ext-modules"} & setuptools.keys() or any(
        map(stage.files.find, files)
    ):
        return ""
    names = [
        name
        for name in stage.files.names(directory)
        if name.isidentifier() and name not in _NOT_FOUND and not name.startswith("_")
        if stage.files.find(f"{directory}/{name}/__init__.py") is not None
    ]
    # Any directory is taken for a package; of one without Python in it that is said only where all its files are known.
    others = [
        name
        for name in stage.files.names(directory)
        if name.isidentifier() and name not in _NOT_FOUND and name not in names and not name.startswith("_")
        if any(path.startswith(f"{directory}/{name}/") for path, _ in stage.files.below(f"{directory}/{name}"))
    ]
    names += others if names else []
    if len(names) < 2:
        return ""
    return f"setuptools finds {len(names)} packages beside each other ({', '.join(names[:3])}) and is not told which"
