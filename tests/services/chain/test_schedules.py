"""Who led in slots that are over: kept for each slot that a block became final in, and for some epochs."""

from __future__ import annotations

import pytest
import trio

from lucid.services.chain import schedules as keeping
from lucid.services.chain.schedules import Schedules
from lucid.storage.sqlite import SqliteStore
from tests.builders import make_genesis
from tests.services.chain.growing import Growing

GENESIS = make_genesis()


async def test_each_slot_s_leaders_are_kept_and_forgotten_after_some_epochs(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "SCHEDULE_EPOCHS", 2)
    growing = Growing(store, GENESIS)
    schedules = Schedules(growing.chain, growing.store)
    await schedules.keep()
    assert schedules.last is None, "before the first block nobody has led, and the order is not that of the first slot"
    ranked: dict[tuple[int, int], tuple[bytes, ...]] = {}
    while growing.signers.tip.core.head.epoch < 4:
        block = growing.grow()
        core = growing.signers.tip.core
        place = core.head.epoch, core.schedule.slot
        ranked[place] = tuple(core.roster.members[number].key for number in core.schedule.order)
        assert ranked[place][0] == block.header.proposer, "whoever missed no view"
        for _ in range(2):
            await schedules.keep()
        assert schedules.last == place
    assert {epoch for epoch, _ in ranked} == set(range(5)) and len(ranked) > 8
    for (epoch, slot), leaders in ranked.items():
        kept = await trio.to_thread.run_sync(schedules.leaders, epoch, slot)
        assert kept == (leaders if epoch > 4 - 2 else None)
    assert await trio.to_thread.run_sync(schedules.leaders, 4, 99) is None


async def test_a_start_knows_what_was_kept_before(store: SqliteStore) -> None:
    growing = Growing(store, GENESIS)
    growing.grow()
    async with trio.open_nursery() as nursery:
        await nursery.start(growing.store.run)
        before = Schedules(growing.chain, growing.store)
        await before.keep()
        await growing.store.drained()
        again = Schedules(growing.chain, growing.store)
        assert before.last is not None and again.last is None, "it says what it kept itself"
        found = await growing.store.read(again.leaders, *before.last)
        assert found is not None and found[0] == growing.signers.blocks[0].header.proposer
        growing.store.end()
        nursery.cancel_scope.cancel()
