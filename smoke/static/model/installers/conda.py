"""conda and its kin."""

from __future__ import annotations

from smoke.static.model.filesystem import Cause
from smoke.static.model.installers.record import doubtful
from smoke.static.model.stage import Stage


def conda(stage: Stage, rest: list[str], line: int, given: dict[str, str]) -> None:
    """conda brings distributions, programs and Pythons of its own: all that is known is that they are there."""
    if {"install", "create", "update", "env"} & {*rest}:
        doubtful(stage, "conda", line)
        for each in ("/opt", "/usr/local/bin"):
            stage.files.suspect(each, f"conda installed packages in line {line}", Cause.PACKAGES)
