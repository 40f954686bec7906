"""Going through sessions: all of them, page by page, again and again, whatever fails meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
import trio

from lucid.chain.errors import Code
from lucid.services.chunks import looking
from lucid.services.chunks.looking import look_through
from lucid.services.chunks.storedlists import StoredLists, kept
from lucid.services.web.problems import Problem
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged
from lucid.storage.sqlite import SqliteStore
from tests.waiting import until

SESSIONS = [bytes([number]) * 48 for number in range(1, 8)]


class Rules:
    """The rules in force."""

    rules = 6


async def run(folder: Path, look: Callable[[Sequence[bytes]], Awaitable[None]], test: Callable[[], Awaitable[None]],
              rules: Rules, retry_s: float | None = None) -> None:  # fmt: skip
    """Seven sessions whose lists are here, and who looks at them."""
    with closing(SqliteStore(folder / "data.sqlite")) as sqlite:
        store = DurableStore(sqlite)

        async def through() -> None:
            lists = StoredLists(store)
            await look_through(look, rules=rules, since=6, store=store, lists=lists, pause_s=0.01, retry_s=retry_s)

        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            await store.write([write for each in SESSIONS for write in kept(each, [bytes(32)])])
            nursery.start_soon(through)
            await test()
            nursery.cancel_scope.cancel()


async def test_all_are_seen_again_and_again_also_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "PAGE", 3)
    pages: list[list[bytes]] = []

    async def look(sessions: Sequence[bytes]) -> None:
        pages.append(list(sessions))
        if len(pages) == 2:
            raise Problem(Code.UNAVAILABLE)

    async def test() -> None:
        await until(lambda: len(pages) > 6)
        first, second, third = SESSIONS[:3], SESSIONS[3:6], SESSIONS[6:]
        assert pages[:6] == [first, second, second, third, first, second]

    await run(tmp_path, look, test, Rules())


async def test_a_failure_may_have_a_pause_of_its_own(tmp_path: Path) -> None:
    seen: list[float] = []

    async def look(sessions: Sequence[bytes]) -> None:
        seen.append(trio.current_time())
        if len(seen) == 1:
            raise Problem(Code.UNAVAILABLE)

    async def test() -> None:
        await until(lambda: len(seen) > 2)
        assert seen[1] - seen[0] >= 0.3 > seen[2] - seen[1]

    await run(tmp_path, look, test, Rules(), retry_s=0.3)


async def test_nobody_looks_before_the_rules_that_have_it(tmp_path: Path) -> None:
    seen: list[int] = []
    rules = Rules()
    rules.rules = 5

    async def look(sessions: Sequence[bytes]) -> None:
        seen.append(rules.rules)

    async def test() -> None:
        await trio.sleep(0.1)
        rules.rules = 6
        await until(lambda: len(seen) > 1)
        assert set(seen) == {6}

    await run(tmp_path, look, test, rules)


async def test_a_damaged_store_ends_it(tmp_path: Path) -> None:
    seen: list[int] = []

    async def look(sessions: Sequence[bytes]) -> None:
        seen.append(len(sessions))
        raise StoreDamaged("it is rotten")

    async def test() -> None:
        await until(lambda: bool(seen))
        await trio.sleep(0.1)
        assert seen == [7]

    await run(tmp_path, look, test, Rules())
