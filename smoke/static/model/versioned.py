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
