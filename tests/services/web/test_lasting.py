"""Changes that go on after their caller was told to come back: made once, bounded, no failure of the service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import trio

from lucid.chain.errors import Code
from lucid.services.web import lasting as lasting_module
from lucid.services.web.lasting import MAX_LASTING, Lasting
from lucid.services.web.problems import Problem
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged, StoreFull
from lucid.storage.sqlite import SqliteStore


@asynccontextmanager
async def lasting(folder: Path) -> AsyncIterator[tuple[Lasting, DurableStore]]:
    """One that runs, beside a store."""
    with closing(SqliteStore(folder / "data.sqlite")) as sqlite:
        store = DurableStore(sqlite)
        made = Lasting(store, 5.0)
        async with trio.open_nursery() as nursery:
            await nursery.start(made.run)
            yield made, store
            nursery.cancel_scope.cancel()


async def test_a_change_gives_what_it_returns_and_raises_what_it_raises(tmp_path: Path) -> None:
    async def change() -> int:
        return 3

    async def fail() -> int:
        raise Problem(Code.NOT_FOUND)

    async with lasting(tmp_path) as (made, _):
        assert await made.carry_out(change) == 3
        with pytest.raises(Problem) as caught:
            await made.carry_out(fail)
        assert caught.value.code is Code.NOT_FOUND
        assert await made.carry_out(change) == 3


@pytest.mark.parametrize(
    ("trouble", "code"), [(None, Code.UNAVAILABLE), (StoreFull("/secret/path: no room"), Code.STORE_FULL)]
)
async def test_one_that_takes_long_goes_on_and_its_caller_is_told_why(
    tmp_path: Path, trouble: StoreFull | None, code: Code, autojump_clock: object
) -> None:
    done: list[bool] = []

    async def change() -> None:
        await trio.sleep(60)
        done.append(True)

    async with lasting(tmp_path) as (made, store):
        store._trouble = trouble
        began = trio.current_time()
        with pytest.raises(Problem, match="the change waits, and is made as soon as it can be") as caught:
            await made.carry_out(change)
        assert caught.value.code is code and "secret" not in caught.value.detail
        assert trio.current_time() - began == pytest.approx(5) and not done
        await trio.sleep(60)
        assert done == [True]


async def test_who_has_gone_has_its_change_made_all_the_same(tmp_path: Path, autojump_clock: object) -> None:
    done = trio.Event()

    async def change() -> None:
        await trio.sleep(1)
        done.set()

    async with lasting(tmp_path) as (made, _):
        with trio.move_on_after(0.5) as gone:
            await made.carry_out(change)
        assert gone.cancelled_caught
        with trio.fail_after(60):
            await done.wait()


async def test_a_failure_that_nobody_waits_for_ends_nothing(
    tmp_path: Path, autojump_clock: object, caplog: pytest.LogCaptureFixture
) -> None:
    async def change() -> None:
        await trio.sleep(10)
        raise OSError("as a test")

    async with lasting(tmp_path) as (made, _):
        with caplog.at_level("INFO"), pytest.raises(Problem):
            await made.carry_out(change)
        with caplog.at_level("INFO"):
            await trio.sleep(10)
        assert "a change was not made: as a test" in caplog.text
        with pytest.raises(Problem):
            await made.carry_out(change)


async def test_those_under_way_are_bounded_also_where_all_come_at_once(tmp_path: Path, autojump_clock: object) -> None:
    begun, refused = 0, 0

    async def change() -> None:
        nonlocal begun
        begun += 1
        await trio.sleep(60)

    async def ask(made: Lasting) -> None:
        nonlocal refused
        with pytest.raises(Problem) as caught:
            await made.carry_out(change)
        if caught.value.code is Code.TOO_MANY:
            assert caught.value.status == 503
            refused += 1

    async with lasting(tmp_path) as (made, _):
        async with trio.open_nursery() as nursery:
            for _ in range(MAX_LASTING + 10):
                nursery.start_soon(ask, made)
        assert (begun, refused) == (MAX_LASTING, 10)
        await trio.sleep(60)
        assert made._count == 0 and lasting_module.MAX_LASTING < 1_000


async def test_where_no_change_is_made_any_more_the_caller_is_told_what_the_store_has(tmp_path: Path) -> None:
    """A service whose store is damaged goes on answering; what carried changes out has ended with it."""

    async def change() -> None:
        raise AssertionError("it is never begun")

    async with lasting(tmp_path) as (made, store):
        pass
    with pytest.raises(Problem) as caught:
        await made.carry_out(change)
    assert (caught.value.code, caught.value.status) == (Code.UNAVAILABLE, 503)
    store.damage = StoreDamaged("/secret/path: it is")
    with pytest.raises(Problem) as caught:
        await made.carry_out(change)
    assert (caught.value.code, caught.value.status) == (Code.STORE_DAMAGED, 503)
    assert "secret" not in caught.value.detail
