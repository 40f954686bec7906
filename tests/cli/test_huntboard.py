"""What a hunt shows while it goes on: a count of each verdict, and a line for each seed that failed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from harness.hunt.judge import RunVerdict, SeedOutcome
from harness.hunt.record import HuntHead, HuntRecord, Judged
from lucid.cli.huntboard import HuntBoard
from lucid.cli.hunttally import HuntTally


def judged(seed: int, verdict: RunVerdict) -> Judged:
    """A seed that came to that."""
    said = ("progress", "no block") if verdict.failed else ("", "")
    return Judged(seed, SeedOutcome(verdict, *said, 7_000, 3, f"{seed:064x}", {"a mark": 1}), 0.1)


def test_seeds_are_counted_and_those_that_failed_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tally = HuntTally()
    record = HuntRecord(tmp_path / "hunt.jsonl", HuntHead(1, "abc", "all"))
    with closing(record), HuntBoard(False, record) as board:
        for seed, verdict in ((1, RunVerdict.PASS), (2, RunVerdict.STUCK), (3, RunVerdict.PASS)):
            each = judged(seed, verdict)
            tally.add(each)
            board.show(record.add(each), tally)
    assert tally.verdicts == {"pass": 2, str(RunVerdict.STUCK): 1} and tally.marks == {"a mark": 3}
    assert tally.seconds > 0 and tally.speed > 0
    assert capsys.readouterr().err == f"seed 2: {RunVerdict.STUCK}: progress: no block\n"
