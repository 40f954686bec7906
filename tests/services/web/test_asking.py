"""Clients that wait for a machine's answer: each gets its own, or a 503, and none that has gone is waited for."""

from __future__ import annotations

import pytest
import trio

from lucid.chain.errors import Code
from lucid.machines.effects import Respond
from lucid.services.web import asking as asking_module
from lucid.services.web.asking import ANSWER_S, Asking
from lucid.services.web.problems import Problem


def to(request: int) -> Respond:
    """A machine's answer to a request."""
    return Respond(request, request.to_bytes(32, "big"), None)


async def nothing(number: int) -> None:
    """A request whose answer does not come."""


async def test_each_gets_its_own_answer_whatever_the_order() -> None:
    asking, asked, got = Asking(), list[int](), dict[int, Respond]()

    async def ask(place: int) -> None:
        async def deliver(number: int) -> None:
            asked.append(number)

        got[place] = await asking.ask(deliver)

    async with trio.open_nursery() as nursery:
        for place in range(5):
            nursery.start_soon(ask, place)
        await trio.testing.wait_all_tasks_blocked()
        assert len(set(asked)) == 5
        for number in reversed(asked):
            asking.answer(to(number))
    assert sorted(answer.request for answer in got.values()) == sorted(asked)


async def test_an_answer_may_come_before_its_request_is_delivered_whole() -> None:
    asking = Asking()

    async def deliver(number: int) -> None:
        asking.answer(to(number))
        await trio.lowlevel.checkpoint()

    assert (await asking.ask(deliver)).request == 1


async def test_one_without_an_answer_is_told_and_a_late_answer_is_nobody_s(autojump_clock: object) -> None:
    asking = Asking()
    for deliver in (nothing, lambda number: trio.sleep_forever()):
        began = trio.current_time()
        with pytest.raises(Problem, match="may have been accepted all the same") as caught:
            await asking.ask(deliver)
        assert (caught.value.code, caught.value.status) == (Code.UNAVAILABLE, 503)
        assert trio.current_time() - began == pytest.approx(ANSWER_S)
    asking.answer(to(1))
    asking.answer(to(99))


async def test_all_are_let_go_when_the_machine_is_gone() -> None:
    asking, told = Asking(), 0

    async def ask() -> None:
        nonlocal told
        with pytest.raises(Problem, match="no answer"):
            await asking.ask(nothing)
        told += 1

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            asking.give_up()
    assert told == 3


async def test_who_has_gone_or_failed_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking_module, "MAX_ASKING", 2)
    asking = Asking()

    async def fail(number: int) -> None:
        raise ConnectionError("as a test")

    for _ in range(3):
        with pytest.raises(ConnectionError):
            await asking.ask(fail)
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(asking.ask, nothing)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(Problem, match="too many") as caught:
            await asking.ask(nothing)
        assert (caught.value.code, caught.value.status) == (Code.TOO_MANY, 503)
        nursery.cancel_scope.cancel()

    async def deliver(number: int) -> None:
        asking.answer(to(number))

    assert (await asking.ask(deliver)).refusal is None
