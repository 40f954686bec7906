"""What managers owe to who is behind, and to themselves, is noticed when they do not pay it."""

from __future__ import annotations

import pytest

from harness.hunt.ablation import without
from harness.hunt.duties import ANSWERED, ASKING, ONWARD, ROTATING
from harness.hunt.judge import RunVerdict, judge
from harness.hunt.swarm import draw


@pytest.mark.parametrize(
    ("safeguard", "seed", "invariant"),
    [
        ("standing-answered", 0, ANSWERED),
        ("heights-heard", 3, ASKING),
        ("unanswered-asked-again", 3, ASKING),
        ("peers-rotate", 24, ROTATING),
        ("pages-go-on", 29, ONWARD),
    ],
)
def test_a_duty_that_is_neglected_is_found_though_something_else_makes_up_for_it(
    safeguard: str, seed: int, invariant: str
) -> None:
    scenario = draw(seed, "behind")
    assert judge(scenario).verdict is RunVerdict.PASS
    with without(safeguard):
        outcome = judge(scenario)
    assert (outcome.verdict, outcome.invariant) == (RunVerdict.DIVERGED, invariant), outcome.reason
