"""What a vote log is for is noticed when it is not done, though a second guard stands behind it."""

from __future__ import annotations

import pytest

from harness.hunt.ablation import without
from harness.hunt.judge import RunVerdict, judge
from harness.hunt.promises import AGAIN, CLOSED, SKIPPED_FIRST
from harness.hunt.swarm import draw


@pytest.mark.parametrize(
    ("safeguard", "profile", "seed", "invariant"),
    [
        ("views-only-forward", "all", 0, CLOSED),
        ("finalize-said-again", "all", 0, AGAIN),
        ("no-notarize-after-own-skip", "crash", 3, SKIPPED_FIRST),
        ("no-notarize-late", "crash", 3, SKIPPED_FIRST),
    ],
)
def test_a_promise_that_is_not_kept_is_found(safeguard: str, profile: str, seed: int, invariant: str) -> None:
    scenario = draw(seed, profile)
    assert judge(scenario).verdict is RunVerdict.PASS
    with without(safeguard):
        outcome = judge(scenario)
    assert (outcome.verdict, outcome.invariant) == (RunVerdict.DIVERGED, invariant), outcome.reason
