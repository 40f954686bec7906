"""What uv and Poetry refuse: no environment, no project, no Python that the project takes, odd options."""

from __future__ import annotations

import itertools
import posixpath
import re
import tomllib

from smoke.static.model.stage import Stage


def uv_refusal(stage: Stage, rest: list[str]) -> str:
    """Why uv surely refuses; empty when nothing speaks against it."""
    return _uv_pip(stage, rest[1:]) if rest[:1] == ["pip"] else _uv_python(stage, rest)


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
    wanted = options.get("--python") or options.get("-p") or stage.environment.get("UV_PYTHON", "")
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


_NO_POETRY = frozenset(["--no-dev", "--remove-untracked"])
"""Options that Poetry 2 no longer has."""


def poetry_refusal(stage: Stage, rest: list[str]) -> str:
    """What Poetry 2 no longer has, and `poetry install` where no project is."""
    action = next((word for word in rest if not word.startswith("-")), "")
    asked = stage.settings.get("tool poetry", "")
    second = bool(asked) and "$" not in asked and re.search(r"==\s*[01]|<\s*=?\s*2|~=\s*1", asked) is None
    if second and (odd := _NO_POETRY & {*rest}):
        return f"poetry {action}: there is no option {min(odd)} since Poetry 2: it is --only main, or --sync"
    plugins = "tool poetry-plugin-export" in stage.settings or "poetry.self" in stage.settings
    if second and action == "export" and not plugins:
        return "poetry export: there is no such command since Poetry 2 without poetry-plugin-export"
    elsewhere = any(word.partition("=")[0] in ("-C", "--directory", "-P", "--project") for word in rest)
    above = stage.workdir
    while action in ("install", "sync") and not elsewhere:
        place = posixpath.join(above, "pyproject.toml")
        if stage.files.find(place) is not None or stage.files.doubt(place):
            return ""
        if above == "/":
            return f"poetry {action} finds no {stage.path('pyproject.toml')} at this step"
        above = posixpath.dirname(above)
    return ""
