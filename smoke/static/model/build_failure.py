"""What a build stops at: commands that surely fail, and copies of nothing."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class BuildFailure(Struct, frozen=True):
    """A command of a RUN that surely fails, so that the build stops there."""

    line: int
    message: str
    lacks: str = ""
    """The program that it lacks, if that is why."""


class Lack(StrEnum):
    """Why a COPY or ADD finds nothing."""

    CONTEXT = "context"
    """It is not in the build context."""
    IGNORED = "ignored"
    """It is in the tree, and .dockerignore leaves it out of the context."""
    STAGE = "stage"
    """The stage that it is copied from does not make it."""


class Missing(Struct, frozen=True):
    """A COPY or ADD that finds nothing."""

    line: int
    source: str
    lack: Lack
    reason: str
    """Where it was looked for, and why it is not there."""
