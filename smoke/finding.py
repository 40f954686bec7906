"""What a check says: one verdict with its evidence, why it matters and what to do."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

MAX_EXCERPT = 200


class Severity(StrEnum):
    """How bad a failure is. Only a critical one makes the exit status 1."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Verdict(StrEnum):
    """What came out. A skip is never a pass; an error is the harness's own failure."""

    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"
    ERROR = "error"


class Evidence(Struct, frozen=True, order=True):
    """Where it is seen: a file below the root (`/` separated; empty when there is none), a line from 1 (0: the whole
    file) and what stands there, in one line of at most `MAX_EXCERPT` characters."""

    path: str
    line: int = 0
    excerpt: str = ""


class Finding(Struct, frozen=True, kw_only=True):
    """One verdict of one check about one subject."""

    check: str
    severity: Severity
    verdict: Verdict
    subject: str = ""
    """The service that it is about; empty for the whole tree."""
    message: str
    """One sentence: what is so. For a skip, the reason why it cannot be told."""
    evidence: tuple[Evidence, ...] = ()
    why: str = ""
    """What it does to the container when it starts. Empty for a pass."""
    remedy: str = ""
    """What to do about it. Empty for a pass."""
    excused: str = ""
    """The manifest's reason why this failure is accepted; such a failure counts as none."""


def excerpt(text: str) -> str:
    """Text as evidence shows it: one printable line, cut at `MAX_EXCERPT`."""
    line = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[: 4 * MAX_EXCERPT].strip()
    )
    return line if len(line) <= MAX_EXCERPT else line[: MAX_EXCERPT - 1] + "\N{HORIZONTAL ELLIPSIS}"
