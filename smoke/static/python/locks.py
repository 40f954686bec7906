"""What lock files install: uv.lock, poetry.lock, Pipfile.lock, pdm.lock; without one, what the project asks for."""

from __future__ import annotations

import json
import tomllib
from collections import deque
from typing import Any

from msgspec import Struct, field

from smoke.static.model.install import Lock
from smoke.static.python.conditions import Version
from smoke.static.python.distributions import normalized
from smoke.static.python.projects import Project, read_project
from smoke.static.python.requirements import Requirement, holds, parse_requirement
from smoke.tree import Tree


class Locked(Struct):
    """The distributions that a tool installs."""

    requirements: list[Requirement] = field(default_factory=list)
    whole: bool = False
    """Whether that is all of them, whatever they need."""
    doubt: str = ""


def read_lock(  # noqa: PLR0911 - a case a kind of lock
    tree: Tree, lock: Lock, version: Version | None
) -> Locked:
    """What a tool takes from a lock; never raises."""
    project = read_project(tree, lock.project)
    if not lock.path:
        return _unlocked(project, lock, version)
    if tree.cut(lock.path):
        return Locked(doubt=f"{lock.path} is too large to be read whole")
    try:
        if lock.kind == "pipenv":
            return _pipfile(tree, lock, version)
        data = tomllib.loads(tree.text(lock.path))
        packages = [each for each in data.get("package", []) if isinstance(each, dict) and "name" in each]
        if not packages:
            return _unlocked(project, lock, version)
        if lock.kind == "uv":
            return _uv(packages, lock, project, version)
        return _grouped(packages, lock, project, version)
    except (tomllib.TOMLDecodeError, ValueError, AttributeError, TypeError, KeyError, RecursionError):
        return Locked(doubt=f"{lock.path} cannot be read")


def _unlocked(project: Project | None, lock: Lock, version: Version | None) -> Locked:
    if project is None:
        return Locked(doubt=f"what {lock.kind} installs is not known")
    lines = list(project.needs) if lock.main else []
    for extra in project.extras if lock.every_extra else map(normalized, lock.extras):
        lines += project.extras.get(extra, [])
    for group in _groups(project, lock):
        lines += project.groups.get(group, [])
    parsed = [parse_requirement(line, project.path, 0, version) for line in lines]
    return Locked([each for each in parsed if isinstance(each, Requirement)], doubt=project.doubt)


def _groups(project: Project, lock: Lock) -> list[str]:
    """The dependency groups that are installed."""
    wanted = [normalized(each) for each in lock.groups]
    if lock.every_group:
        wanted = list(project.groups)
    elif lock.development and lock.kind == "uv":
        wanted += project.default_groups
    elif lock.development:
        wanted += [each for each in project.groups if each not in project.optional_groups]
    without = {normalized(each) for each in lock.without}
    return [each for each in dict.fromkeys(wanted) if each not in without]


def _requirement(package: dict[str, Any], lock: Lock) -> Requirement:
    name = normalized(str(package["name"]))
    version = str(package.get("version", ""))
    return Requirement(name=name, version=version, path=lock.path, line=0, text=f"{name} {version}".strip())


