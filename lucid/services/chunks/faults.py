"""Chunks that a node should hold and does not: their files are gone, or do not have the bytes of their ids."""

from __future__ import annotations

from itertools import takewhile

from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import LucidError
from lucid.chain.fields import Natural
from lucid.ledger.rowstore import Write
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged
from lucid.storage.findings import Finding

FAULT_TABLE = "fault"


class ChunkFault(Record):
    """A chunk's row among the faults: what was found (`Finding`), and when (ms since the Unix epoch)."""

    finding: Natural
    since_ms: Natural


class Faults:
    """The chunks of one node that are missing or corrupted. Its rows are written with those of the chunks."""

    def __init__(self, store: DurableStore) -> None:
        self._store = store
        self.counts = {Finding.MISSING: 0, Finding.CORRUPTED: 0}

    def survey(self) -> None:
        """Count them, before anything else is done. Raises `StoreDamaged`."""
        for chunk, data in self._store.scan(FAULT_TABLE):
            self.counts[Finding(_decoded(chunk, data).finding)] += 1

    def of(self, chunk: bytes) -> ChunkFault | None:
        """A chunk's fault, from a worker thread. Raises `StoreError`."""
        data = self._store.get(FAULT_TABLE, chunk)
        return None if data is None else _decoded(chunk, data)

    def page(self, after: bytes, limit: int) -> list[tuple[bytes, ChunkFault]]:
        """At most `limit` chunks with faults in order, above `after`, from a worker thread. Raises `StoreError`."""
        start = after + b"\x00" if after else b""
        return [(chunk, _decoded(chunk, data)) for chunk, data in self._store.scan(FAULT_TABLE, start, limit)]

    def between(self, first: bytes, last: bytes) -> set[bytes]:
        """The chunks with faults from the first one to the last one, from a worker thread. Raises `StoreError`."""
        rows = self._store.scan(FAULT_TABLE, first)
        return {chunk for chunk, _ in takewhile(lambda row: row[0] <= last, rows)}

    def change(self, chunk: bytes, before: ChunkFault | None, finding: Finding, now_ms: int) -> list[Write]:
        """What is to be written for a chunk to have another finding than `before`; counts it."""
        if before is not None:
            self.counts[Finding(before.finding)] -= 1
        if finding is Finding.SOUND:
            return [] if before is None else [(FAULT_TABLE, chunk, None)]
        self.counts[finding] += 1
        since_ms = before.since_ms if before is not None and before.finding == finding else now_ms
        return [(FAULT_TABLE, chunk, encode(ChunkFault(int(finding), since_ms)))]


def _decoded(chunk: bytes, data: bytes) -> ChunkFault:
    try:
        fault = decode(data, ChunkFault)
        Finding(fault.finding)
    except (LucidError, ValueError) as error:
        raise StoreDamaged(f"a row cannot be read: {error}", FAULT_TABLE, chunk) from None
    return fault
