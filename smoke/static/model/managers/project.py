"""Why a directory cannot be installed as a project at a step."""

from __future__ import annotations

import posixpath
import tomllib

from smoke.static.model.described import files_named
from smoke.static.model.discovery import undiscovered
from smoke.static.model.managers.requirement import is_absent
from smoke.static.model.stage import Stage
from smoke.static.model.versioned import unversioned


def project_refusal(stage: Stage, operand: str) -> str:  # noqa: PLR0911 - a case a reason
    """Why a directory cannot be installed: it describes no project, or one for another Python."""
    path = stage.path(operand.partition("[")[0])
    if "$" in path or "://" in operand or "+" in operand:
        return ""
    markers = [f"{path}/{name}" for name in ("pyproject.toml", "setup.py", "setup.cfg")]
    if all(is_absent(stage, each) for each in markers):
        return f"{path} has neither a pyproject.toml nor a setup.py at this step"
    entry = stage.files.find(markers[0])
    if entry is None or not entry.source or stage.read is None or not stage.python:
        return ""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - it takes its time to load

    try:
        told = tomllib.loads(stage.read(entry.source).decode())
        project = told.get("project", {})
        lacking = [each for each in files_named(told) if is_absent(stage, posixpath.join(path, each))]
        wanted = SpecifierSet(project.get("requires-python", ""))
    except (ValueError, InvalidSpecifier, AttributeError, TypeError):
        return ""
    if lacking:
        return f"the pyproject.toml names {lacking[0]}, which is not in {path} at this step"
    if clause := undiscovered(stage, path, told) or unversioned(stage, path, told):
        return clause
    # Any release of the minor version may be the one.
    if any(wanted.contains(f"{stage.python}.{patch}", prereleases=True) for patch in (0, 1, 5, 9, 20)):
        return ""
    return f"the project asks for Python {wanted}, and this stage has {stage.python}"
