"""What `lucid store check` finds: the store's own damage, an unfinished import, a ledger at odds with its tree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lucid.chain.blocks import Block, Header
from lucid.chain.chunks import MIN_CHUNK_BYTES
from lucid.chain.codec import decode, encode
from lucid.chain.errors import LucidError
from lucid.ledger.state import ROW_TABLE, ledger_of_rows, stored_ledger
from lucid.machines.chain import BLOCK_TABLE, HEIGHT_TABLE
from lucid.storage.chunkfiles import CHUNK_TABLE, ChunkFolder, ChunkRow, decode_row
from lucid.storage.findings import Finding, look_at
from lucid.storage.interface import IMPORT_TABLE, Store, StoreDamaged

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


def check_chunks(store: Store, path: Path) -> list[str]:
    """What is wrong with the chunk files in a folder, each read as a whole. Raises `StoreError` and OSError."""
    folder, faults, known = ChunkFolder(path), list[str](), set[bytes]()
    for chunk, data in store.scan(CHUNK_TABLE):
        known.add(chunk)
        row = decode_row(chunk, data)
        try:
            finding, size = look_at(folder.place(chunk), chunk)
        except OSError as error:
            faults.append(f"the file of the chunk {chunk.hex()} cannot be read: {error.strerror}")
            continue
        if finding is Finding.MISSING:
            faults.append(f"the file of the chunk {chunk.hex()} is missing")
        elif finding is Finding.CORRUPTED:
            faults.append(f"the file of the chunk {chunk.hex()} does not have its bytes")
        elif size != row.size:
            faults.append(f"the chunk {chunk.hex()} has {size} bytes, its row says {row.size}")
    faults += [f"the store does not know the chunk {each.hex()}" for each in folder.chunks() if each not in known]
    return faults


def adopt_chunks(store: Store, path: Path) -> tuple[int, list[str]]:
    """Make rows of the chunk files that a store does not know, each verified; returns how many, and the names of files
    that are not what they are called. Raises `StoreError` and OSError."""
    folder, adopted, wrong = ChunkFolder(path), 0, list[str]()
    for chunk in folder.chunks():
        if store.get(CHUNK_TABLE, chunk) is not None:
            continue
        finding, size = look_at(folder.place(chunk), chunk)
        if finding is Finding.SOUND and size >= MIN_CHUNK_BYTES:
            store.write([(CHUNK_TABLE, chunk, encode(ChunkRow(size, 0)))])
            adopted += 1
        else:
            wrong.append(chunk.hex())
    return adopted, wrong


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
