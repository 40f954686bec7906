"""Variables of a start command that only an ARG sets: they are gone when the container runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from smoke.finding import Severity
from smoke.static.model.image import Image

_OF_PLATFORMS = frozenset(["PORT", "HOST"])
"""What platforms that run images give by themselves."""


@dataclass(frozen=True)
class Unset:
    """A variable that comes to nothing."""

    message: str
    severity: Severity


def unset_variables(image: Image) -> Iterator[Unset]:
    """Variables of the command that are empty when it runs, though a build argument has their name."""
    start = image.start
    if image.final is None or posixpath.basename(start.words[0] if start.words else "") not in ("sh", "bash", "ash"):
        return
    if len(start.words) < 3 or start.words[1] != "-c":
        return
    text = start.words[2]
    launch = image.launch
    if launch is not None and launch.environment_doubt:
        return
    arguments = [
        word.partition("=")[0]
        for each in image.final.instructions
        if each.keyword == "ARG"
        for word in each.words
        if re.match(r"[A-Za-z_]\w*(?:=|$)", word)
    ]
    for name in dict.fromkeys(arguments):
        used = re.search(rf"\$(?:{name}\b|\{{{name}\}})", text) is not None
        if not used or name in image.environment or re.search(rf"\b{name}=", text):
            continue
        sure = launch is not None or name not in _OF_PLATFORMS
        message = f"the command uses ${name}, which only an ARG sets: it is empty when the container runs"
        yield Unset(message, Severity.CRITICAL if sure else Severity.WARNING)
