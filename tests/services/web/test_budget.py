"""The budget of memory: what is taken is given back, one caller never has all of it, large bodies take turns."""

from __future__ import annotations

import pytest
import trio

from lucid.services.web import budget as budget_module
from lucid.services.web.budget import LARGE_AT_ONCE, LARGE_BYTES, Budget
from lucid.services.web.problems import Problem


def test_one_caller_has_a_half_at_most() -> None:
    budget = Budget(100)
    with budget.charge("a") as one, budget.charge("b") as other:
        one.add(50)
        with pytest.raises(Problem) as caught:
            one.add(1)
        assert caught.value.status == 503
        other.add(50)
        with pytest.raises(Problem):
            other.add(1)
        assert budget.held == 100
    assert budget.held == 0 and not budget._by_caller


def test_a_single_thing_may_be_larger_than_all_when_there_is_nothing_else() -> None:
    budget = Budget(100)
    with budget.charge("a") as one, budget.charge("b") as other:
        one.add(150)
        with pytest.raises(Problem):
            other.add(1)


def test_what_only_saves_time_leaves_half_of_everything_free() -> None:
    budget = Budget(100)
    with budget.charge("a") as one, budget.charge("b") as other, budget.charge("c") as third:
        assert one.spare(25) and not one.spare(1)
        one.add(25)
        assert not other.spare(1) and budget.held == 50
        other.add(50)
        assert not third.spare(1)
    assert budget.held == 0 and not budget._by_caller


async def test_large_bodies_of_a_caller_take_turns(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    budget, done, refused = Budget(), [0], [0]

    async def body(caller: str) -> None:
        try:
            with budget.charge(caller) as charge:
                for _ in range(4):
                    await charge.receive(LARGE_BYTES)
                await trio.sleep(4)
                done[0] += 1
        except Problem:
            refused[0] += 1

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(body, "a")
        nursery.start_soon(body, "b")
        await trio.sleep(4.5)
        assert done == [LARGE_AT_ONCE + 1], "another caller waits for nobody"
    assert done[0] + refused[0] == 9 and refused[0] >= 1
    assert budget.held == 0 and not budget._large and budget_module.LARGE_WAIT_S < 20
