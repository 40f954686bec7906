"""What another service said a moment ago: asked once for all, kept for a while, its problems as they were."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from lucid.chain.errors import Code
from lucid.services.explorer.recent import Recent
from lucid.services.web.problems import Problem


class Asked:
    """What is asked: how often, and what it answers or raises."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.times = 0
        self.go_on = trio.Event()

    async def __call__(self) -> int:
        self.times += 1
        answer = self.answers.pop(0)
        await self.go_on.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_what_many_ask_for_is_asked_once() -> None:
    asked = 0

    async def answer() -> int:
        nonlocal asked
        asked += 1
        await trio.sleep(0.05)
        if asked == 1:
            raise Problem(Code.UNAVAILABLE, "away")
        return asked

    refused, got = 0, []
    recent = Recent(answer, 60.0)

    async def one() -> None:
        nonlocal refused
        try:
            got.append(await recent.get())
        except Problem as problem:
            refused += problem.detail == "away"

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(one)
    assert (asked, refused, got) == (1, 5, [])
    recent = Recent(answer, 60.0)
    assert [await recent.get(), await recent.get()] == [2, 2]


@pytest.mark.parametrize("keep_s", [0.0, 60.0])
async def test_an_answer_is_kept_for_so_long(keep_s: float) -> None:
    asked = Asked(1, 2, 3)
    asked.go_on.set()
    recent = Recent(asked, keep_s)
    found = [await recent.get() for _ in range(3)]
    assert found == ([1, 2, 3] if keep_s == 0.0 else [1, 1, 1]) and asked.times == len(set(found))


async def test_a_problem_is_kept_whole_and_each_who_asked_has_one_of_its_own() -> None:
    problem = Problem(Code.SESSION_OWNERS, "whose", {"owners": ["ab"]}, {"Retry-After": "7"}, status=418)
    asked = Asked(problem)
    asked.go_on.set()
    recent = Recent(asked, 60.0)
    found = []
    for _ in range(2):
        with pytest.raises(Problem) as caught:
            await recent.get()
        found.append(caught.value)
    for each in found:
        assert (each.code, each.detail, each.status) == (Code.SESSION_OWNERS, "whose", 418)
        assert (each.details, each.headers) == ({"owners": ["ab"]}, {"Retry-After": "7"})
    assert found[0] is not found[1] and asked.times == 1


async def test_what_is_no_answer_is_not_kept() -> None:
    asked = Asked(ValueError("a fault of this program"), 2)
    asked.go_on.set()
    recent = Recent(asked, 60.0)
    with pytest.raises(ValueError, match="fault"):
        await recent.get()
    assert await recent.get() == 2


async def test_who_gives_up_leaves_the_question_to_the_next_one() -> None:
    asked = Asked(1, 2)
    recent = Recent(asked, 60.0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(recent.get)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(recent.get)
        await trio.testing.wait_all_tasks_blocked()
        asked.go_on.set()
    assert await recent.get() == 2 and asked.times == 2
