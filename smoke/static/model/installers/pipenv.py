"""`pipenv install`."""

from __future__ import annotations

import posixpath

from smoke.static.model.install import Lock
from smoke.static.model.installers.places import kept_apart
from smoke.static.model.installers.record import doubtful_file, record
from smoke.static.model.installers.venvs import make_venv, venv_site
from smoke.static.model.installers.wanted import InstallRequest, made_for, read_flags, tree_file
from smoke.static.model.stage import Stage


def pipenv(stage: Stage, rest: list[str], line: int, given: dict[str, str]) -> None:
    flags, _, operands = read_flags(rest, frozenset(["--python", "--categories", "--pypi-mirror", "--extra-pip-args"]))
    if operands[:1] == ["requirements"]:
        doubtful_file(stage, rest, line)
        return
    if operands[:1] not in (["install"], ["sync"]):
        return
    wanted = InstallRequest(made=made_for(stage))
    wanted.given = operands[1:]
    active = stage.venvs.get(given.get("VIRTUAL_ENV", ""))
    if "--system" in flags or given.get("PIPENV_SYSTEM"):
        wanted.directory = venv_site(active) if active else stage.sites[0] if stage.sites else ""
    elif active is not None:
        wanted.directory = venv_site(active)
    elif given.get("PIPENV_VENV_IN_PROJECT", "").lower() in ("1", "true"):
        place = stage.path(".venv")
        wanted.directory = venv_site(stage.venvs.get(place) or make_venv(stage, place, line))
    else:
        kept_apart(stage, wanted, "virtualenvs")
    path = tree_file(stage, stage.path("Pipfile.lock")) or tree_file(stage, stage.path("Pipfile"))
    if not path:
        wanted.doubt = wanted.doubt or f"what pipenv installs in line {line} is not known"
    development = bool(flags & {"--dev", "-d"})
    record(stage, wanted, line, lock=Lock("pipenv", path, posixpath.dirname(path), development=development))
