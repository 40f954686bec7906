"""Versions that a build backend takes from Git, where a build has no repository to take them from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from smoke.static.model.stage import Stage
from smoke.static.regex import regex

REPOSITORY = "repository"
"""The setting of a stage that says that it may have the tree's `.git`."""
_TOOLS = regex(r"(?:setuptools[-_]scm|hatch[-_]vcs)(?![\w-])", re.IGNORECASE)


def brings_repository(words: Sequence[str]) -> bool:
    """Whether what is copied from a context may have its `.git` in it."""
    return any(re.fullmatch(r"(?:\./|/)*(?:\.git/?|\.|\*|\.\*|)", word) or ".git" in word for word in words)


def unversioned(stage: Stage, directory: str, told: dict[str, Any]) -> str:
    """Why the backend of a pyproject.toml finds no version; empty when it may."""
    return _not_in_file(stage, directory, told) or _not_in_repository(stage, directory, told)


def _not_in_file(stage: Stage, directory: str, told: dict[str, Any]) -> str:
    """A file that has to hold the version, and does not."""
    tool = told.get("tool", {}) if "version" in told.get("project", {}).get("dynamic", []) else {}
    backend = told.get("build-system", {}).get("build-backend", "")
    hatch, pdm = tool.get("hatch", {}).get("version", {}), tool.get("pdm", {}).get("version", {})
    attribute = tool.get("setuptools", {}).get("dynamic", {}).get("version", {})
    if backend == "hatchling.build" and {*hatch} == {"path"}:
        path, wanted = hatch["path"], r"(?im)^(?:__version__|VERSION)(?: ?: ?str)? *= *['\"]"
    elif backend == "pdm.backend" and pdm.get("source") == "file":
        path, wanted = pdm.get("path"), r"(?m)^__version__\s*=\s*['\"]"
    elif backend == "setuptools.build_meta" and isinstance(attribute, dict) and "." in str(attribute.get("attr", "")):
        module, _, name = attribute["attr"].rpartition(".")
        path, wanted = _module(stage, directory, module), rf"\b{re.escape(name)}\b|import \*|__getattr__"
    else:
        return ""
    entry = stage.files.find(f"{directory}/{path}") if isinstance(path, str) and path else None
    data = stage.content(entry) if entry is not None else None
    if data is None or re.search(wanted, data.decode("utf-8", "replace")):
        return ""
    return f"the pyproject.toml takes the version from {path}, which has none"


def _module(stage: Stage, directory: str, name: str) -> str:
    """The file of a module of the project; empty when it is in none of the usual places."""
    stem = name.replace(".", "/")
    places = [f"{above}{stem}{end}" for above in ("", "src/") for end in (".py", "/__init__.py")]
    return next((each for each in places if stage.files.find(f"{directory}/{each}") is not None), "")


def _not_in_repository(stage: Stage, directory: str, told: dict[str, Any]) -> str:
    """A version that is Git's, where there is no repository."""
    requires = told.get("build-system", {}).get("requires", [])
    tool, project = told.get("tool", {}), told.get("project", {})
    name = next((match[0] for each in requires if (match := _TOOLS.match(each))), "")
    if not name or "version" not in project.get("dynamic", []):
        return ""
    settings = (
        tool.get("hatch", {}).get("version", {}) if name.lower().startswith("hatch") else tool.get("setuptools_scm")
    )
    if settings is None or (name.lower().startswith("hatch") and settings.get("source") != "vcs"):
        return ""
    if any(key.startswith("fallback") for key in (*settings, *settings.get("raw-options", {}))):
        return ""
    given = any("PRETEND_VERSION" in each for each in stage.environment)
    held = any(stage.files.find(f"{directory}/{each}") for each in ("PKG-INFO", ".git_archival.txt", ".git"))
    if given or held or REPOSITORY in stage.settings or stage.files.doubt(f"{directory}/.git"):
        return ""
    return f"{name} takes the version from Git, and there is no .git at this step"
