"""`pdm install`."""

from __future__ import annotations

from smoke.static.model.install import InstalledProject, Lock
from smoke.static.model.installers.record import doubtful_file, record
from smoke.static.model.installers.venvs import make_venv, venv_site
from smoke.static.model.installers.wanted import (
    InstallRequest,
    made_for,
    read_flags,
    split_values,
    tree_directory,
    tree_file,
)
from smoke.static.model.stage import Stage


def pdm(stage: Stage, rest: list[str], line: int, given: dict[str, str]) -> None:
    flags, values, operands = read_flags(
        rest, frozenset(["-G", "--group", "-p", "--project", "--without", "-L", "--lockfile"])
    )
    if operands[:1] == ["export"]:
        doubtful_file(stage, rest, line)
        return
    if operands[:1] not in (["install"], ["sync"]):
        return
    wanted = InstallRequest(made=made_for(stage))
    project = tree_directory(stage, stage.path("."))
    path = tree_file(stage, stage.path("pdm.lock"))
    if flags & {"-g", "--global"}:
        wanted.directory = stage.sites[0] if stage.sites else ""
    elif "pdm.python.use_venv" in stage.settings or given.get("PDM_USE_VENV", "").lower() in ("0", "false"):
        wanted.doubt = "pdm keeps the distributions in __pypackages__"
    else:
        place = stage.path(".venv")
        wanted.directory = venv_site(stage.venvs.get(place) or make_venv(stage, place, line))
    if project is None:
        wanted.doubt = wanted.doubt or f"what pdm installs in line {line} is not known"
    lock = Lock(
        "pdm",
        path,
        project or "",
        groups=split_values([*values.get("-G", []), *values.get("--group", [])]),
        development=not flags & {"--prod", "--production", "--no-dev"},
        without=split_values(values.get("--without", [])),
    )
    if not flags & {"--no-self"} and project is not None:
        wanted.projects.append(
            InstalledProject(project, stage.path("."), (), "--no-editable" not in flags, optional=True)
        )
    record(stage, wanted, line, lock=lock)
