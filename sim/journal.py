"""Journal files: written by a run, read by `lucid replay`. The format is in `lucid.machines.journal`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Refusal
from lucid.machines.effects import Effects
from lucid.machines.journal import JOURNAL_VERSION, Entry, JournalHeader, entry

LENGTH_BYTES = 4
MAX_RECORD_BYTES = 1 << 30


class JournalError(Exception):
    """A file is no journal, or a damaged one; one sentence."""


class JournalWriter:
    """Writes one machine's journal."""

    def __init__(self, path: Path, head: JournalHeader) -> None:
        self._file = path.open("wb")
        self._writer = zstandard.ZstdCompressor(level=3).stream_writer(self._file)
        self._write(head)

    def write(self, now: int, event: Record, effects: Effects) -> None:
        """Keep one handled event."""
        self._write(entry(now, event, effects))

    def close(self) -> None:
        """Finish the file."""
        self._writer.flush(zstandard.FLUSH_FRAME)
        self._file.close()

    def _write(self, record: Record) -> None:
        data = encode(record)
        self._writer.write(len(data).to_bytes(LENGTH_BYTES, "big") + data)


def read_journal(path: Path) -> tuple[JournalHeader, Iterator[Entry]]:
    """The header of a journal file and its entries as they come; raises `JournalError`, also while iterating."""
    try:
        records = _records(path)
        head = decode(next(records), JournalHeader)
    except (OSError, Refusal, StopIteration) as error:
        raise JournalError(f"{path} is no journal: {str(error) or 'it is empty'}") from None
    if head.version != JOURNAL_VERSION:
        raise JournalError(f"{path} is a journal of version {head.version}; this is {JOURNAL_VERSION}")
    return head, _entries(path, records)


def _entries(path: Path, records: Iterator[bytes]) -> Iterator[Entry]:
    for number, data in enumerate(records):
        try:
            yield decode(data, Entry)
        except Refusal as refusal:
            raise JournalError(f"{path}, entry {number}: {refusal}") from None


def _records(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        try:
            while size := _exactly(stream, LENGTH_BYTES):
                length = int.from_bytes(size, "big")
                if length > MAX_RECORD_BYTES:
                    raise JournalError(f"{path} is damaged: a record of {length} bytes")
                yield _exactly(stream, length)
        except (zstandard.ZstdError, EOFError) as error:
            raise JournalError(f"{path} is damaged or cut short: {error}") from None


def _exactly(stream: BinaryIO, size: int) -> bytes:
    """`size` bytes, or none at the end; raises EOFError in the middle."""
    data = b""
    while len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            if data:
                raise EOFError("it ends within a record")
            return b""
        data += more
    return data
