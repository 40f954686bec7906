"""Requirement files as pip reads them: names, versions and markers, other files that they include."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from smoke.static.python.conditions import Version
from smoke.static.python.distributions import normalised
from smoke.tree import Tree

MAX_DEPTH = 8
MAX_LINES = 50_000
_NAME = re.compile(
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*([^;#]*?)\s*(?:;\s*([^#]*?))?\s*(?:#.*)?$"
)
_CLAUSE = re.compile(r"""(\w+)\s*(==|!=|<=|>=|<|>|in|not in)\s*["']([^"']*)["']""")
_FACTS = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "aarch64",
          "implementation_name": "cpython", "platform_python_implementation": "CPython"}  # fmt: skip


@dataclass(frozen=True)
class Requirement:
    """One distribution that is asked for."""

    name: str
    """Normalised."""
    version: str
    """The pinned version; empty when it is not pinned."""
    path: str
    line: int
    text: str
    extras: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trouble:
    """A line that pip would refuse or that can't be followed."""

    path: str
    line: int
    message: str


def read_requirements(tree: Tree, path: str, version: Version | None) -> tuple[list[Requirement], list[Trouble]]:
    """What a requirement file of the tree asks for, on Linux, aarch64 and this version of Python."""
    found: list[Requirement] = []
    troubles: list[Trouble] = []
    _read(tree, path, version, found, troubles, set())
    return found, troubles


def parse_requirement(text: str, path: str, line: int, version: Version | None) -> Requirement | Trouble | None:
    """One requirement; none when its marker leaves it out."""
    match = _NAME.match(text.strip())
    if match is None:
        return Trouble(path, line, f"{text.strip()[:80]!r} is no requirement")
    if match[4] and not marker_holds(match[4], version):
        return None
    pinned = re.fullmatch(r"\(?\s*={2,3}\s*([\w.!+-]+)\s*\)?", match[3].strip())
    if match[3] and not re.match(r"[=<>!~@(]", match[3]):
        return Trouble(path, line, f"{text.strip()[:80]!r} is no requirement")
    extras = tuple(normalised(each.strip()) for each in (match[2] or "[]")[1:-1].split(",") if each.strip())
    return Requirement(normalised(match[1]), pinned[1] if pinned else "", path, line, text.strip()[:200], extras)


def project_requirements(
    tree: Tree, directory: str, extras: tuple[str, ...], version: Version | None
) -> list[Requirement] | None:
    """What `pip install DIRECTORY[extras]` brings, from its pyproject.toml; none when that can't be told."""
    path = posixpath.join(directory, "pyproject.toml")
    if not tree.is_file(path):
        return None
    try:
        project = tomllib.loads(tree.text(path)).get("project", {})
        lines = [*project.get("dependencies", [])]
        for extra in extras:
            lines += project.get("optional-dependencies", {}).get(extra, [])
        parsed = [parse_requirement(str(each), path, 0, version) for each in lines]
    except (tomllib.TOMLDecodeError, AttributeError, TypeError, RecursionError):
        return None
    return (
        None
        if "dependencies" in project.get("dynamic", [])
        else [each for each in parsed if isinstance(each, Requirement)]
    )


def _read(
    tree: Tree, path: str, version: Version | None, found: list[Requirement], troubles: list[Trouble], seen: set[str]
) -> None:
    if path in seen or len(seen) > MAX_DEPTH:
        return
    seen.add(path)
    for line, text in _logical(tree.text(path)):
        option = re.match(r"(-r|--requirement|-c|--constraint)[\s=]*(\S+)", text)
        if option is not None:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), option[2]))
            if not tree.is_file(target):
                troubles.append(Trouble(path, line, f"it includes {option[2]}, which is not in the tree"))
            elif option[1] in ("-r", "--requirement"):
                _read(tree, target, version, found, troubles, seen)
            continue
        if (
            text.startswith("-e")
            or text.startswith("--editable")
            or "://" in text.partition("@")[0]
            or text.startswith((".", "/"))
        ):
            name = re.search(r"#egg=([\w.-]+)", text)
            if name is not None:
                found.append(Requirement(normalised(name[1]), "", path, line, text))
            else:
                troubles.append(Trouble(path, line, "a path or URL: what it brings is not looked into"))
            continue
        if text.startswith("-"):
            continue
        requirement = parse_requirement(re.sub(r"\s--hash=\S+", "", text), path, line, version)
        if isinstance(requirement, Trouble):
            troubles.append(requirement)
        elif requirement is not None:
            found.append(requirement)


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their continuations, comments taken off."""
    pending, first = "", 0
    for number, line in enumerate(text.split("\n")[:MAX_LINES], 1):
        stripped = re.sub(r"(^|\s)#.*$", "", line[:8192].rstrip("\r"))
        first = first or number
        if stripped.endswith("\\"):
            pending += stripped[:-1] + " "
            continue
        whole = (pending + stripped).strip()
        if whole:
            yield first, whole
        pending, first = "", 0
    if pending.strip():
        yield first, pending.strip()


def marker_holds(marker: str, version: Version | None) -> bool:
    """Whether an environment marker holds; one that can't be decided does."""
    if "(" in marker:
        return True
    return any(
        all(_clause(each, version) for each in re.split(r"\band\b", part)) for part in re.split(r"\bor\b", marker)
    )


def _clause(text: str, version: Version | None) -> bool:
    match = _CLAUSE.fullmatch(text.strip())
    if match is None:
        return True
    name, operator, value = match.groups()
    if name == "extra":
        return False
    if name in ("python_version", "python_full_version"):
        wanted = re.findall(r"\d+", value)[:2]
        if version is None or len(wanted) < 2:
            return True
        other = (int(wanted[0]), int(wanted[1]))
        return {"==": version == other, "!=": version != other, "<": version < other, "<=": version <= other,
                ">": version > other, ">=": version >= other}.get(operator, True)  # fmt: skip
    fact = _FACTS.get(name)
    if fact is None:
        return True
    return {"==": fact == value, "!=": fact != value, "in": fact in value, "not in": fact not in value}.get(
        operator, True
    )
