"""Journal files: written by a run or a service, read by `lucid replay`. The format is in `lucid.machines.journal`."""

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
READ_BYTES = 1 << 16
MACHINES = ("manager", "engine")
CRYPTO_KINDS = ("real", "modelled")


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
    if head.machine not in MACHINES or head.crypto not in CRYPTO_KINDS:
        raise JournalError(f"{path} is a journal of an unknown machine: {head.machine!r}, {head.crypto!r}")
    return head, _entries(path, records)


def _entries(path: Path, records: Iterator[bytes]) -> Iterator[Entry]:
    for number, data in enumerate(records):
        try:
            yield decode(data, Entry)
        except Refusal as refusal:
            raise JournalError(f"{path}, entry {number}: {refusal}") from None


def _records(path: Path) -> Iterator[bytes]:
    held = bytearray()
    try:
        with path.open("rb") as file:
            for data in _decompressed(file):
                held += data
                yield from _taken(held)
        if held:
            raise EOFError("it ends within a record")
    except (zstandard.ZstdError, EOFError) as error:
        raise JournalError(f"{path} is damaged or cut short: {error}") from None


def _taken(held: bytearray) -> Iterator[bytes]:
    """Take the whole records off the front."""
    while len(held) >= LENGTH_BYTES:
        length = int.from_bytes(held[:LENGTH_BYTES], "big")
        if length > MAX_RECORD_BYTES:
            raise EOFError(f"a record of {length} bytes")
        if len(held) < LENGTH_BYTES + length:
            return
        yield bytes(held[LENGTH_BYTES : LENGTH_BYTES + length])
        del held[: LENGTH_BYTES + length]


def _decompressed(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a zstd file as they come; raises EOFError if it is not there to its end."""
    stream = zstandard.ZstdDecompressor().decompressobj()
    while data := file.read(READ_BYTES):
        yield stream.decompress(data)
    if not stream.eof:
        raise EOFError("its compressed stream has no end")
    if stream.unused_data:
        raise EOFError("something follows its end")
