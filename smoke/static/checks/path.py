"""`dockerfile.path`: the PATH names directories that are there."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity
from smoke.static.model.bases.official import USUAL_PATH
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.image import Image
from smoke.static.scope import Scope

PATH = Check(
    "dockerfile.path",
    Severity.WARNING,
    "every directory that PATH names is in the image",
    "Programs are found elsewhere, or not at all: another Python than was meant is started.",
    "Name the directory that the programs are in, or take it out of PATH.",
)
CHECKS = (PATH,)


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    for image in scope.images:
        name = image.service.name
        if image.broken:
            yield PATH.skip(f"the Dockerfile cannot be followed: {image.broken}", name)
            continue
        absent = [each for each in _named(image) if _surely_absent(image, each)]
        for each in absent:
            line = next((one.line for one in reversed(image.parsed.instructions) if each in one.text), 0)
            yield PATH.fail(f"PATH names {each}, which is not in the image", name, [Evidence(image.dockerfile, line)])
        if not absent:
            yield PATH.passed("every directory that PATH names is there, or may be", name)


def _named(image: Image) -> list[str]:
    """Directories that the Dockerfile or Compose adds to the base's PATH."""
    own = image.base.path if image.base is not None else ()
    given = image.environment.get("PATH", "").split(":")
    return [each for each in given if each.startswith("/") and "$" not in each and each not in {*own, *USUAL_PATH}]


def _surely_absent(image: Image, directory: str) -> bool:
    """Whether nothing can have put it there: what is mounted later, or another user's home, may be."""
    if image.files.find(directory) is not None or directory.startswith("/root/"):
        return False
    return all(
        doubt.cause is DoubtCause.BASE and directory.startswith(("/opt/", "/app/", "/srv/", "/home/", "/code/"))
        for doubt in image.files.every_doubt(directory)
    )
