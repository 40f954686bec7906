"""`uv sync`, `uv venv` and their kin."""

from __future__ import annotations

import posixpath
import re

from msgspec.structs import replace

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.install import InstalledProject, Lock
from smoke.static.model.installers.pip import pip
from smoke.static.model.installers.record import doubtful, record
from smoke.static.model.installers.venvs import make_venv, search_doubt, venv_site
from smoke.static.model.installers.wanted import (
    InstallRequest,
    made_for,
    read_flags,
    split_values,
    tree_directory,
    tree_file,
)
from smoke.static.model.stage import Stage
from smoke.static.model.venv import Venv

_UV_VALUES = frozenset(
    [
        "--extra",
        "--group",
        "--no-group",
        "--only-group",
        "--package",
        "--python",
        "--python-preference",
        "-p",
        "--project",
        "--directory",
        "--no-install-package",
        "--link-mode",
        "--index-url",
        "--index",
        "--cache-dir",
        "--default-index",
        "--extra-index-url",
        "--config-setting",
        "-C",
        "--python-platform",
        "--exclude-newer",
        "--resolution",
        "--index-strategy",
        "--keyring-provider",
        "--config-file",
        "--refresh-package",
        "--upgrade-package",
        "-P",
        "--prompt",
        "--color",
    ]
)


def uv(stage: Stage, rest: list[str], line: int, given: dict[str, str]) -> None:
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in _UV_VALUES else rest[1:]
    action = rest[0] if rest else ""
    if action == "pip":
        pip(stage, rest[1:], line, "", given, uv=True)
    elif action == "venv":
        _uv_venv(stage, rest[1:], line, given)
    elif action == "sync":
        _uv_sync(stage, rest[1:], line, given)
    elif action == "run":
        stage.files.suspect(stage.path("."), f"uv ran something in line {line}", DoubtCause.COMMAND)
    elif action in ("add", "tool"):
        doubtful(stage, f"uv {action}", line)


def _uv_venv(stage: Stage, rest: list[str], line: int, given: dict[str, str]) -> None:
    flags, values, operands = read_flags(rest, _UV_VALUES)
    given = _preferring(given, flags, values)
    path = stage.path(operands[0] if operands else given.get("UV_PROJECT_ENVIRONMENT", ".venv"))
    python = (values.get("--python") or values.get("-p") or [given.get("UV_PYTHON", "")])[0]
    seeded = "--seed" in flags or given.get("UV_VENV_SEED", "").lower() in ("1", "true")
    _uv_make(stage, path, python, line, given, seeded=seeded)


def _preferring(given: dict[str, str], flags: set[str], values: dict[str, list[str]]) -> dict[str, str]:
    """The variables, with what options say of the Pythons that uv may take."""
    only = "--managed-python" in flags or values.get("--python-preference") == ["only-managed"]
    return {**given, "UV_MANAGED_PYTHON": "1"} if only else given


def _uv_make(stage: Stage, path: str, wanted: str, line: int, given: dict[str, str], *, seeded: bool = False) -> Venv:
    """The environment that uv makes: with the Python that is there, or with one that it fetches; without pip."""
    version = re.search(r"3\.\d+", wanted)
    fetch = given.get("UV_PYTHON_DOWNLOADS", "").lower() not in ("never", "0", "false", "manual")
    only = given.get("UV_PYTHON_PREFERENCE", "") == "only-managed" or given.get("UV_MANAGED_PYTHON", "") in (
        "1",
        "true",
    )
    other = version is not None and bool(stage.python) and version[0] != stage.python
    missing = not stage.python and not search_doubt(stage, "python3")
    managed = fetch and (only or other or missing) and not wanted.startswith("/")
    program = f"python{version[0]}" if version and not wanted.startswith("/") else wanted
    return make_venv(stage, path, line, program, False, managed, seeded=seeded)


def _uv_sync(stage: Stage, rest: list[str], line: int, given: dict[str, str]) -> None:
    flags, values, _ = read_flags(rest, _UV_VALUES)
    given = _preferring(given, flags, values)
    base = stage.path((values.get("--project") or values.get("--directory") or ["."])[0])
    project = tree_directory(stage, base)
    active = given.get("VIRTUAL_ENV", "") if "--active" in flags else ""
    place = stage.path(posixpath.join(base, given.get("UV_PROJECT_ENVIRONMENT") or active or ".venv"))
    wanted = InstallRequest(made=made_for(stage))
    wanted.directory = stage.sites[0] if stage.sites and place in ("/usr/local", "/usr") else ""
    if not wanted.directory:
        python = (values.get("--python") or values.get("-p") or [given.get("UV_PYTHON", "")])[0]
        pin = stage.files.find(f"{base}/.python-version")
        venv = stage.venvs.get(place)
        if venv is None:
            venv = _uv_make(
                stage, place, python or stage.pins.get(pin.source if pin is not None else "", ""), line, given
            )
        wanted.directory = venv_site(venv)
        wanted.made = replace(wanted.made, python=venv.version or wanted.made.python)
    if project is None:
        wanted.doubt = f"what uv syncs in line {line} is not known: no pyproject.toml of the tree is there"
    lock = Lock(
        "uv",
        tree_file(stage, f"{base}/uv.lock"),
        project or "",
        extras=split_values(values.get("--extra", [])),
        every_extra="--all-extras" in flags,
        groups=split_values([*values.get("--group", []), *values.get("--only-group", [])]),
        without=split_values(values.get("--no-group", [])),
        development=not flags & {"--no-dev", "--no-default-groups"}
        and not given.get("UV_NO_DEV")
        and "--only-group" not in values,
        every_group="--all-groups" in flags,
        main="--only-group" not in values and "--only-dev" not in flags,
        package=(values.get("--package") or [""])[0],
        every_package="--all-packages" in flags,
    )
    own = project is not None and not flags & {"--no-install-project", "--no-install-workspace", "--no-install-local"}
    if own and lock.main and not lock.package:
        editable = "--no-editable" not in flags and given.get("UV_NO_EDITABLE", "").lower() not in ("1", "true")
        wanted.projects.append(InstalledProject(project or "", base, (), editable, optional=True))
    record(stage, wanted, line, lock=lock)
