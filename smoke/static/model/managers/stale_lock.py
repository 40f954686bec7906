"""Lock files that no longer say what their project asks for, which uv, Poetry and Pipenv refuse."""

from __future__ import annotations

import json
import posixpath
import re
import tomllib
from typing import Any

from smoke.static.model.stage import Stage

_ELSEWHERE = ("--project", "--directory", "-C", "-P", "--script", "--package")


def stale_refusal(stage: Stage, name: str, rest: list[str]) -> str:
    """Why an installer refuses the lock file beside its project; empty when nothing speaks against it."""
    action = next((word for word in rest if not word.startswith("-")), "")
    if any(word.partition("=")[0] in _ELSEWHERE for word in rest):
        return ""
    lost, shown = "", action
    if name == "uv" and action in ("sync", "run", "export"):
        told = "--locked" in rest or stage.environment.get("UV_LOCKED", "").lower() in ("1", "true")
        lost, shown = _not_in_uv(stage) if told else "", f"{action} --locked"
    elif name == "poetry" and action in ("install", "sync"):
        lost = _not_in_poetry(stage)
    elif name == "pipenv" and action == "install" and "--deploy" in rest:
        lost, shown = _not_in_pipfile(stage), f"{action} --deploy"
    return f"{name} {shown}: {lost}" if lost else ""


def _not_in_uv(stage: Stage) -> str:
    """What the project asks for and its lock did not ask for, or the other way round."""
    project, lock = _table(stage, "pyproject.toml").get("project", {}), _table(stage, "uv.lock")
    own = [each for each in lock.get("package", []) if _source(each) in (".", "")]
    name = _plain(str(project.get("name", "")))
    told: dict[str, Any] = next((each for each in own if _plain(str(each.get("name", ""))) == name), {})
    if not told or "dependencies" in project.get("dynamic", []):
        return ""
    asked = {_name(each) for each in project.get("dependencies", [])}
    if "metadata" not in told and told.get("dependencies"):
        return ""  # of a uv that did not write it
    rows = told.get("metadata", {}).get("requires-dist", [])
    held = {_plain(str(each["name"])) for each in rows if "extra ==" not in str(each.get("marker", ""))}
    return _difference(asked, held, "uv.lock", "pyproject.toml")


def _source(package: dict[str, Any]) -> str | None:
    """Where a project of the tree stands that the lock has among its packages; none for what is fetched."""
    source = package.get("source", {})
    return next((str(source[each]) for each in ("editable", "virtual", "directory") if each in source), None)


def _not_in_poetry(stage: Stage) -> str:
    told, lock = _table(stage, "pyproject.toml"), _table(stage, "poetry.lock")
    poetry = told.get("tool", {}).get("poetry", {})
    if "package" not in lock or not isinstance(poetry, dict):
        return ""
    tables = [poetry.get("dependencies", {}), poetry.get("dev-dependencies", {})]
    tables += [each.get("dependencies", {}) for each in poetry.get("group", {}).values() if isinstance(each, dict)]
    project = told.get("project", {})
    listed = project.get("dependencies", []) if "dependencies" not in project.get("dynamic", []) else []
    asked = {_plain(each) for table in tables for each in table if each != "python"} | {_name(each) for each in listed}
    held = {_plain(str(each.get("name", ""))) for each in lock["package"]}
    return _difference(asked, asked & held, "poetry.lock", "pyproject.toml")


def _not_in_pipfile(stage: Stage) -> str:
    told, text = _table(stage, "Pipfile"), _text(stage, "Pipfile.lock")
    try:
        lock = json.loads(text) if text else {}
    except ValueError:
        return ""
    for section, locked in (("packages", "default"), ("dev-packages", "develop")):
        if isinstance(lock, dict) and isinstance(lock.get(locked), dict):
            asked = {_plain(each) for each in told.get(section, {})}
            held = {_plain(each) for each in lock[locked]}
            if lost := _difference(asked, asked & held, "Pipfile.lock", "Pipfile"):
                return lost
    return ""


def _difference(asked: set[str], held: set[str], lock: str, project: str) -> str:
    """The first name that only one of the two files has, as a clause."""
    if more := sorted(asked - held):
        return f"{lock} is older than {project}, and does not have {more[0]}"
    if less := sorted(held - asked):
        return f"{lock} is older than {project}, which no longer asks for {less[0]}"
    return ""


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _name(requirement: object) -> str:
    return _plain(re.split(r"[^\w.-]", str(requirement).strip(), maxsplit=1)[0])


def _table(stage: Stage, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(stage, name))
    except ValueError:
        return {}


def _text(stage: Stage, name: str) -> str:
    """What a file of the tree holds in the working directory; empty when that is not known."""
    entry = stage.files.find(posixpath.join(stage.workdir, name))
    if entry is None or not entry.source or stage.read is None:
        return ""
    return stage.read(entry.source).decode("utf-8", "replace")
