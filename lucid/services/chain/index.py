"""Where each final transaction is: an index that the manager's service keeps beside its machine's tables.

It follows the chain block by block and knows how far it came, so that after a crash it goes on from there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

import trio

from lucid.ledger.rowstore import Write
from lucid.machines.chain import Chain, height_key
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged

INDEX_TABLE = "transaction"
CURSOR_TABLE = "indexed"
CURSOR_KEY = b"height"
PAGE_BLOCKS = 256


class Position(NamedTuple):
    """A transaction's block and its position in it."""

    height: int
    position: int


class TransactionIndex:
    """The index; `changed` is set and made anew each time that it has come further.

    `keep` is what else is noted of the final blocks when there are new ones.
    """

    def __init__(self, chain: Chain, store: DurableStore, keep: Callable[[], Awaitable[None]]) -> None:
        self._chain = chain
        self._store = store
        self._keep = keep
        held = store.get(CURSOR_TABLE, CURSOR_KEY)
        self.height = 0 if held is None else int.from_bytes(held, "big")
        self.changed = trio.Event()
        self._wanted = trio.Event()

    def follow(self) -> None:
        """The chain has grown."""
        self._wanted.set()

    def place(self, transaction: bytes) -> Position | None:
        """Where a final transaction is."""
        data = self._store.get(INDEX_TABLE, transaction)
        return None if data is None else Position(int.from_bytes(data[:8], "big"), int.from_bytes(data[8:], "big"))

    async def run(self) -> None:
        """Index what becomes final, until damage is met in the store."""
        with suppress(StoreDamaged):  # the store has logged it and says so
            while True:
                self._wanted = trio.Event()
                await self._keep()
                while await self._page():
                    pass
                await self._wanted.wait()

    async def _page(self) -> bool:
        """Index some more blocks; returns whether there were any. A node that began with a snapshot lacks the first."""
        top = self._chain.tree.root.height
        last = min(top, self.height + PAGE_BLOCKS)
        if last <= self.height:
            return False
        writes = await self._store.read_when_there(self._writes, self.height + 1, last)
        # Lost in a crash, it is found again: with the blocks themselves, which are durable.
        self._store.put([*writes, (CURSOR_TABLE, CURSOR_KEY, height_key(last))], lazily=True)
        self.height = last
        self.changed.set()
        self.changed = trio.Event()
        return True

    def _writes(self, first: int, last: int) -> list[Write]:
        writes: list[Write] = []
        for height in range(first, last + 1):
            block = self._chain.block_at(height)
            if block is not None:
                writes += [
                    (INDEX_TABLE, transaction.id, height_key(height) + height_key(position))
                    for position, transaction in enumerate(block.transactions)
                ]
        return writes
