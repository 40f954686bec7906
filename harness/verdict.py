"""What became of a run, in one word."""

from __future__ import annotations

from enum import StrEnum


class RunVerdict(StrEnum):
    """How a run ended: the first four as `harness.run` tells it, the others as a hunt does."""

    PASS = "pass"
    NO_PROGRESS = "no_progress"
    DIVERGED = "diverged"
    INTERRUPTED = "interrupted"
    """Someone stopped it: its figures are of the part until then."""
    CRASHED = "crashed"
    STUCK = "stuck"
    LATE = "late"
    UNSTABLE = "unstable"
    UNRECOVERABLE = "unrecoverable"

    @property
    def failed(self) -> bool:
        """Whether the product is to blame."""
        return self not in (RunVerdict.PASS, RunVerdict.INTERRUPTED, RunVerdict.UNRECOVERABLE)
