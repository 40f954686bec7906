"""The index of final transactions: where each is, how far it is level, and that no crash leaves a gap in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
import trio

from lucid.ledger.rowstore import Write
from lucid.machines.chain import HEIGHT_TABLE, height_key
from lucid.services.chain import index as indexing
from lucid.services.chain.index import CURSOR_TABLE, INDEX_TABLE, Position, TransactionIndex
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged
from lucid.storage.interface import Store
from lucid.storage.sqlite import SqliteStore
from tests.builders import make_genesis
from tests.services.chain.growing import Growing
from tests.waiting import until

BLOCKS = 9
GENESIS = make_genesis()


async def nothing() -> None:
    """What else is kept."""


@pytest.fixture
def growing(store: SqliteStore) -> Growing:
    """Some blocks, the first two of them with transactions."""
    found = Growing(store, GENESIS)
    found.grow(found.signers.anchor(0), found.signers.anchor(1))
    found.grow(found.signers.anchor(2))
    while found.chain.tree.root.height < BLOCKS:
        found.grow()
    return found


def where(growing: Growing) -> dict[bytes, Position]:
    """Where each transaction is, by the blocks."""
    return {
        transaction.id: Position(block.header.height, position)
        for block in growing.signers.blocks
        for position, transaction in enumerate(block.transactions)
    }


@asynccontextmanager
async def following(growing: Growing, store: Store | None = None) -> AsyncIterator[TransactionIndex]:
    """An index at work, as a start of the service finds it."""
    durable = DurableStore(store or growing.inner)
    index = TransactionIndex(growing.chain, durable, nothing)
    async with trio.open_nursery() as nursery:
        await nursery.start(durable.run)
        nursery.start_soon(index.run)
        yield index
        durable.end()
        nursery.cancel_scope.cancel()


async def test_each_final_transaction_is_found_where_its_block_has_it(growing: Growing) -> None:
    async with following(growing) as index:
        await until(lambda: index.height == BLOCKS)
        expected = where(growing)
        assert len(expected) == 3
        for transaction, position in expected.items():
            assert await growing.store.read(index.place, transaction) == position
        assert await growing.store.read(index.place, bytes(32)) is None
        changed = index.changed
        block = growing.grow(growing.signers.anchor(3))
        assert not changed.is_set()
        index.follow()
        with trio.fail_after(60):
            await changed.wait()
        assert index.height == BLOCKS + 1 and index.changed is not changed, "whoever waits for more has a new one"
        assert await growing.store.read(index.place, block.transactions[0].id) == (BLOCKS + 1, 0)


@pytest.mark.parametrize("cut", range(4))
async def test_after_a_crash_it_goes_on_from_what_was_stored(
    growing: Growing, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of its rows and how far they reach are one write: whichever pages were lost, no block is passed over."""
    monkeypatch.setattr(indexing, "PAGE_BLOCKS", 3)
    written: list[list[Write]] = []

    class Noting(DurableStore):
        def put(self, writes: Iterable[Write], lazily: bool = False) -> int:
            assert lazily, "it costs no commit of its own"
            written.append(list(writes))
            return 0

    index = TransactionIndex(growing.chain, Noting(growing.inner), nothing)
    while await index._page():
        pass
    assert [sum(table == CURSOR_TABLE for table, _, _ in page) for page in written] == [1, 1, 1]
    for page in written[:cut]:
        growing.inner.write(page)
    async with following(growing) as again:
        assert again.height in (3 * cut, BLOCKS)
        await until(lambda: again.height == BLOCKS)
        for transaction, position in where(growing).items():
            assert await growing.store.read(again.place, transaction) == position


async def test_a_node_that_began_with_a_snapshot_lacks_the_first_blocks(growing: Growing) -> None:
    first = growing.signers.blocks[0]
    growing.inner.write([("block", first.header.hash, None), (HEIGHT_TABLE, height_key(1), None)])
    async with following(growing) as index:
        await until(lambda: index.height == BLOCKS)
        places = [await growing.store.read(index.place, each) for each in where(growing)]
        assert places == [None, None, (2, 0)]


async def test_damage_ends_it_and_nothing_else(growing: Growing) -> None:
    class Damaged:
        """A store whose blocks cannot be read."""

        def get(self, table: str, key: bytes) -> bytes | None:
            if table == "block":
                raise StoreDamaged("a row cannot be read", table, key)
            return growing.inner.get(table, key)

        def __getattr__(self, name: str) -> object:
            return getattr(growing.inner, name)

    durable = DurableStore(Damaged())  # type: ignore[arg-type]
    growing.chain.reader = durable
    index = TransactionIndex(growing.chain, durable, nothing)
    with trio.fail_after(60):
        await index.run()
    assert index.height == 0 and durable.damage is not None
    assert list(growing.inner.scan(INDEX_TABLE)) == list(growing.inner.scan(CURSOR_TABLE)) == []
