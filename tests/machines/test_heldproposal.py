"""The proposal that is voted for later: one at a time, the better one, and not one whose moment never comes."""

from __future__ import annotations

import pytest

from lucid.machines.effects import HOLD_TIMER, VIEW_TIMER, SetTimer, Verdict
from lucid.machines.engine.alarms import Alarms
from lucid.machines.engine.heldproposal import HeldProposal
from tests.machines.bench import BLOCK_A, BLOCK_B

VIEW, ENDS_MS = (0, 4), 1_000


def verdict(base_view: int, view: int = 4, block: bytes = BLOCK_A) -> Verdict:
    """A valid proposal on what a view notarized."""
    return Verdict(epoch=0, view=view, block=block, base_view=base_view, tick=1, fresh=True)


@pytest.fixture
def held() -> HeldProposal:
    """Nothing is held, in a view that ends."""
    alarms = Alarms()
    alarms.arm(VIEW_TIMER, ENDS_MS)
    return HeldProposal(alarms)


def test_what_is_held_is_taken_once(held: HeldProposal) -> None:
    assert held.take() is None
    one = verdict(2)
    assert held.hold(one, 500, VIEW) == [SetTimer(HOLD_TIMER, 500)]
    assert held.take() is one and held.take() is None


@pytest.mark.parametrize(
    ("first", "from_ms", "second", "then_ms", "kept"),
    [
        (2, 500, 1, 400, "first"),  # it is on a later parent
        (2, 500, 2, 400, "second"),
        (2, 500, 3, 900, "second"),
        (1, 500, 3, ENDS_MS + 1, "first"),  # the other one's moment comes only after the view
        (3, ENDS_MS + 1, 1, 400, "second"),
        (3, ENDS_MS + 1, 1, ENDS_MS + 2, "second"),
    ],
)
def test_one_on_a_later_parent_is_kept_if_its_moment_comes(
    held: HeldProposal, first: int, from_ms: int, second: int, then_ms: int, kept: str
) -> None:
    one, other = verdict(first), verdict(second, block=BLOCK_B)
    held.hold(one, from_ms, VIEW)
    effects = held.hold(other, then_ms, VIEW)
    assert effects == ([] if kept == "first" else [SetTimer(HOLD_TIMER, then_ms)])
    assert held.verdict is (one if kept == "first" else other)


def test_the_same_one_is_held_until_another_moment(held: HeldProposal) -> None:
    one = verdict(3)
    held.hold(one, 500, VIEW)
    assert held.hold(one, 700, VIEW) == [SetTimer(HOLD_TIMER, 700)]


def test_one_of_another_view_is_in_nobodys_way(held: HeldProposal) -> None:
    held.hold(verdict(9, view=5), 500, VIEW)
    assert held.hold(verdict(1), 600, VIEW) == [SetTimer(HOLD_TIMER, 600)]
