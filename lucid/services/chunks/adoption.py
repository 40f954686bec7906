"""Files in the chunk folder that no row knows: those that are chunks are taken in, others set aside, none removed."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

import trio

from lucid.chain.chunks import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, chunk_id
from lucid.chain.codec import encode
from lucid.services.chunks.inventory import Inventory
from lucid.services.chunks.letgo import GONE_TABLE
from lucid.services.process.disk import DiskFailed
from lucid.storage.chunkrow import CHUNK_TABLE, ChunkRow

ASIDE_S = 2.0
"""How soon it is noticed that files which were set aside are gone."""

_log = logging.getLogger("lucid.chunks")


class Adoption:
    """Looks through the folder of one node's chunks."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._named: set[Path] = set()

    async def take_in(self) -> int:
        """Adopt every file that no row knows and whose bytes are verified, put others into quarantine; returns how many
        were adopted. Adopted chunks stay until a session that refers to them lets them go."""
        adopted, inventory = 0, self._inventory
        for chunk in await inventory.store.read_when_there(self._unknown):
            async with inventory.changing:
                if await inventory.store.read_when_there(inventory.rows.row, chunk) is not None:
                    continue
                size = await inventory.disk.finish(self._verified_size, chunk)
                if size is not None:
                    # This store may be older than the folder: what it remembers as gone is in doubt too.
                    kept = encode(ChunkRow(size, 0))
                    await inventory.store.write([(CHUNK_TABLE, chunk, kept), (GONE_TABLE, chunk, None)])
                    inventory.gain(size)
                    adopted += 1
        if adopted:
            _log.warning("%d chunk files that the store did not know are verified and taken in", adopted)
        inventory.quarantined = await inventory.disk.finish(inventory.folder.quarantined)
        return adopted

    async def watch_quarantine(self) -> None:
        """Notice that an operator has removed what was set aside, forever."""
        inventory = self._inventory
        while True:
            await trio.sleep(ASIDE_S)
            if inventory.quarantined:
                with suppress(OSError, DiskFailed):  # said elsewhere
                    inventory.quarantined = await inventory.disk.call(inventory.folder.quarantined)

    def _unknown(self) -> list[bytes]:
        folder = self._inventory.folder
        for stray in folder.strays():
            if stray not in self._named:
                self._named.add(stray)
                _log.warning("%s is not a chunk: it is ignored and stays", stray)
        # Files and rows pass each other once, in order: a look for each file would cost a database seconds of work.
        files = (chunk for first in range(256) for chunk in sorted(folder.shelf(first)))
        rows = (chunk for chunk, _ in self._inventory.store.scan(CHUNK_TABLE))
        unknown, row = [], next(rows, None)
        for chunk in files:
            while row is not None and row < chunk:
                row = next(rows, None)
            if row != chunk:
                unknown.append(chunk)
        return unknown

    def _verified_size(self, chunk: bytes) -> int | None:
        """The size of a chunk's file if its bytes are that chunk; otherwise it goes into quarantine."""
        path = self._inventory.folder.place(chunk)
        try:
            size = path.stat().st_size
            if size <= MAX_CHUNK_BYTES and chunk_id(path.read_bytes()) == chunk and size >= MIN_CHUNK_BYTES:
                return size
            _log.error("%s does not have the bytes of its name: it is moved to quarantine", path)
            self._inventory.folder.quarantine(chunk)
        except OSError as error:
            _log.warning("%s cannot be verified: %s", path, error.strerror)
        return None
