"""`dockerfile.platform`: the platform that was asked for is the one that is built."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity
from smoke.static.checks.evidence import at_instruction, final_line
from smoke.static.dockerfile.instructions import Instruction
from smoke.static.model.build import platform_of_tag
from smoke.static.model.image import Image
from smoke.static.regex import regex
from smoke.static.scope import Scope

PLATFORM = Check(
    "dockerfile.platform",
    Severity.CRITICAL,
    "the platform that is asked for is what gets built",
    "An image for another processor does not start on the machine: exec format error.",
    "Pin the final stage's platform, or set it in the bake file, compose file or build command.",
)
_AMD64 = regex(r"https?://[^\s$]*(amd64|x86_64)")
_OTHER_MACHINES = regex(r"arm64|aarch64|TARGETARCH|uname|dpkg|\bif\b|\bcase\b|\$\(")


def judge_platform(scope: Scope, image: Image) -> Iterator[Finding]:
    name, wanted = image.service.name, image.service.platform
    foreign = _foreign_program(image)
    if foreign is not None:
        made = _AMD64.search(foreign.text)[1]  # type: ignore[index]
        message = f"it starts a program that is downloaded for {made} alone"
        if _same_platform(image.built_for or "", "linux/arm64"):
            message = f"it downloads what is for {made} alone, and is built for arm64"
        remedy = "Declare ARG TARGETARCH and use it in the URL, or pin the platform of FROM."
        yield PLATFORM.fail(message, name, at_instruction(image, foreign.line), remedy=remedy)
        return
    if wanted is None:
        yield PLATFORM.passed("no platform is demanded", name)
        return
    architecture = wanted.partition("/")[2]
    where = at_instruction(image, final_line(image))
    told = platform_of_tag(image.base_reference)
    for said, message in (
        (image.platform, f"the final stage is pinned to {image.platform}"),
        (told, f"the base's tag says {told.removeprefix('linux/')}"),
    ):
        if said:
            yield _as_wanted(said, wanted, message, name, where)
            return
    for path, line, text in _build_settings(scope, image):
        yield _as_wanted(text, wanted, f"{path} builds it for {text}", name, [Evidence(path, line, text)])
        return
    reason = f"nothing in the tree says {architecture}: the machine that builds decides"
    yield PLATFORM.skip(reason, name, where)


def _foreign_program(image: Image) -> Instruction | None:
    """The instruction that fetches what is started for amd64 by name, where nothing says that amd64 is built for."""
    if image.final is None or not image.start.words or "amd64" in image.built_for or "x86_64" in image.built_for:
        return None
    places = {image.start.words[0], image.start.program} - {""}
    pinned = _same_platform(image.built_for or "", "linux/arm64")
    fetching = [
        each for each in image.final.instructions if each.keyword in ("ADD", "RUN") and _AMD64.search(each.text)
    ]
    if pinned and (alone := next((each for each in fetching if not _OTHER_MACHINES.search(each.text)), None)):
        return alone
    return next((each for each in fetching if places & {*re.split(r"[\s=;&|]+", each.text)}), None)


def _as_wanted(said: str, wanted: str, message: str, name: str, where: Iterable[Evidence]) -> Finding:
    if _same_platform(said, wanted):
        return PLATFORM.passed(message, name, where)
    return PLATFORM.fail(f"{message}, not {wanted}", name, where)


def _same_platform(one: str, other: str) -> bool:
    def plain(text: str) -> str:
        name = text.lower().removeprefix("linux/")
        return {"arm64v8": "arm64", "aarch64": "arm64", "arm64/v8": "arm64", "x86_64": "amd64"}.get(name, name)

    return plain(one) == plain(other)


def _build_settings(scope: Scope, image: Image) -> Iterator[tuple[str, int, str]]:
    """Platforms that bake and compose files name beside this Dockerfile."""
    base = posixpath.basename(image.dockerfile)
    for path in scope.tree.files():
        file = posixpath.basename(path)
        if not re.fullmatch(r"docker-bake\.(hcl|json)|(docker-)?compose([.\w-]*)?\.ya?ml", file):
            continue
        text = scope.tree.text(path)
        if base not in text and f'"{image.service.name}"' not in text:
            continue
        found = re.search(r"platforms?\s*[:=]\s*\[?\s*-?\s*[\"']?(linux/[\w/]+)", text)
        if found is not None:
            yield path, text.count("\n", 0, found.start(1)) + 1, found[1]
