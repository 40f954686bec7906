"""Locales and time zones that the code asks for as it is loaded, and that bare images do not have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from smoke.static.checks.loaded import runs
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.image import Image
from smoke.static.python.program import LoadedProgram
from smoke.static.regex import regex

_ALWAYS = regex(r"(?i)c|posix|c\.utf-?8|")
_LOCALES = regex(r"locale-gen|localedef|\blocales(?:-all)?\b|language-pack|dpkg-reconfigure")
_SURE = (DoubtCause.BASE, DoubtCause.DISTRIBUTIONS, DoubtCause.PACKAGES)


class Unlocalized(Struct, frozen=True):
    """What the system lacks, where the code asks for it, and what to do."""

    path: str
    line: int
    message: str
    remedy: str


def unlocalized(program: LoadedProgram) -> Iterator[Unlocalized]:
    """Calls that surely raise, since the image has no such locale or no time zones at all."""
    image, graph = program.image, program.graph
    for path, source in graph.modules.items():
        for each in (each for effects in graph.effects(path) for each in effects.localized):
            if not runs(program, source, each.main):
                continue
            if each.by == "locale.setlocale" and not _ALWAYS.fullmatch(each.name) and _without_locales(image):
                remedy = f"Install the package locales, and generate {each.name} by locale-gen."
                yield Unlocalized(path, each.line, f"the image has no locale {each.name}", remedy)
            if each.by == "zoneinfo.ZoneInfo" and _without_zones(program):
                message = f"the image has no time zones: ZoneInfo({each.name!r}) finds none"
                yield Unlocalized(
                    path, each.line, message, "Install the package tzdata, or the distribution of that name."
                )


def _text(image: Image) -> str:
    return "\n".join(each.text for each in image.parsed.instructions)


def _followed(image: Image, directory: str) -> bool:
    """Whether nothing that cannot be followed may have put something into a directory."""
    return all(each.cause in _SURE for each in image.files.every_doubt(directory))


def _without_locales(image: Image) -> bool:
    bare = image.base is not None and image.base.system == "debian" and bool(image.base.lacks)
    known = re.search(r"(?:^|/)(?:python|debian|ubuntu):", image.base_reference) is not None
    return bare and known and not _LOCALES.search(_text(image)) and _followed(image, "/usr/lib/locale/x")


def _without_zones(program: LoadedProgram) -> bool:
    image = program.image
    plain = re.fullmatch(r"(?:[\w./:-]+/)?alpine(?::[\w.-]+)?", image.base_reference) is not None
    named = re.search(r"tzdata|zoneinfo", _text(image)) is not None
    brought = any("tzdata" in each.all()[0] or not each.all()[1] for each in program.installed.each)
    return plain and not named and not brought and _followed(image, "/usr/share/zoneinfo/x")
