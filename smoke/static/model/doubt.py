"""Where more may be in a file system than is known, and what causes that doubt."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class DoubtCause(StrEnum):
    """Where a doubt comes from: what may be at a path that is not known."""

    UNKNOWN_BASE = "unknown base"
    """The base image is not in the catalog: anything may be anywhere."""
    BASE = "base"
    """A known base has files that the catalog does not list."""
    PACKAGES = "packages"
    """The distribution's package manager put files there."""
    DISTRIBUTIONS = "distributions"
    """An installer of Python distributions did: what they hold is known by their names alone."""
    COMMAND = "command"
    """A command of a RUN may have written there."""
    COPY = "copy"
    """A COPY or ADD brought what cannot be looked into."""
    MOUNT = "mount"
    """Something is mounted over it when the container runs."""
    LINKS = "links"


class Doubt(str):
    """Why something may be at a path: a text for people, and the cause that code decides by."""

    cause: DoubtCause

    def __new__(cls, text: str, cause: DoubtCause) -> Self:
        made = super().__new__(cls, text)
        made.cause = cause
        return made


NO_DOUBT = Doubt("", DoubtCause.BASE)
