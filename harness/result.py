"""What a run came to, typed: its verdict and all its figures; `metrics.json` is this as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from harness.verdict import RunVerdict
from sim.figures import FIGURES_VERSION, Figures


class UnboundStretch(Struct, frozen=True, kw_only=True):
    """Why an invariant had no bound for a while, and for how long."""

    why: str
    ms: int


class CheckedInvariant(Struct, frozen=True, kw_only=True):
    """How often an invariant was checked, whether it broke (0 or 1), and when it did not bind."""

    name: str
    checks: int
    broken: int
    unbound: list[UnboundStretch]


class RunResult(Figures, frozen=True, kw_only=True):
    """A run: its figures, how it ended and why, and what identifies it.

    `invariant` is the one that broke, empty if none did; `reason` is a sentence. `command` repeats the run.
    """

    verdict: RunVerdict
    invariant: str
    reason: str
    notes: list[str]
    command: str
    trace_hash: str
    state_root: str
    invariants: list[CheckedInvariant]

    @property
    def passed(self) -> bool:
        """Whether every invariant held to the end and the chain kept growing."""
        return self.verdict is RunVerdict.PASS

    def document(self) -> dict[str, Any]:
        """The result as plain objects, as `metrics.json` has it."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


class ResultError(Exception):
    """A folder has no result that this version reads; one sentence."""


def read_result(folder: Path) -> RunResult:
    """The result in a run's folder; raises `ResultError`."""
    path = folder / "metrics.json"
    try:
        data = path.read_bytes()
        version = msgspec.json.decode(data, type=_Versioned).version
        if version != FIGURES_VERSION:
            raise ResultError(f"{path}: version {version} of the figures, this lucid reads version {FIGURES_VERSION}")
        return msgspec.convert(_respelled(msgspec.json.decode(data)), RunResult)
    except (OSError, msgspec.MsgspecError) as error:
        raise ResultError(f"{path}: {error}") from None


def _respelled(found: Any) -> Any:
    """The figures with the key of a fault's color as it is spelled today: earlier releases wrote `colour`."""
    faults = found.get("faults") if isinstance(found, dict) else None
    for each in faults if isinstance(faults, list) else ():
        if isinstance(each, dict) and "colour" in each:
            each["color"] = each.pop("colour")
    return found


class _Versioned(Struct):
    version: int = 1
