"""Rows of a store as a file: what `lucid store export` writes and `lucid store import` reads.

The log of votes is not part of it (protocol section 4): a node that starts from a copy must not take its votes for new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.ledger.rowstore import Write
from lucid.storage.errors import StoreError, StoreOther
from lucid.storage.files import whole_file
from lucid.storage.identity import Identity, identity_of
from lucid.storage.interface import IDENTITY_TABLE, IMPORT_TABLE, NEVER_COPIED, SCHEMA_VERSION, Store
from lucid.storage.records import RecordWriter, read_records

Progress = Callable[[int, int], None]
"""What is told how much is done, of how much."""


def silent(done: int, total: int) -> None:
    """Nobody watches."""


EXPORT_FORMAT = "lucid store"
LEFT_OUT = (*NEVER_COPIED, IMPORT_TABLE)
TOLD_ROWS = 1_000
"""How many rows are written between two words about it."""
BATCH_BYTES = 1 << 20
ROW_BYTES = 64
"""What a row counts for besides its bytes, so that a batch of empty ones has an end too."""
UNFINISHED_KEY = b"unfinished"
FRESH, OWNED = b"", b"\x01"
"""Whether a store that an import goes into had an identity before: one that came with the import does not bind it."""


class ExportHeader(Record):
    """First record of an export."""

    format: str
    version: int


class ExportedRow(Record):
    """Every further record of an export: a row, in ascending order of table and key."""

    table: str
    key: bytes
    value: bytes


def export_store(store: Store, path: Path, progress: Progress = silent) -> int:
    """Write all rows but the votes to a new file, durably; returns how many, of which `progress` is told (with 0 for
    all that there will be). Raises `StoreError` and `OSError`."""
    count = 0
    with whole_file(path) as part:
        writer = RecordWriter(part)
        try:
            writer.write(ExportHeader(EXPORT_FORMAT, SCHEMA_VERSION))
            for table in store.tables():
                if table in LEFT_OUT:
                    continue
                for key, value in store.scan(table):
                    writer.write(ExportedRow(table, key, value))
                    count += 1
                    if count % TOLD_ROWS == 0:
                        progress(count, 0)
        finally:
            writer.close()
    return count


def check_export(path: Path) -> int:
    """How many rows an export has, each looked at. Raises OSError, and `Refusal` for what is not a whole export."""
    return sum(1 for _ in read_export(path))


def import_store(path: Path, store: Store, progress: Progress = silent) -> int:
    """Write an export's rows to a store that holds none but votes; returns how many, of which `progress` is told.

    The whole file is checked before the first row is written, and an import that fails takes back what it wrote. A
    store whose import was cut short opens for nothing but an import. Raises `Refusal` for a file that is not a whole
    export, `StoreError` and `OSError`.
    """
    unfinished = store.get(IMPORT_TABLE, UNFINISHED_KEY)
    mine = None if unfinished == FRESH else identity_of(store)
    total = 0
    for row in read_export(path):
        total += 1
        if row.table == IDENTITY_TABLE and mine is not None and row.value != encode(mine):
            raise StoreOther(f"it is that of {mine}; {path} is of {decode(row.value, Identity)}")
    spared = NEVER_COPIED if mine is None else (*NEVER_COPIED, IDENTITY_TABLE)
    held = [table for table in store.tables() if table not in spared]
    if held and unfinished is None:
        raise StoreError(f"the store already holds data ({', '.join(held)}); import into an empty one")
    store.write([(IMPORT_TABLE, UNFINISHED_KEY, FRESH if mine is None else OWNED)])
    try:
        _clear(store, spared)  # what an import that was cut short left may be of another file
        rows: Iterator[Write] = ((row.table, row.key, row.value) for row in read_export(path))
        count = _write(store, rows, lambda done: progress(done, total))
    except BaseException:
        with suppress(StoreError):  # the mark stays: the store opens for an import alone
            _clear(store, spared)
            store.write([(IMPORT_TABLE, UNFINISHED_KEY, None)])
        raise
    store.write([(IMPORT_TABLE, UNFINISHED_KEY, None)])
    return count


def _clear(store: Store, spared: tuple[str, ...]) -> None:
    """Remove all rows but those of the tables that are spared, and the mark of an import."""
    for table in store.tables():
        if table not in (*spared, IMPORT_TABLE):
            _write(store, ((table, key, None) for key, _ in store.scan(table)))


def read_export(path: Path) -> Iterator[ExportedRow]:
    """The rows of an export. Raises `Refusal`, also while iterating, when it is none or damaged, and `OSError`."""
    try:
        records = read_records(path)
        head = decode(next(records, b""), ExportHeader)
    except Refusal as refusal:
        raise Refusal(Code.MALFORMED, f"{path} is not an export of a store: {refusal.detail}") from None
    if (head.format, head.version) != (EXPORT_FORMAT, SCHEMA_VERSION):
        raise Refusal(Code.MALFORMED, f"{path} is {head.format!r} of version {head.version}; this is {SCHEMA_VERSION}")
    before = ("", b"")
    try:
        for data in records:
            row = decode(data, ExportedRow)
            if row.table in LEFT_OUT or (row.table, row.key) <= before:
                raise Refusal(Code.MALFORMED, f"a row of the table {row.table!r} is out of place")
            before = (row.table, row.key)
            yield row
    except Refusal as refusal:
        raise Refusal(Code.MALFORMED, f"{path} is damaged or cut short: {refusal.detail}") from None


def _write(store: Store, writes: Iterator[Write], progress: Callable[[int], None] = lambda _: None) -> int:
    """Write in batches of a bounded size, after each of which `progress` is told how many writes were done; returns how
    many there were."""
    count, size = 0, 0
    batch: list[Write] = []
    for write in writes:
        batch.append(write)
        count += 1
        size += ROW_BYTES + len(write[1]) + len(write[2] or b"")
        if size >= BATCH_BYTES:
            store.write(batch)
            progress(count)
            batch, size = [], 0
    store.write(batch)
    progress(count)
    return count
