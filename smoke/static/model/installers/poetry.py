"""`poetry install`."""

from __future__ import annotations

import posixpath

from smoke.static.model.install import InstalledProject, Lock
from smoke.static.model.installers.places import kept_apart
from smoke.static.model.installers.record import doubtful_file, record
from smoke.static.model.installers.venvs import make_venv, venv_of, venv_site
from smoke.static.model.installers.wanted import (
    InstallRequest,
    made_for,
    read_flags,
    split_values,
    tree_directory,
    tree_file,
)
from smoke.static.model.stage import Stage

_POETRY_VALUES = frozenset(["--only", "--with", "--without", "--extras", "-E", "-C", "--directory", "-P", "--project"])


def poetry(stage: Stage, rest: list[str], line: int, given: dict[str, str]) -> None:
    flags, values, operands = read_flags(rest, _POETRY_VALUES)
    if operands[:1] == ["config"] and len(operands) >= 3:
        stage.settings[f"poetry.{operands[1]}"] = operands[2]
        return
    if operands[:1] == ["export"]:
        doubtful_file(stage, rest, line)
        return
    if operands[:1] == ["self"]:
        stage.settings["poetry.self"] = " ".join(operands[1:])
    if operands[:1] not in (["install"], ["sync"]):
        return
    base = stage.path(
        (values.get("--directory") or values.get("-C") or values.get("--project") or values.get("-P") or ["."])[0]
    )
    project = tree_directory(stage, base)
    wanted = InstallRequest(made=made_for(stage))
    _settle(stage, wanted, base, line, given)
    if project is None:
        wanted.doubt = wanted.doubt or f"what poetry installs in line {line} is not known"
    only = split_values(values.get("--only", []))
    extras = split_values([*values.get("--extras", []), *values.get("-E", [])])
    lock = Lock(
        "poetry",
        tree_file(stage, f"{base}/poetry.lock"),
        project or "",
        extras=extras,
        every_extra="--all-extras" in flags,
        groups=split_values([*values.get("--with", []), *(each for each in only if each not in ("main", "default"))]),
        without=split_values(values.get("--without", [])),
        development=not only and "--no-dev" not in flags,
        main=not only or bool({"main", "default"} & {*only}),
    )
    if ("--no-root" not in flags and "--no-directory" not in flags and project is not None and not only) or (
        "--no-root" not in flags and project is not None and lock.main
    ):
        wanted.projects.append(InstalledProject(project, base, (), True, optional=True))
    record(stage, wanted, line, lock=lock)


def _settle(stage: Stage, wanted: InstallRequest, base: str, line: int, given: dict[str, str]) -> None:
    """Where Poetry installs to: the active environment, the system's Python, or one of its own."""
    active = stage.venvs.get(given.get("VIRTUAL_ENV", "")) or venv_of(stage, "python")
    if active is not None:
        wanted.directory = venv_site(active)
    elif _setting(stage, given, "virtualenvs.create", "true") == "false":
        wanted.directory = stage.sites[0] if stage.sites else ""
    elif _setting(stage, given, "virtualenvs.in-project", "") == "true":
        place = posixpath.join(base, ".venv")
        wanted.directory = venv_site(stage.venvs.get(place) or make_venv(stage, place, line))
    else:
        kept_apart(stage, wanted, "pypoetry/virtualenvs")


def _setting(stage: Stage, given: dict[str, str], name: str, default: str) -> str:
    variable = "POETRY_" + name.upper().replace(".", "_").replace("-", "_")
    text = given.get(variable) or stage.settings.get(f"poetry.{name}") or default
    return {"1": "true", "0": "false", "yes": "true", "no": "false"}.get(text.lower(), text.lower())
