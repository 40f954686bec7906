"""A chunk read again from its disk, and what it was found to be: what is not its bytes any more is set aside."""

from __future__ import annotations

import logging

import trio

from lucid.services.chunks.faults import ChunkFault
from lucid.services.chunks.inventory import Inventory
from lucid.storage.chunkrow import ChunkRow
from lucid.storage.findings import Finding, look_at
from lucid.storage.hashcache import HashCache

_log = logging.getLogger("lucid.chunks")


class Inspection:
    """Inspects the chunks of one node, for the scrubber and for whoever doubts one."""

    def __init__(self, inventory: Inventory, sums: HashCache) -> None:
        """`sums`: of the pieces of chunks that were verified."""
        self._inventory = inventory
        self._sums = sums

    async def check(self, chunk: bytes) -> tuple[Finding, int] | None:
        """Read a chunk from its disk and note what it is; returns that and the bytes that were read, None if there is
        no such chunk (any more). What is not its bytes is moved to quarantine. Raises `StoreError`, and OSError where
        it cannot be told."""
        inventory = self._inventory
        disk, store = inventory.disk, inventory.store
        path = inventory.folder.place(chunk)
        finding, size = await disk.finish(look_at, path, chunk, self._sums)
        known, fault = await store.read_when_there(self._known_fault, chunk)
        if known is None:
            return None
        if finding is Finding.SOUND and fault is None:
            return finding, size
        async with inventory.changing:
            # Once more: it may have been stored again, or removed, meanwhile.
            known, fault = await store.read_when_there(self._known_fault, chunk)
            if known is None:
                return None
            finding, more = await disk.finish(look_at, path, chunk, self._sums)
            with trio.CancelScope(shield=True):
                if finding is Finding.CORRUPTED:
                    await disk.finish(inventory.folder.quarantine, chunk)
                    inventory.quarantined += 1
                elif finding is Finding.MISSING and fault is not None and fault.finding == Finding.CORRUPTED:
                    return Finding.CORRUPTED, size + more  # as it was before: its file is in quarantine
                if fault is None or fault.finding != finding:
                    await store.write(inventory.faults.change(chunk, fault, finding, inventory.now_ms()))
                    if finding is not Finding.SOUND:
                        _log.error("chunk %s is %s", chunk.hex(), finding.name.lower())
        return finding, size + more

    def _known_fault(self, chunk: bytes) -> tuple[ChunkRow | None, ChunkFault | None]:
        return self._inventory.rows.row(chunk), self._inventory.faults.of(chunk)
