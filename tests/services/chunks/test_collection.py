"""Copies go when the last session that needs them does, whoever is away, wiped or lying meanwhile; and no other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from msgspec import structs

from lucid.machines.replicamessages import ChunkHolding, ChunkNeed, ChunkQuestion
from lucid.services.chunks import collection as collecting
from lucid.services.chunks import replication as replicating
from lucid.services.chunks.sweeper import KEPT_MS
from lucid.services.process.driver import clock_ms
from tests.services.chunks.fleets import HURRIED, body, run
from tests.services.chunks.test_replication import BODIES, IDS, Fleet, Node, hurried
from tests.waiting import until

__all__ = ["hurried"]

CHUNKS = IDS[:6]
ONE, TWO = bytes([1]) * 16, bytes([2]) * 16


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long waits; and whatever was let go is due at once, where a sweep is far in the future."""
    monkeypatch.setattr(collecting, "GATHER_S", 0.02)
    monkeypatch.setattr(collecting, "ANSWER_S", 2.0)
    monkeypatch.setattr(replicating, "PACING", structs.replace(HURRIED, look_ms=500))


async def sweep(*nodes: Node) -> int:
    """Let a day and more go by at some nodes, one after the other; returns how many chunks went."""
    return sum([await node.chunks.sweeper.sweep(clock_ms() + KEPT_MS + 60_000) for node in nodes])


async def fill(fleet: Fleet, *nodes: Node, session: bytes = ONE) -> None:
    """Store a session's chunks at some nodes; all hold them then, and know who needs them."""
    for node in nodes:
        for data in BODIES[: len(CHUNKS)]:
            await node.chunks.put(body(data), session, None)
    await until(lambda: all(len(fleet.holders(chunk)) == len(fleet.nodes) for chunk in CHUNKS), 60)

    def known(each: Node, owner: Node) -> bool:
        return owner is each or all(owner.key in each.chunks.needs.of(chunk) for chunk in CHUNKS)

    for node in nodes:
        await heard(fleet, partial(known, owner=node))


async def heard(fleet: Fleet, holds: Callable[..., bool]) -> None:
    """Wait until something holds at every node's store for all chunks that were stored."""
    for node in list(fleet.nodes.values()):
        with trio.fail_after(60):
            while not await node.store.read(holds, node):
                await trio.sleep(0.02)


async def let_go(fleet: Fleet, node: Node, session: bytes = ONE) -> None:
    """Take a session's references at a node away."""
    for chunk in CHUNKS:
        assert await node.chunks.release(chunk, session) is not None


def everywhere(fleet: Fleet) -> bool:
    """Whether every node still has every chunk."""
    return all(fleet.holders(chunk) == set(fleet.nodes) for chunk in CHUNKS)


def all_unused(node: Node) -> bool:
    """Whether a node knows that nobody needs any of the chunks."""
    return all(node.chunks.rows.let_go(chunk) for chunk in CHUNKS)


def none_unused(node: Node) -> bool:
    """Whether a node knows of one who needs each of the chunks, itself or another."""
    rows = [node.chunks.rows.row(chunk) for chunk in CHUNKS]
    return all(row is not None and not row.unused_since_ms for row in rows)


async def test_copies_go_a_day_after_the_last_session_and_stay_while_one_needs_them(tmp_path: Path) -> None:
    async def test(fleet: Fleet) -> None:
        first, second, third = [await fleet.add(number) for number in (1, 2, 3)]
        await fill(fleet, first)
        await fill(fleet, second, session=TWO)
        await let_go(fleet, first)
        assert await sweep(first, second, third) == 0 and everywhere(fleet), "the other session needs them"
        await heard(fleet, none_unused)
        await let_go(fleet, second, TWO)
        await heard(fleet, all_unused)
        assert (
            sum([await node.chunks.sweeper.sweep(clock_ms() + KEPT_MS - 60_000) for node in fleet.nodes.values()]) == 0
        )
        assert everywhere(fleet), "their day is not over"
        assert await sweep(third, first, second) == 3 * len(CHUNKS)
        assert not any(fleet.holders(chunk) for chunk in CHUNKS)
        await trio.sleep(1.2)
        assert not any(fleet.holders(chunk) for chunk in CHUNKS), "and nobody brings them back"

        await fill(fleet, second)
        assert await sweep(first, second, third) == 0 and everywhere(fleet), "stored again they are as new ones"

    await run(tmp_path, Fleet, test)


