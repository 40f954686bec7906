"""What a hunt has come to so far."""

from __future__ import annotations

from harness.hunt.judge import RunVerdict, SeedOutcome
from harness.hunt.record import Judged
from lucid.cli.hunttally import HuntTally


def test_verdicts_and_marks_are_counted_and_the_speed_is_of_all_seeds() -> None:
    tally = HuntTally()
    assert tally.speed == 0
    for seed, verdict in enumerate((RunVerdict.PASS, RunVerdict.STUCK, RunVerdict.PASS)):
        tally.add(Judged(seed, SeedOutcome(verdict, "", "", 7_000, 3, "ab", {"a mark": seed}), 0.1))
    assert tally.verdicts == {"pass": 2, str(RunVerdict.STUCK): 1} and tally.marks == {"a mark": 3}
    tally.began -= 2
    assert tally.seconds >= 2 and 0 < tally.speed <= 1.5