def _uv(packages: list[dict[str, Any]], lock: Lock, project: Project | None, version: Version | None) -> Locked:
    """Followed from the project on: uv's markers stand on the edges."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for package in packages:
        by_name.setdefault(normalized(str(package["name"])), []).append(package)
    own = [each for each in packages if {"editable", "virtual"} & each.get("source", {}).keys()]
    wanted = normalized(lock.package or (project.name if project is not None else ""))
    roots = own if lock.every_package else [each for each in own if normalized(str(each["name"])) == wanted] or own[:1]
    if not roots:
        return Locked([_requirement(each, lock) for each in packages], whole=True)
    pending: deque[tuple[str, tuple[str, ...]]] = deque()
    for root in roots:
        edges = list(root.get("dependencies", [])) if lock.main else []
        optional = root.get("optional-dependencies", {})
        for extra in optional if lock.every_extra else lock.extras:
            edges += optional.get(extra, optional.get(normalized(extra), []))
        groups = root.get("dev-dependencies", {})
        default = project.default_groups if project is not None else ["dev"]
        names = list(groups) if lock.every_group else [*lock.groups, *(default if lock.development else [])]
        for group in names:
            if normalized(group) not in {normalized(each) for each in lock.without}:
                edges += groups.get(group, groups.get(normalized(group), []))
        pending += [_edge(each) for each in edges if holds(each.get("marker", ""), version)] if edges else []
    found: dict[str, Requirement] = {}
    done: set[tuple[str, tuple[str, ...]]] = set()
    while pending:
        name, extras = pending.popleft()
        if (name, extras) in done:
            continue
        done.add((name, extras))
        for package in by_name.get(name, []):
            found.setdefault(name, _requirement(package, lock))
            edges = list(package.get("dependencies", []))
            for extra in extras:
                edges += package.get("optional-dependencies", {}).get(extra, [])
            pending += [_edge(each) for each in edges if holds(each.get("marker", ""), version)]
    return Locked(list(found.values()), whole=True)


def _edge(edge: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    return normalized(str(edge["name"])), tuple(sorted(map(str, edge.get("extra", []))))


def _grouped(packages: list[dict[str, Any]], lock: Lock, project: Project | None, version: Version | None) -> Locked:
    """poetry.lock and pdm.lock: each package says which groups it belongs to, or the project's own file does."""
    by_name = {normalized(str(each["name"])): each for each in packages}
    if all("groups" in each for each in packages):
        groups = {"main", "default"} if lock.main else set()
        if project is not None:
            groups |= set(_groups(project, lock))
        groups |= {normalized(each) for each in lock.groups}
        chosen = [
            each
            for each in packages
            if groups & {normalized(str(group)) for group in each["groups"]} and _wanted(each, lock, version)
        ]
        return Locked([_requirement(each, lock) for each in chosen], whole=True)
    if project is None:
        return Locked([_requirement(each, lock) for each in packages], whole=True)
    roots = _unlocked(project, lock, version).requirements
    pending = [each.name for each in roots]
    optional = {
        normalized(each.split("[")[0].split(" ")[0])
        for extra in lock.extras
        for each in project.extras.get(normalized(extra), [])
    }
    pending += sorted(optional)
    found: dict[str, Requirement] = {}
    while pending:
        name = pending.pop()
        package = by_name.get(name)
        if name in found or package is None:
            continue
        found[name] = _requirement(package, lock)
        needs = package.get("dependencies", {})
        names = (
            needs
            if isinstance(needs, dict)
            else [str(each).split("[")[0].split(" ")[0].split(">")[0].split("=")[0] for each in needs]
        )
        pending += [normalized(each) for each in names]
    return Locked(list(found.values()), whole=True)


def _wanted(package: dict[str, Any], lock: Lock, version: Version | None) -> bool:
    marker = package.get("markers", package.get("marker", ""))
    if isinstance(marker, dict):
        marker = next(iter(marker.values()), "")
    if package.get("optional") and not (lock.every_extra or lock.extras):
        return False
    return not marker or "extra ==" in str(marker) or holds(str(marker), version)


def _pipfile(tree: Tree, lock: Lock, version: Version | None) -> Locked:
    sections = ("default", *(("develop",) if lock.development else ()))
    if lock.path.endswith(".lock"):
        data = json.loads(tree.text(lock.path))
        whole = True
    else:
        loaded = tomllib.loads(tree.text(lock.path))
        data = {"default": loaded.get("packages", {}), "develop": loaded.get("dev-packages", {})}
        whole = False
    found = []
    for section in sections:
        for name, value in data.get(section, {}).items():
            marker = value.get("markers", "") if isinstance(value, dict) else ""
            if marker and not holds(marker, version):
                continue
            pinned = str(value.get("version", "")).removeprefix("==") if isinstance(value, dict) else ""
            found.append(
                Requirement(
                    name=normalized(name), version=pinned, path=lock.path, line=0, text=f"{name} {pinned}".strip()
                )
            )
    # A lock made by hand may list no more than what was asked for.
    return Locked(found, whole=whole and bool(data.get("_meta", {}).get("hash")))
