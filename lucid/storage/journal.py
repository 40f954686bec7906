"""Journal files: written by a run or a service, read by `lucid replay`. The format is in `lucid.machines.journal`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lucid.chain.codec import Record, decode
from lucid.chain.errors import Refusal
from lucid.machines.effects import Effects
from lucid.machines.journal import JOURNAL_VERSION, Entry, JournalHeader, entry
from lucid.storage.records import RecordWriter, read_records

MACHINES = ("manager", "engine", "anchoring")
CRYPTO_KINDS = ("real", "modeled", "modelled")
"""The last is how earlier releases spell `modeled`."""


class JournalError(Exception):
    """A file is not a journal, or a damaged one; one sentence."""


class JournalWriter:
    """Writes one machine's journal."""

    def __init__(self, path: Path, head: JournalHeader) -> None:
        self._records = RecordWriter(path)
        self._records.write(head)

    def write(self, now: int, event: Record, effects: Effects) -> None:
        """Keep one handled event."""
        self._records.write(entry(now, event, effects))

    def flush(self) -> None:
        """Let what was kept outlive this process."""
        self._records.flush()

    def close(self) -> None:
        """Finish the file."""
        self._records.close()


def read_journal(path: Path) -> tuple[JournalHeader, Iterator[Entry]]:
    """The header of a journal file and its entries as they come; raises `JournalError`, also while iterating."""
    try:
        records = _records(path)
        head = decode(next(records), JournalHeader)
    except (OSError, Refusal, StopIteration) as error:
        raise JournalError(f"{path} is not a journal: {str(error) or 'it is empty'}") from None
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
    try:
        yield from read_records(path)
    except Refusal as refusal:
        raise JournalError(f"{path} is damaged or cut short: {refusal.detail}") from None
