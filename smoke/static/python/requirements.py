"""Requirement files as pip reads them: names, versions and markers, other files that they include.

`packaging` is loaded by the first requirement: an eighth of the time that the checks need to start was its own."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from smoke.static.python.conditions import Version
from smoke.static.python.distributions import normalized
from smoke.static.trouble import Trouble
from smoke.tree import Tree

if TYPE_CHECKING:
    from packaging.markers import Marker

MAX_DEPTH = 8
MAX_LINES = 50_000
_FACTS = {
    "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "aarch64",
    "implementation_name": "cpython", "platform_python_implementation": "CPython", "platform_release": "",
    "platform_version": "", "extra": "",
}  # fmt: skip


class Requirement(Struct, frozen=True):
    """One distribution that is asked for."""

    name: str
    """Normalized."""
    version: str
    """The pinned version; empty when it is not pinned."""
    path: str
    line: int
    text: str
    extras: tuple[str, ...] = ()
    own: bool = False
    """Whether it is a project of the tree itself."""


def read_requirements(tree: Tree, path: str, version: Version | None) -> tuple[list[Requirement], list[Trouble]]:
    """What a requirement file of the tree asks for, on Linux, aarch64 and this version of Python."""
    found: list[Requirement] = []
    troubles: list[Trouble] = []
    _read(tree, path, version, found, troubles, set())
    return found, troubles


def parse_requirement(text: str, path: str, line: int, version: Version | None) -> Requirement | Trouble | None:
    """One requirement; none when its marker leaves it out."""
    text = text.strip()
    shown = text[:200]
    named = re.match(r"(?:git|hg|svn|bzr)\+|\w+://", text)
    if named is not None:
        egg = re.search(r"#(?:.*&)?egg=([A-Za-z0-9._-]+)", text)
        name = egg[1] if egg else _of_address(text)
        if name:
            return Requirement(name=normalized(name), version="", path=path, line=line, text=shown)
        return Trouble(path, line, f"what {shown[:80]} brings is not looked into", doubtful=True)
    from packaging.requirements import InvalidRequirement  # noqa: PLC0415 - a tree without requirements has no need
    from packaging.requirements import Requirement as Parsed  # noqa: PLC0415

    try:
        parsed = Parsed(text)
    except InvalidRequirement:
        legacy = re.match(r"([A-Za-z0-9][\w.-]*)\s*(\[[^\]]*\])?\s*[<>=!~]=?\s*[\w.*+!-]+", text)
        if legacy is not None and re.match(r"[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?\s*(?:[<>=!~]=|===|[<>])", text):
            return Requirement(
                name=normalized(legacy[1]), version="", path=path, line=line, text=shown
            )  # an old version number, for an old pip
        return Trouble(path, line, f"{text[:80]!r} is not a requirement")
    if parsed.marker is not None and not holds(parsed.marker, version):
        return None
    pins = [each.version for each in parsed.specifier if each.operator in ("==", "===")]
    pinned = pins[0] if len(pins) == 1 and "*" not in pins[0] else ""
    extras = tuple(sorted(normalized(each) for each in parsed.extras))
    return Requirement(name=normalized(parsed.name), version=pinned, path=path, line=line, text=shown, extras=extras)


def _of_address(text: str) -> str:
    """The distribution that an archive's or repository's address is called after; empty when it cannot be told."""
    name = posixpath.basename(re.split(r"[#?]", text)[0])
    wheel = re.fullmatch(r"([A-Za-z0-9][\w.]*)-\d[^/]*\.whl", name)
    return wheel[1] if wheel else ""


def holds(marker: Marker | str, version: Version | None, extras: tuple[str, ...] = ()) -> bool:
    """Whether an environment marker holds; one that cannot be decided does."""
    if not marker:
        return True
    from packaging.markers import (  # noqa: PLC0415
        InvalidMarker,
        Marker,
        UndefinedComparison,
        UndefinedEnvironmentName,
    )

    try:
        parsed = Marker(marker) if isinstance(marker, str) else marker
        minor = version or (3, 12)
        text = f"{minor[0]}.{minor[1]}"
        facts = {
            **_FACTS,
            "python_version": text,
            "python_full_version": f"{text}.0",
            "implementation_version": f"{text}.0",
        }
        if version is None and "python" in str(parsed):
            return True
        return any(parsed.evaluate({**facts, "extra": extra}) for extra in (*extras, ""))
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, RecursionError, ValueError):
        return True


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
            if "://" in option[2] or "$" in option[2]:
                troubles.append(Trouble(path, line, f"what {option[2][:80]} holds is not looked into", doubtful=True))
            elif not tree.is_file(target):
                troubles.append(Trouble(path, line, f"it includes {option[2]}, which is not in the tree"))
            elif option[1] in ("-r", "--requirement"):
                _read(tree, target, version, found, troubles, seen)
            continue
        editable = re.match(r"(?:-e|--editable)[\s=]*(.*)", text)
        wanted = editable[1] if editable is not None else text
        if wanted.startswith((".", "/", "file:")) or (editable is not None and "://" not in wanted):
            message = f"what {wanted[:80]} brings is not looked into"
            troubles.append(Trouble(path, line, message, doubtful=True))
            continue
        if wanted.startswith("-"):
            continue
        requirement = parse_requirement(re.sub(r"\s--[\w-]+[= ]\S+", "", wanted), path, line, version)
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


def at_least(version: str, since: str) -> bool:
    """Whether a version is that one or newer; what cannot be read is not."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - it takes its time to load

    try:
        return Version(version) >= Version(since)
    except InvalidVersion:
        return False
