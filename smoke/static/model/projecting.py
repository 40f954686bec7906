"""What uv and Poetry refuse: no environment, no project, no Python that the project takes, odd options."""

from __future__ import annotations

import itertools
import posixpath
import re
import tomllib
from typing import Any

from smoke.static.model.discovery import unbuildable
from smoke.static.model.stage import Stage


def uv_refusal(stage: Stage, rest: list[str]) -> str:
    """Why uv surely refuses; empty when nothing speaks against it."""
    if rest[:1] == ["pip"]:
        return _uv_pip(stage, rest[1:])
    return _uv_python(stage, rest) or _uv_unknown(stage, rest) or _uv_project(stage, rest)


def _uv_project(stage: Stage, rest: list[str]) -> str:
    """`uv sync` of a project that is a package, which its backend cannot build here."""
    told = _project(stage, rest) if rest[:1] == ["sync"] else {}
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


def _project(stage: Stage, rest: list[str]) -> dict[str, Any]:
    """The pyproject.toml of the working directory; empty when another one is meant, or it is not of the tree."""
    elsewhere = ("--project", "--directory", "-C", "-P", "--package", "--all-packages")
    entry = stage.files.find(stage.path("pyproject.toml"))
    if any(word.partition("=")[0] in elsewhere for word in rest) or entry is None or not entry.source or not stage.read:
        return {}
    try:
        return tomllib.loads(stage.read(entry.source).decode())
    except ValueError:
        return {}


def _named(rest: list[str], *options: str) -> list[str]:
    """The values of options that may be given more than once, separated by commas or spaces too."""
    found = [after for word, after in itertools.pairwise(rest) if word in options]
    found += [word.partition("=")[2] for word in rest if word.partition("=")[0] in options and "=" in word]
    return [each for value in found for each in re.split(r"[\s,]+", value) if each and "$" not in each]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _uv_unknown(stage: Stage, rest: list[str]) -> str:
    """Extras and groups of `uv sync` that the project does not have."""
    told = _project(stage, rest) if rest[:1] == ["sync"] else {}
    if not told:
        return ""
    extras = {_plain(each) for each in told.get("project", {}).get("optional-dependencies", {})}
    groups = {_plain(each) for each in told.get("dependency-groups", {})}
    groups |= {"dev"} if "dev-dependencies" in told.get("tool", {}).get("uv", {}) else set()
    for option, known, what in (
        ("--extra", extras, "extra"),
        ("--group", groups, "group"),
        ("--only-group", groups, "group"),
    ):
        odd = next((each for each in _named(rest, option) if _plain(each) not in known), "")
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


def poetry_project(stage: Stage, rest: list[str]) -> str:
    """Why `poetry install` refuses the project: another Python, or groups and extras that it does not have."""
    action = next((word for word in rest if not word.startswith("-")), "")
    told = _project(stage, rest) if action in ("install", "sync") else {}
    poetry, project = told.get("tool", {}).get("poetry", {}), told.get("project", {})
    if not told or not isinstance(poetry, dict):
        return ""
    asked = str(poetry.get("dependencies", {}).get("python", "") or project.get("requires-python", ""))
    if stage.python and not stage.venvs and not _takes(asked, stage.python):
        return f"poetry {action}: the project takes Python {asked}, and this stage has {stage.python}"
    groups = {_plain(each) for each in (*poetry.get("group", {}), *told.get("dependency-groups", {}))} | {"main"}
    groups |= {"dev"} if "dev-dependencies" in poetry else set()
    odd = next((each for each in _named(rest, "--with", "--only") if _plain(each) not in groups), "")
    if odd:
        return f"poetry {action}: the project has no group {odd}"
    extras = {_plain(each) for each in (*poetry.get("extras", {}), *project.get("optional-dependencies", {}))}
    odd = next((each for each in _named(rest, "-E", "--extras") if _plain(each) not in extras), "")
    if odd:
        return f"poetry {action}: the project has no extra {odd}"
    itself = "--no-root" not in rest and "--only" not in rest and poetry.get("package-mode", True)
    clause = unbuildable(stage, stage.workdir, told) if itself else ""
    return f"poetry {action}: {clause}" if clause else ""


def _takes(asked: str, python: str) -> bool:
    """Whether a constraint of Poetry's lets a minor version of Python be; what is not plain does."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - it takes its time to load

    def tilde(match: re.Match[str]) -> str:
        parts = match[1].split(".")
        upper = f"{parts[0]}.{int(parts[1]) + 1}" if len(parts) > 1 else str(int(parts[0]) + 1)
        return f">={match[1]},<{upper}"

    text = re.sub(r"\^(\d+)((?:\.\d+)*)", lambda match: f">={match[1]}{match[2]},<{int(match[1]) + 1}", asked)
    text = re.sub(r"(?<![=<>~])~(\d+(?:\.\d+)*)", tilde, text)
    text = re.sub(r"^(\d[\d.]*\*?)$", r"==\1", text.strip())
    try:
        wanted = SpecifierSet(text)
    except InvalidSpecifier:
        return True
    return not asked or any(wanted.contains(f"{python}.{patch}", prereleases=True) for patch in range(30))
