"""The record of a hunt: one JSON line for each seed that was judged, so that an interrupted hunt goes on where it was.

The scenario of a failing seed is written beside its verdict: it can be run again when the swarm draws otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from harness.hunt.judge import RunVerdict, SeedOutcome
from harness.hunt.swarm import draw
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.scenarioerror import ScenarioError


class HuntLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a seed; the rest is only kept of seeds that failed."""

    seed: int
    verdict: RunVerdict
    trace_hash: str
    invariant: str = ""
    reason: str = ""
    at_ms: int = 0
    scenario: dict[str, Any] | None = None


class HuntHead(msgspec.Struct, frozen=True):
    """The first line: what hunts, by which commit, from which profile of the swarm."""

    hunt: int
    commit: str
    profile: str


class HuntRecordError(Exception):
    """A file is not a record of this hunt; one sentence."""


class Judged(NamedTuple):
    """A seed, its outcome, and how many seconds that took."""

    seed: int
    outcome: SeedOutcome
    seconds: float


class HuntRecord:
    """The file of a hunt, open for more lines."""

    def __init__(self, path: Path, head: HuntHead) -> None:
        self.path = path
        self.head = head
        self.lines: dict[int, HuntLine] = {}
        fresh = not path.exists() or not path.stat().st_size
        if not fresh:
            self.lines = {line.seed: line for line in read(path, head)}
        self._file = path.open("ab")
        if fresh:
            self._write(head)

    def add(self, judged: Judged, made: Callable[[int], Scenario] | None = None) -> HuntLine:
        """Write down what became of a seed, at once; its scenario is drawn, or `made` otherwise."""
        outcome = judged.outcome
        line = HuntLine(judged.seed, outcome.verdict, outcome.trace_hash)
        if outcome.verdict.failed:
            drawn = draw(judged.seed, self.head.profile) if made is None else made(judged.seed)
            scenario = msgspec.to_builtins(drawn)
            line = HuntLine(
                judged.seed,
                outcome.verdict,
                outcome.trace_hash,
                outcome.invariant,
                outcome.reason,
                outcome.at_ms,
                scenario,
            )
        self.lines[judged.seed] = line
        self._write(line)
        return line

    @property
    def failed(self) -> list[HuntLine]:
        """The seeds that failed, in order."""
        return [line for _, line in sorted(self.lines.items()) if line.verdict.failed]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, line: HuntHead | HuntLine) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()


def read(path: Path, head: HuntHead | None = None) -> list[HuntLine]:
    """The lines of a record; raises `HuntRecordError` for a file that is none, or not of this hunt.

    A last line that was cut off when the hunt was killed is left out.
    """
    try:
        lines = path.read_bytes().split(b"\n")
        found = msgspec.json.decode(lines[0], type=HuntHead)
        complete = [line for line in lines[1:-1] if line]
        judged = [msgspec.json.decode(line, type=HuntLine) for line in complete]
    except (OSError, msgspec.MsgspecError) as error:
        raise HuntRecordError(f"{path} is not a record of a hunt: {error}") from None
    if head is not None and found != head:
        raise HuntRecordError(
            f"{path} is of commit {found.commit or '?'} and profile {found.profile}, this is commit "
            f"{head.commit or '?'} and profile {head.profile}: name another file by --out"
        )
    return judged


def scenario_of(line: HuntLine, profile: str) -> Scenario:
    """The scenario of a line: as it was written, else as the swarm draws it now; raises `HuntRecordError`."""
    if line.scenario is None:
        return draw(line.seed, profile)
    try:
        return changed(Scenario(), **line.scenario)
    except ScenarioError as error:
        raise HuntRecordError(f"seed {line.seed} cannot be run by this version: {error}") from None
