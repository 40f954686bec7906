"""A chunk that is given up while somebody is left to ask is noticed, though it is asked for again later."""

from __future__ import annotations

from harness.hunt.ablation import without
from harness.hunt.fetches import ALL_ASKED
from harness.hunt.judge import RunVerdict, judge
from harness.hunt.swarm import draw


def test_a_chunk_that_is_given_up_too_early_is_found() -> None:
    scenario = draw(1, "chunks")
    assert judge(scenario).verdict is RunVerdict.PASS
    with without("next-holder"):
        outcome = judge(scenario)
    assert (outcome.verdict, outcome.invariant) == (RunVerdict.DIVERGED, ALL_ASKED), outcome.reason
