"""What data chains say on the chain that they hold: when they say it, and when they take it back."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from lucid.machines.replicamessages import SessionOffer
from lucid.services.chunks import holdings as saying
from tests.services.chunks.fleets import body, run
from tests.services.chunks.holdingfleet import BODIES, IDS, SESSION, Fleet, hurried
from tests.waiting import until

__all__ = ["hurried"]
pytestmark = pytest.mark.usefixtures("hurried")


async def test_each_node_says_what_it_holds_once_all_that_belongs_there_is_there(tmp_path: Path) -> None:
    async def test(fleet: Fleet) -> None:
        nodes = await fleet.grow(5)
        for data in BODIES:
            await nodes[0].chunks.put(body(data), SESSION, None)
        fleet.anchor(nodes[0], IDS)
        await until(lambda: all(fleet.says(node) == fleet.belong(node) for node in nodes[1:]))
        await until(lambda: fleet.says(nodes[0]) == ((0, 12),))  # it keeps what it was given
        found = fleet.chain.replicas(5, nodes[0].key, SESSION)
        assert found is not None and found["copies"] >= 3
        times = fleet.chain.times
        await trio.sleep(1)
        assert fleet.chain.times == times <= 5, "and says it once"
        assert await nodes[0].holdings.copies.fewest(SESSION) == found["copies"]
        assert await nodes[0].holdings.copies.fewest(b"?" * 48) == 0
        assert await nodes[0].holdings.copies.fewest(SESSION[:16]) is None

    await run(tmp_path, Fleet, test)


async def test_what_is_lost_is_taken_back_and_what_is_repaired_is_said_again(tmp_path: Path) -> None:
    async def test(fleet: Fleet) -> None:
        nodes = await fleet.grow(3)
        for data in BODIES:
            await nodes[0].chunks.put(body(data), SESSION, None)
        fleet.anchor(nodes[0], IDS)
        await until(lambda: all(fleet.says(node) == ((0, 12),) for node in nodes))
        fleet.lies = {node.key: lambda message: None for node in nodes[:2]}  # nobody answers
        place = nodes[2].chunks.folder.place(IDS[3])
        place.write_bytes(b"rot" * 500)
        await nodes[2].chunks.inspection.check(IDS[3])
        await until(lambda: fleet.says(nodes[2]) == ((0, 3), (4, 8)))
        found = fleet.chain.replicas(3, nodes[0].key, SESSION)
        assert found is not None and (found["copies"], found["wanted"]) == (2, 3)
        fleet.lies = {}
        await until(lambda: fleet.says(nodes[2]) == ((0, 12),))

    await run(tmp_path, Fleet, test)


async def test_nothing_is_said_before_rules_3_and_all_of_it_then(tmp_path: Path) -> None:
    async def test(fleet: Fleet) -> None:
        fleet.chain.rules = 2
        nodes = await fleet.grow(3)
        for data in BODIES:
            await nodes[0].chunks.put(body(data), SESSION, None)
        fleet.anchor(nodes[0], IDS)
        await until(lambda: all(node.chunks.inventory.count == 12 for node in nodes))
        await nodes[1].holdings.lists.handle(nodes[0].key, SessionOffer((SESSION,)))
        await trio.sleep(0.5)
        assert not fleet.chain.said and await nodes[0].holdings.copies.fewest(SESSION) is None
        fleet.chain.away = True  # its engine cannot take anything yet
        fleet.chain.rules = 3
        await trio.sleep(0.5)
        assert not fleet.chain.said
        fleet.chain.away = False
        await until(lambda: all(fleet.says(node) == ((0, 12),) for node in nodes))

    await run(tmp_path, Fleet, test)


async def test_what_was_said_before_there_were_proofs_is_said_anew_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(fleet: Fleet) -> None:
        (node,) = await fleet.grow(1)
        for data in BODIES:
            await node.chunks.put(body(data), SESSION, None)
        fleet.anchor(node, IDS)
        await until(lambda: fleet.says(node) == ((0, 12),))
        times = fleet.chain.times
        fleet.chain.rules = 4
        fleet.chain.stale = {(SESSION, node.key)}
        await until(lambda: not fleet.chain.stale)
        await trio.sleep(0.5)
        assert fleet.chain.times == times + 1 and fleet.says(node) == ((0, 12),)

    monkeypatch.setattr(saying, "SAID_BLOCKS", 0)
    await run(tmp_path, Fleet, test)


async def test_a_session_that_went_is_taken_back_and_its_list_forgotten(tmp_path: Path) -> None:
    async def test(fleet: Fleet) -> None:
        (node,) = await fleet.grow(1)
        for data in BODIES:
            await node.chunks.put(body(data), SESSION, None)
        fleet.anchor(node, IDS)
        await until(lambda: fleet.says(node) == ((0, 12),))
        fleet.members.append(b"z" * 32)  # where nothing of it is, or all
        fleet.members.remove(node.key)
        for chunk in IDS:
            node.chunks.folder.remove(chunk)
            await node.chunks.inspection.check(chunk)
        await until(lambda: fleet.says(node) == ())
        with trio.fail_after(120):
            while await node.store.read(node.holdings.lists.stored.known, SESSION):
                await trio.sleep(0.05)

    await run(tmp_path, Fleet, test)
