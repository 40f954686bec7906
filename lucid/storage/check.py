"""What `lucid store check` finds of a store: its own damage, an unfinished import, a ledger at odds with its tree."""

from __future__ import annotations

from collections.abc import Iterator

from lucid.chain.blocks import Block, Header
from lucid.chain.codec import decode
from lucid.chain.errors import LucidError
from lucid.ledger.state import ROW_TABLE, ledger_of_rows, stored_ledger
from lucid.machines.chain import BLOCK_TABLE, HEIGHT_TABLE
from lucid.storage.errors import StoreDamaged
from lucid.storage.interface import IMPORT_TABLE, Store

Tables = dict[str, tuple[int, int]]
"""Rows and their bytes, by table."""


def check_store(store: Store) -> tuple[list[str], Tables]:
    """What is wrong, one sentence each, and how much each table holds. Raises `StoreError` where it cannot be read."""
    faults, tables = store.check(), Tables()
    try:
        tables = {table: _measure(store, table) for table in store.tables()}
        if IMPORT_TABLE in tables:
            faults.append("an import into this store did not finish: import again")
        else:
            faults += [*_ledger_faults(store), *_block_faults(store)]
    except StoreDamaged:
        if not faults:
            raise
    return faults, tables


def _measure(store: Store, table: str) -> tuple[int, int]:
    rows, size = 0, 0
    for key, value in store.scan(table):
        rows += 1
        size += len(key) + len(value)
    return rows, size


def _ledger_faults(store: Store) -> Iterator[str]:
    """Whether the state root that the stored tree gives is that of the rows."""
    rows = dict(store.scan(ROW_TABLE))
    if not rows:
        return
    try:
        kept, grown = stored_ledger(store), ledger_of_rows(store, rows)
    except LucidError as error:
        yield f"the ledger's rows cannot be read: {error}"
        return
    if kept is None or grown is None:
        yield "the ledger lacks its core rows"
    elif kept.root != grown.root:
        yield f"the ledger's rows have the state root {grown.root.hex()}, its tree {kept.root.hex()}"


def _block_faults(store: Store) -> Iterator[str]:
    """Whether each final height names a block that is there, is that block and follows the one below.

    Heights below a snapshot may be missing: a node that joined, or was far behind, never saw them.
    """
    before: Header | None = None
    for key, hash_ in store.scan(HEIGHT_TABLE):
        height = int.from_bytes(key, "big")
        data = store.get(BLOCK_TABLE, hash_)
        if data is None:
            yield f"the block of height {height} is missing"
            continue
        try:
            block = decode(data, Block)
        except LucidError as error:
            yield f"the block of height {height} cannot be read: {error}"
            continue
        header = block.header
        if (header.hash, header.height) != (hash_, height):
            yield f"the block of height {height} is another than its key says"
        elif not block.matches_header:
            yield f"the block of height {height} has another body than its header says"
        elif before is not None and before.height == height - 1 and before.hash != header.parent:
            yield f"the block of height {height} does not follow the one below"
        before = header
