"""What managers owe to what they hear is noticed when it is not paid, though the next certificate makes up for it."""

from __future__ import annotations

import pytest

from harness.hunt import hearing
from harness.hunt.ablation import without
from harness.hunt.judge import RunVerdict, judge
from harness.hunt.swarm import draw


@pytest.mark.parametrize(
    ("safeguard", "profile", "seed", "invariant"),
    [
        ("certificates-forwarded", "all", 0, hearing.HANDED_ON),
        ("closing-forwarded", "all", 11, hearing.HANDED_ON),
        ("first-vote-counts", "byzantine", 0, hearing.WHOLE),
        ("certificates-verified", "all", 18, hearing.GENUINE),
        ("finality-verified", "all", 29, hearing.GENUINE),
        ("repair", "all", 1, hearing.FETCHED),
        ("repair-of-final", "all", 1, hearing.FETCHED),
        ("older-finality", "slow", 12, hearing.FINAL),
        ("waiting-looked-at", "slow", 12, hearing.LOOKED_AT_AGAIN),
        ("gap-asked-again", "all", 5, hearing.GAP),
        ("closing-taken", "closings", 0, hearing.TAKEN),
        ("spread-again", "all", 2, hearing.SPREAD),
        ("skips-held", "all", 5, hearing.SKIPPED),
    ],
)
def test_what_is_not_done_with_what_is_heard_is_found(safeguard: str, profile: str, seed: int, invariant: str) -> None:
    scenario = draw(seed, profile)
    assert judge(scenario).verdict is RunVerdict.PASS
    with without(safeguard):
        outcome = judge(scenario)
    assert (outcome.verdict, outcome.invariant) == (RunVerdict.DIVERGED, invariant), outcome.reason
