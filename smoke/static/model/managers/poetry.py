"""What Poetry refuses: options that it lost, a project that it cannot install, another Python."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from smoke.static.model.discovery import unbuildable
from smoke.static.model.managers.pyproject import project_of, values_of
from smoke.static.model.stage import Stage
from smoke.static.python.distributions import normalized

_NO_POETRY = frozenset(["--no-dev", "--remove-untracked"])
"""Options that Poetry 2 no longer has."""


def poetry_refusal(stage: Stage, rest: list[str]) -> str:
    """What Poetry 2 no longer has, and `poetry install` where no project is."""
    action = next((word for word in rest if not word.startswith("-")), "")
    second = _is_second(stage)
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
    told = project_of(stage, rest) if action in ("install", "sync") else {}
    poetry, project = told.get("tool", {}).get("poetry", {}), told.get("project", {})
    if not told or not isinstance(poetry, dict):
        return ""
    asked = str(poetry.get("dependencies", {}).get("python", "") or project.get("requires-python", ""))
    if stage.python and not stage.venvs and not _takes(asked, stage.python):
        return f"poetry {action}: the project takes Python {asked}, and this stage has {stage.python}"
    groups = {normalized(each) for each in (*poetry.get("group", {}), *told.get("dependency-groups", {}))} | {"main"}
    groups |= {"dev"} if "dev-dependencies" in poetry else set()
    odd = next((each for each in values_of(rest, "--with", "--only") if normalized(each) not in groups), "")
    if odd:
        return f"poetry {action}: the project has no group {odd}"
    extras = {normalized(each) for each in (*poetry.get("extras", {}), *project.get("optional-dependencies", {}))}
    odd = next((each for each in values_of(rest, "-E", "--extras") if normalized(each) not in extras), "")
    if odd:
        return f"poetry {action}: the project has no extra {odd}"
    only = values_of(rest, "--only")
    root = "--no-root" not in rest and "--dry-run" not in rest and poetry.get("package-mode", True)
    clause = unbuildable(stage, stage.workdir, told) if root and not only else ""
    if not clause and root and _is_second(stage) and (not only or "main" in only):
        clause = unbuildable(stage, stage.workdir, told) or _nothing_to_pack(stage, told)
    return f"poetry {action}: {clause}" if clause else ""


def _is_second(stage: Stage) -> bool:
    """Whether it is Poetry 2, which ends with an error where Poetry 1 warned."""
    asked = stage.settings.get("tool poetry", "")
    return bool(asked) and "$" not in asked and re.search(r"==\s*[01]|<\s*=?\s*2|~=\s*1", asked) is None


def _nothing_to_pack(stage: Stage, told: dict[str, Any]) -> str:
    """Why Poetry, which goes by its own rules whatever the backend, does not find the project's code."""
    poetry = told.get("tool", {}).get("poetry", {})
    name = str(told.get("project", {}).get("name") or poetry.get("name") or "")
    directory, packages = stage.workdir, poetry.get("packages")
    if not name or stage.files.doubt(posixpath.join(directory, "any")) or poetry.get("build"):
        return ""
    if packages:
        wanted = [posixpath.join(each.get("from", ""), each["include"]) for each in packages if "format" not in each]
        lacking = next((each for each in wanted if not stage.files.glob(posixpath.join(directory, each))), "")
        return (
            f"there is no {posixpath.join(directory, lacking)} at this step, which its packages name" if lacking else ""
        )
    plain = normalized(name).replace("-", "_")
    places = (
        f"{above}{stem}{end}" for above in ("", "src/") for stem in (plain, f"{plain}-stubs") for end in ("", ".py")
    )
    if any(stage.files.find(posixpath.join(directory, each)) for each in places):
        return ""
    return f"no file or folder of the package {plain} is in {directory} at this step: --no-root leaves the project out"


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
