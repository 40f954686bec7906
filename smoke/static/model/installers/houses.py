"""Wheels of the tree's own projects that an earlier command put into a directory of `--find-links`."""

from __future__ import annotations

import configparser
import posixpath
import tomllib

from msgspec.structs import replace

from smoke.static.model.install import InstalledProject
from smoke.static.model.installers.wanted import InstallRequest
from smoke.static.model.stage import Stage
from smoke.static.python.distributions import normalized


def take_own(stage: Stage, wanted: InstallRequest) -> None:
    """Replace what is asked for by name with the project of that name whose wheel is at hand."""
    kept = [
        project
        for install in stage.installs
        if install.house and install.directory in wanted.sources
        for project in install.projects
        if not project.alone
    ]
    names = {name: project for project in kept if (name := _name(stage, project))}
    for text in list(wanted.given):
        plain, _, extras = text.partition("[")
        project = names.get(normalized(plain))
        if project is not None:
            wanted.given.remove(text)
            more = tuple(each.strip() for each in extras.rstrip("]").split(",") if each.strip())
            wanted.projects.append(replace(project, editable=False, extras=more))


def _name(stage: Stage, project: InstalledProject) -> str:
    """The name of its distribution; empty when its own files do not say it plainly."""
    if stage.read is None:
        return ""
    try:
        text = stage.read(posixpath.join(project.directory, "pyproject.toml")).decode()
        told = tomllib.loads(text)
        name = told.get("project", {}).get("name") or told.get("tool", {}).get("poetry", {}).get("name")
        if not name:
            config = configparser.ConfigParser(interpolation=None, strict=False)
            config.read_string(stage.read(posixpath.join(project.directory, "setup.cfg")).decode())
            name = config.get("metadata", "name", fallback="")
    except (ValueError, configparser.Error, AttributeError, OSError):
        return ""
    return normalized(str(name)) if name else ""
