"""Who led in slots that are over, kept for some epochs: the ledger knows those of the current slot alone."""

from __future__ import annotations

from lucid.chain.codec import decode, encode
from lucid.ledger.rowstore import Write
from lucid.machines.chain import Chain, height_key
from lucid.storage.durable import DurableStore

SCHEDULE_TABLE = "schedule"
SCHEDULE_EPOCHS = 8
"""Epochs whose schedules are kept."""


class Schedules:
    """The leaders of every slot that a block became final in, best first. `last` is the newest: (epoch, slot); None
    before the first."""

    def __init__(self, chain: Chain, store: DurableStore) -> None:
        self.last: tuple[int, int] | None = None
        self._chain = chain
        self._store = store

    def leaders(self, epoch: int, slot: int) -> tuple[bytes, ...] | None:
        """Node ids of who leads in a slot; None if no final block is in it here."""
        held = self._store.get(SCHEDULE_TABLE, height_key(epoch) + height_key(slot))
        return None if held is None else decode(held, tuple[bytes, ...])

    async def keep(self) -> None:
        """Note who leads in the slot of the last final block; forget what is many epochs old."""
        core = self._chain.tree.root.ledger.core
        place = core.head.epoch, core.schedule.slot
        # Before the first block there is no slot yet, and the order is not the one of the first.
        if place == self.last or place[1] < 0:
            return
        members = core.roster.members
        leaders = tuple(members[number].key for number in core.schedule.order)
        writes: list[Write] = [(SCHEDULE_TABLE, height_key(place[0]) + height_key(place[1]), encode(leaders))]
        if self.last is None or place[0] != self.last[0]:
            writes += await self._store.read_when_there(self._forgotten, place[0])
        self.last = place
        self._store.put(writes, lazily=True)

    def _forgotten(self, epoch: int) -> list[Write]:
        """The deletion of what is too old in an epoch."""
        writes: list[Write] = []
        for key, _ in self._store.scan(SCHEDULE_TABLE):
            if int.from_bytes(key[:8], "big") + SCHEDULE_EPOCHS > epoch:
                break
            writes.append((SCHEDULE_TABLE, key, None))
        return writes
