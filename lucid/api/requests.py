"""What clients send to services as JSON: the same structs in the client that writes them and the service that reads."""

from __future__ import annotations

from typing import Literal

import msgspec


class ScrubOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Read now what was last read longer than `max_age_ms` ago, or pause; for `max_duration_ms` at most (0: until it is
    done, or for a day)."""

    action: Literal["start", "pause"]
    max_duration_ms: int = 0
    max_age_ms: int = 0


class PruneOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Remove what nobody has referred to for a day; with `dry_run` only say what that would be."""

    dry_run: bool = False


class Submission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A transaction's payload: its canonical encoding in hexadecimal (`docs/protocol.md`, section 6)."""

    payload: str


class DecisionSubmission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision of administrators with their approvals: the payload's canonical encoding in hexadecimal
    (`docs/protocol.md`, section 6)."""

    payload: str
