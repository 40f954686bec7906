"""Programs that a build links: the C library that has to be there for them to be loaded at all."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence

from smoke.static.model.bases.official import official_tag
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.stage import Stage
from smoke.static.regex import regex

TOOLS = frozenset({"go", "cargo", "gcc", "cc", "g++", "c++"})
VARIABLES = ("CGO_", "GO", "CARGO_", "RUSTFLAGS")
"""Beginnings of the variables that decide how a program is linked."""
_ALONE = regex(r"alpine|windows|nanoserver")
"""Images of a toolchain without a C compiler, or that link statically."""


def toolchain_of(reference: str) -> str:
    """The toolchain that an image is one of, with a C compiler beside it; empty for others."""
    name = reference.partition("@")[0]
    kinds = {"golang": "go", "rust": "rust"}
    found = next((short for kind, short in kinds.items() if official_tag(name, kind) is not None), "")
    return "" if _ALONE.search(name) else found


def follow(stage: Stage, name: str, rest: Sequence[str], line: int, given: Mapping[str, str]) -> bool:
    """Follow a command of a toolchain, if all that it writes is known; says whether it was one. What it links against
    the stage's own C library, or for a certain machine, is noted."""
    rest = list(rest)
    if name not in TOOLS or any("$" in word for word in rest):
        return False
    from smoke.static.model.cargo import built_by_cargo  # noqa: PLC0415 - few trees have Rust, or Go
    from smoke.static.model.golang import built_by_go  # noqa: PLC0415

    made = {"go": built_by_go, "cargo": built_by_cargo}.get(name, _c)(stage, rest, given)
    for path, libc in made.items():
        user = stage.number(stage.user)
        machine = _machine(name, given)
        stage.files.add(path, PathEntry("file", user=user, mode=0o755, line=line, libc=libc, machine=machine))
    quiet = name == "go" and (rest[:1] in (["vet"], ["version"], ["env"], ["fmt"]) or rest[:1] == ["mod"])
    if not quiet and not (name == "go" and made):
        return False
    for place in (given.get("GOPATH") or "/go", stage.home() or "/root", "/tmp"):
        stage.files.suspect(place, f"{name!r} in the RUN of line {line} cannot be followed", DoubtCause.COMMAND)
    return True


def _machine(name: str, given: Mapping[str, str]) -> str:
    """The machine that Go is told to link for; otherwise it is that which builds, which may be any."""
    told = given.get("GOARCH", "") if name == "go" else ""
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(told, "")


def unloadable(entry: PathEntry, stage: Stage) -> str:
    """Why a program cannot be loaded here: the loader of its C library is not in the image; empty where it may be."""
    if entry.machine and stage.machine and entry.machine != stage.machine:
        return f"it is built for {entry.machine}, and the image for {stage.machine}: exec format error"
    if not entry.libc or entry.libc == stage.libc:
        return ""
    loader = {"glibc": "ld-linux", "musl": "ld-musl"}[entry.libc]
    if any(posixpath.basename(path).startswith(loader) for path in stage.files.entries):
        return ""
    if any(re.match(r"gcompat|libc6-compat|glibc|musl", package) for package in stage.packages):
        return ""
    known = (DoubtCause.BASE, DoubtCause.PACKAGES, DoubtCause.DISTRIBUTIONS)
    for place in ("/lib/x", "/lib64/x"):
        if any(doubt.cause not in known for doubt in stage.files.every_doubt(place)):
            return ""
    return f"it is linked with {entry.libc} where it is built, whose loader this image does not have"


def _c(stage: Stage, rest: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """What a C compiler links: with the library of its system, unless it is told to link statically."""
    flags = {"-c", "-S", "-E", "-shared", "-static", "-static-pie", "-nostdlib", "-r", "--version", "-fsyntax-only"}
    if flags & {*rest} or not any(word.endswith((".c", ".cc", ".cpp", ".cxx")) for word in rest):
        return {}
    output = next((rest[place + 1] for place, word in enumerate(rest[:-1]) if word == "-o"), "a.out")
    return {stage.path(output): stage.libc}
