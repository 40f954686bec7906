"""Costly work: one at a time, in a thread, few wait for it, and who has gone waits for none."""

from __future__ import annotations

import os
import threading
import time

import pytest
import trio

from lucid.chain.errors import Code
from lucid.services.web.costly import MAX_WAITING, Costly
from lucid.services.web.problems import Problem
from tests.waiting import until


async def test_it_gives_what_the_work_returns_from_another_thread_and_raises_what_it_raises() -> None:
    costly = Costly()
    assert await costly.run(divmod, 7, 2) == (3, 1)
    assert await costly.run(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await costly.run(divmod, 1, 0)
    assert await costly.run(divmod, 7, 2) == (3, 1), "what failed keeps no place"


async def test_one_is_done_at_a_time_few_wait_and_the_next_is_told_to_come_again() -> None:
    costly, release, running, most, refused = Costly(), threading.Event(), 0, 0, 0

    def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        assert release.wait(120)
        time.sleep(0.001)
        running -= 1

    async def one() -> None:
        nonlocal refused
        try:
            await costly.run(work)
        except Problem as problem:
            assert (problem.code, problem.status) == (Code.TOO_MANY, 503)
            refused += 1

    async with trio.open_nursery() as nursery:
        for _ in range(MAX_WAITING + 4):
            nursery.start_soon(one)
        await until(lambda: refused == 3)
        release.set()
    assert (most, running, refused) == (1, 0, 3)


async def test_who_goes_while_waiting_leaves_its_place_to_others() -> None:
    costly, release = Costly(), threading.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(costly.run, release.wait, 120)
        await until(lambda: costly._limiter.borrowed_tokens)
        async with trio.open_nursery() as waiting:
            for _ in range(MAX_WAITING):
                waiting.start_soon(costly.run, os.getpid)
            await until(lambda: costly._limiter.statistics().tasks_waiting == MAX_WAITING)
            with pytest.raises(Problem):
                await costly.run(os.getpid)
            waiting.cancel_scope.cancel()
        release.set()
        assert await costly.run(os.getpid) == os.getpid()
