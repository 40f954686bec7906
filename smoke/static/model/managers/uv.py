"""What uv refuses: no environment, no project, no Python that the project takes, odd options."""

from __future__ import annotations

import itertools
import posixpath
import re
import tomllib

from smoke.static.model.discovery import unbuildable
from smoke.static.model.managers.pyproject import project_of, values_of
from smoke.static.model.stage import Stage
from smoke.static.python.distributions import normalized


def uv_refusal(stage: Stage, rest: list[str]) -> str:
    """Why uv surely refuses; empty when nothing speaks against it."""
    if rest[:1] == ["pip"]:
        return _uv_pip(stage, rest[1:])
    return _uv_python(stage, rest) or _uv_unknown(stage, rest) or _uv_project(stage, rest)


def _uv_project(stage: Stage, rest: list[str]) -> str:
    """`uv sync` of a project that is a package, which its backend cannot build here."""
    told = project_of(stage, rest) if rest[:1] == ["sync"] else {}
    kept = ("--no-install-project", "--no-install-workspace", "--only-group", "--only-dev", "--no-install-local")
    is_package = told.get("tool", {}).get("uv", {}).get("package", True) and "workspace" not in told.get(
        "tool", {}
    ).get("uv", {})
    if (
        not is_package
        or any(word.partition("=")[0] in kept for word in rest)
        or "UV_NO_INSTALL_PROJECT" in stage.environment
    ):
        return ""
    clause = unbuildable(stage, stage.workdir, told)
    return f"uv sync: {clause}" if clause else ""


def _uv_unknown(stage: Stage, rest: list[str]) -> str:
    """Extras and groups of `uv sync` that the project does not have."""
    told = project_of(stage, rest) if rest[:1] == ["sync"] else {}
    if not told:
        return ""
    extras = {normalized(each) for each in told.get("project", {}).get("optional-dependencies", {})}
    groups = {normalized(each) for each in told.get("dependency-groups", {})}
    groups |= {"dev"} if "dev-dependencies" in told.get("tool", {}).get("uv", {}) else set()
    for option, known, what in (
        ("--extra", extras, "extra"),
        ("--group", groups, "group"),
        ("--only-group", groups, "group"),
    ):
        odd = next((each for each in values_of(rest, option) if normalized(each) not in known), "")
        if odd and not stage.environment.get("UV_WORKING_DIRECTORY"):
            return f"uv sync: the project has no {what} {odd}"
    return ""


def _uv_pip(stage: Stage, rest: list[str]) -> str:
    """`uv pip install` wants a virtual environment unless it is told otherwise."""
    told = ("--system", "--python", "-p", "--target", "-t", "--prefix", "--break-system-packages", "--project")
    if rest[:1] not in (["install"], ["sync"]) or any(word.partition("=")[0] in told for word in rest):
        return ""
    known = ("VIRTUAL_ENV", "CONDA_PREFIX", "UV_SYSTEM_PYTHON", "UV_PYTHON", "UV_PROJECT", "UV_CONFIG_FILE")
    if stage.venvs or any(stage.environment.get(each) for each in known):
        return ""
    above = stage.workdir
    while True:
        places = [posixpath.join(above, each) for each in (".venv", "uv.toml", "pyproject.toml")]
        if any(stage.files.find(each) or stage.files.doubt(each) for each in places):
            return ""
        if above == "/":
            return "uv pip install finds no virtual environment: it takes --system, or uv venv before it"
        above = posixpath.dirname(above)


def _uv_python(stage: Stage, rest: list[str]) -> str:
    """`uv sync` and `uv venv` for a Python that is not there, where uv may not fetch one."""
    told = stage.environment.get("UV_PYTHON_DOWNLOADS", "").lower()
    never = (
        told in ("never", "0", "false", "manual") or "--no-python-downloads" in rest or "--no-managed-python" in rest
    )
    action = next((word for word in rest if not word.startswith("-")), "")
    if not never or action not in ("sync", "venv") or not stage.python or stage.venvs:
        return ""
    options = dict(itertools.pairwise(rest))
    pin = stage.files.find(stage.path(".python-version")) if action == "sync" else None
    pinned = stage.pins.get(pin.source, "") if pin is not None else ""
    wanted = options.get("--python") or options.get("-p") or stage.environment.get("UV_PYTHON", "") or pinned
    if wanted:
        return _other_python(stage, action, wanted)
    return "" if action != "sync" else _too_old(stage, rest)


def _other_python(stage: Stage, action: str, wanted: str) -> str:
    version = re.fullmatch(r"(?:python|cpython-?)?(3\.\d+)(?:\.\d+)?", wanted)
    if (
        version is None
        or version[1] == stage.python
        or any(f"python{version[1]}" in path for path in stage.files.entries)
    ):
        return ""
    return f"uv {action} is to use Python {version[1]} and may not fetch it: this stage has {stage.python}"


def _too_old(stage: Stage, rest: list[str]) -> str:
    """Why the stage's Python is not one that the project of `uv sync` takes."""
    if any(word.partition("=")[0] in ("--project", "--directory") for word in rest):
        return ""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - it takes its time to load

    entry = stage.files.find(stage.path("pyproject.toml"))
    try:
        text = stage.read(entry.source).decode() if entry is not None and entry.source and stage.read else ""
        asked = SpecifierSet(tomllib.loads(text).get("project", {}).get("requires-python", ""))
    except (ValueError, InvalidSpecifier, AttributeError, TypeError):
        return ""
    if any(asked.contains(f"{stage.python}.{patch}", prereleases=True) for patch in (0, 1, 5, 9, 20)):
        return ""
    return f"uv sync: the project asks for Python {asked}, uv may not fetch it, and this stage has {stage.python}"