async def test_a_node_that_is_away_is_waited_for_and_brings_nothing_back(tmp_path: Path) -> None:
    async def test(fleet: Fleet) -> None:
        first, second, third = [await fleet.add(number) for number in (1, 2, 3)]
        await fill(fleet, first)
        del fleet.nodes[third.key]
        await until(lambda: third.key not in first.replication.connected | second.replication.connected)
        await let_go(fleet, first)
        await heard(fleet, all_unused)
        assert await sweep(first, second) == 0, "the one that is away may need them"
        assert await third.store.read(none_unused, third), "and has not heard of it"
        fleet.nodes[third.key] = third
        await until(
            lambda: {first.key, second.key} <= third.replication.connected and third.key in first.replication.connected
        )
        await until(lambda: third.key in second.replication.connected)
        assert await sweep(first) == len(CHUNKS)
        await heard(fleet, lambda each: each is first or all_unused(each))
        assert await sweep(second, third) == 2 * len(CHUNKS)
        await trio.sleep(1.2)
        assert not any(fleet.holders(chunk) for chunk in CHUNKS)

    await run(tmp_path, Fleet, test)


async def test_what_a_lost_store_needed_stays(tmp_path: Path) -> None:
    async def test(fleet: Fleet) -> None:
        first, second, third = [await fleet.add(number) for number in (1, 2, 3)]
        await fill(fleet, first)
        first.die()
        again = await fleet.add(1, "anew")
        await until(lambda: everywhere(fleet), 60)
        assert await sweep(again, second, third) == 0
        # It says that it let go of what it never had: its new store cannot speak for the one that was lost.
        for node in (second, third):
            await node.replication.handle(
                first.key, ChunkNeed(0, again.replication.collection.name, frees=tuple(CHUNKS))
            )
        assert await sweep(again, second, third) == 0 and everywhere(fleet)

    await run(tmp_path, Fleet, test)


@pytest.mark.parametrize("lie", ["frees", "silence"])
async def test_a_liar_frees_nothing_that_another_needs(tmp_path: Path, lie: str) -> None:
    async def test(fleet: Fleet) -> None:
        first, second, third = [await fleet.add(number) for number in (1, 2, 3)]

        def twisted(message: Any) -> Any:
            if isinstance(message, ChunkNeed) and lie == "frees":
                every = (*message.needs, *message.keeps, *message.frees, *message.none)
                return ChunkNeed(message.request, message.store, frees=every)
            return None if isinstance(message, ChunkNeed) else message

        await fill(fleet, first)
        fleet.lies[third.key] = twisted
        await second.replication.handle(third.key, ChunkNeed(0, third.replication.collection.name, frees=tuple(CHUNKS)))
        assert await sweep(second) == 0 and everywhere(fleet), "the first one needs them"
        await let_go(fleet, first)
        await heard(fleet, all_unused)
        assert await sweep(first) == (len(CHUNKS) if lie == "frees" else 0), "and no answer is not permission"

    await run(tmp_path, Fleet, test)


async def test_a_need_that_comes_late_saves_a_copy(tmp_path: Path) -> None:
    async def test(fleet: Fleet) -> None:
        first, second, third = [await fleet.add(number) for number in (1, 2, 3)]
        await fill(fleet, first)
        await let_go(fleet, first)
        await heard(fleet, all_unused)
        for data in BODIES[: len(CHUNKS)]:
            await third.chunks.put(body(data), TWO, None)
        assert await sweep(first, second) == 0 and everywhere(fleet)
        await heard(fleet, none_unused)
        await heard(fleet, lambda each: each is third or third.key in each.chunks.needs.of(CHUNKS[0]))

    await run(tmp_path, Fleet, test)


async def test_questions_are_answered_by_what_is_known(tmp_path: Path) -> None:
    async def test(fleet: Fleet) -> None:
        first, second = [await fleet.add(number) for number in (1, 2)]
        said: list[Any] = []

        def noted(message: Any) -> Any:
            said.append(message)
            return message

        fleet.lies[second.key] = noted
        await first.chunks.put(body(BODIES[0]), ONE, None)
        await until(lambda: len(fleet.holders(IDS[0])) == 2)
        await heard(fleet, lambda each: each is first or first.key in each.chunks.needs.of(IDS[0]))
        await second.chunks.put(body(BODIES[1]), ONE, None)
        said.clear()
        stranger = bytes([9]) * 32
        fleet.nodes[stranger] = first  # whom the answer reaches does not matter
        await second.replication.handle(stranger, ChunkQuestion(7, (IDS[0], IDS[1], IDS[2])))
        answers = [each for each in said if isinstance(each, ChunkNeed) and each.none]
        [answer] = answers
        assert (answer.request, answer.needs, answer.keeps, answer.frees, answer.none) == (
            7,
            (IDS[1],),
            (IDS[0],),
            (),
            (IDS[2],),
        )
        del fleet.nodes[stranger]
        await second.replication.handle(first.key, ChunkHolding(bytes(16), (), (IDS[1], IDS[0])))
        assert any(isinstance(each, ChunkNeed) and each.needs == (IDS[1],) and not each.none for each in said)

    await run(tmp_path, Fleet, test)
