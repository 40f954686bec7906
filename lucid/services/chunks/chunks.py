"""Chunks at a node: stored as they come, referred to by sessions, needed by other nodes, and let go.

What is on disk and in the store is in `lucid.services.chunks.inventory`; what reads, inspects, sweeps and adopts has a
file each. What does not have its id any more is never handed out.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import trio

from lucid.chain.chunks import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES
from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.ledger.rowstore import Write
from lucid.services.chunks.adoption import Adoption
from lucid.services.chunks.chunkreader import ChunkReader
from lucid.services.chunks.faults import ChunkFault
from lucid.services.chunks.inspection import Inspection
from lucid.services.chunks.inventory import Inventory
from lucid.services.chunks.letgo import GONE_TABLE
from lucid.services.chunks.needs import NEED_TABLE
from lucid.services.chunks.reference import REFERENCE_TABLE, NotHeld, Reference
from lucid.services.chunks.referenceindex import IndexChange, ReferenceIndex
from lucid.services.chunks.sweeper import Sweeper
from lucid.services.chunks.upload import GATHERED_BYTES, Upload
from lucid.services.process.disk import DiskFailed
from lucid.services.process.driver import clock_ms
from lucid.services.process.space import Space
from lucid.storage.chunkrow import CHUNK_TABLE, ChunkRow
from lucid.storage.chunkseal import SEAL_TABLE, seal_of
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged
from lucid.storage.findings import Finding

SWEEP_S = 600.0

_log = logging.getLogger("lucid.chunks")


class ChunkTooLarge(Refusal):
    """An upload that goes on past the size of a chunk."""

    def __init__(self) -> None:
        super().__init__(Code.CHUNK_SIZE)


class Keeping(NamedTuple):
    """What keeping a chunk means for a store, as it is: the writes, and since when nobody refers to it."""

    new: bool
    fault: ChunkFault | None
    unused_ms: int
    indexed: IndexChange | None
    writes: list[Write]


class Chunks:
    """The chunks of one node, under a folder and in a store."""

    def __init__(self, folder: Path, store: DurableStore, space: Space, now_ms: Callable[[], int] = clock_ms) -> None:
        """Look at the folder. Raises `StoreOther` where the store knows far less than it holds, and OSError."""
        self.inventory = Inventory(folder, store, space, now_ms)
        self.folder = self.inventory.folder
        self.rows = self.inventory.rows
        self.faults = self.inventory.faults
        self.needs = self.inventory.needs
        self.reader = ChunkReader(self.inventory)
        self.inspection = Inspection(self.inventory, self.reader.sums)
        self.sweeper = Sweeper(self.inventory)
        self.adoption = Adoption(self.inventory)
        self.index = ReferenceIndex(store, self.inventory)
        self.on_stored: Callable[[bytes], None] = lambda chunk: None
        """Told of each chunk that was stored, once it is durable."""
        self.on_freed: Callable[[bytes], None] = lambda chunk: None
        """Told of each chunk whose last reference went."""
        self._store = store
        self._space = space
        self._disk = self.inventory.disk

    @property
    def low(self) -> bool:
        """Whether there is no room for chunks."""
        return self._space.low

    async def put(
        self,
        parts: AsyncIterable[bytes],
        session: bytes | None,
        expected: bytes | None,
        announced: int = 0,
        holder: bytes = b"",
        gathered: int = GATHERED_BYTES,
    ) -> tuple[bytes, int, bool]:
        """Store a chunk as it comes and a session's reference to it (None: a copy that no session of this node refers
        to); durable when this returns. `announced` is its size as far as it is known, `holder` who stores it,
        `gathered` how many of its bytes may be in memory.

        Returns its id, its size and whether it is new. Raises `ChunkTooLarge`, `Refusal` (`CHUNK_SIZE`, `CHUNK_ID`),
        `NoRoom`, and OSError when it cannot be written; nothing of it is kept then.
        """
        self._space.check(announced, announced, take=False)
        path = self.folder.incoming / secrets.token_hex(16)
        upload = Upload(self._disk, path, min(gathered, announced or gathered))
        kept, taken = False, 0
        try:
            async for part in parts:
                size = upload.size + len(part)
                if size > MAX_CHUNK_BYTES:
                    raise ChunkTooLarge
                self._space.check(len(part), size)
                taken += len(part)
                await upload.add(part)
            if upload.size < MIN_CHUNK_BYTES:
                raise Refusal(Code.CHUNK_SIZE)
            with trio.CancelScope(shield=True):
                identity = await upload.durable(expected)
                if expected not in (None, identity):
                    raise Refusal(Code.CHUNK_ID, f"they have {identity.hex()}")
                new = await self._keep(path, identity, upload, session, holder)
            kept = True
            self.reader.keep(identity, upload.hasher)
            self.on_stored(identity)
            return identity, upload.size, new
        finally:
            self._space.landed(taken)
            if not kept:
                with trio.CancelScope(shield=True), suppress(OSError, DiskFailed):
                    await self._disk.call(path.unlink)

    async def _keep(self, path: Path, identity: bytes, upload: Upload, session: bytes | None, holder: bytes) -> bool:
        async with self.inventory.change():
            kept = await self._store.read(self._kept_with, identity, upload, session, holder)

            def move() -> None:
                self.folder.move_in(path, identity)
                if kept.unused_ms:
                    self.folder.mark_unused(identity, kept.unused_ms)

            # Known ones too: what was damaged is whole again, and what was not referred to loses that mark.
            await self._disk.call(move)
            if kept.fault is not None:
                _log.warning("chunk %s is whole again", identity.hex())
            # Both wait for the disk, so they wait together. The bytes are durable: should a power cut leave the row and
            # not the new name, a start finds them under the old one.
            async with self._disk.beside(self.folder.settle, identity):
                # Held until it is durable: a crash leaves one file at most that no row knows.
                await self._store.write([*kept.writes, *self.faults.change(identity, kept.fault, Finding.SOUND, 0)])
                if kept.indexed is not None:
                    self.index.written(kept.indexed)
                if kept.new:
                    self.inventory.gain(upload.size)
        return kept.new

    def _kept_with(self, identity: bytes, upload: Upload, session: bytes | None, holder: bytes) -> Keeping:
        """What is to be written for a chunk that has come. In a worker thread."""
        known, was_gone = self.rows.known(identity), self.inventory.let_go.gone(identity)
        references: list[Write] = []
        indexed: IndexChange | None = None
        unused_ms = 0
        if session is None:
            # A copy of what was let go comes for a reader, or by a repair: it goes as it would have gone.
            unused_ms = known.row.unused_since_ms if known is not None else self.inventory.now_ms() if was_gone else 0
        else:
            # Who stored it first stays its holder: another cannot take it over and then remove it.
            first = None if known is None else known.sessions.get(session)
            reference = Reference(self.inventory.now_ms(), holder if first is None else first.holder)
            indexed = self.index.coming(session, identity, upload.size, reference.since_ms, first is not None)
            references += [(REFERENCE_TABLE, identity + session, encode(reference)), *indexed.writes]
            references += [(GONE_TABLE, identity, None)] if was_gone else []
        writes = [
            (CHUNK_TABLE, identity, encode(ChunkRow(upload.size, unused_ms))),
            (SEAL_TABLE, identity, seal_of(upload.size, upload.hasher.sums())),
            *references,
        ]
        return Keeping(known is None, self.faults.of(identity), unused_ms, indexed, writes)

    async def release(
        self, chunk: bytes, session: bytes, may: Callable[[Reference], bool] = lambda reference: True
    ) -> int | None:
        """Take a session's reference away; returns how many are left, None where there was none. `may` says whether the
        caller may; raises `NotHeld` if not.

        On a disk without room a chunk that nobody holds goes at once. Raises `StoreError`.
        """
        async with self.inventory.change():
            known = await self._store.read(self.rows.known, chunk)
            if known is None or session not in known.sessions:
                return None
            if not may(known.sessions[session]):
                raise NotHeld
            left = len(known.sessions) - 1
            indexed = await self._store.read(self.index.going, session, chunk, known.row.size)
            writes: list[Write] = [(REFERENCE_TABLE, chunk + session, None), *indexed.writes]
            free = not left and not await self._store.read(self.needs.of, chunk)
            at_once = free and self._space.low
            if at_once:
                await self._disk.call(self._space.let_go)
                writes += await self.inventory.forget(chunk)
            elif free:
                writes.append(await self.inventory.unneeded(chunk, known.row))
            with trio.CancelScope(shield=True):
                await self._store.write(writes)
                self.index.written(indexed)
                if at_once:
                    await self._disk.finish(self.folder.remove, chunk)
                    self.inventory.lose(known.row.size)
            if not left:
                self.on_freed(chunk)
            return left

    async def needed(self, node: bytes, name: bytes, chunks: Sequence[bytes]) -> list[bytes]:
        """Note that a node, whose store has that name, needs chunks; returns those that are not here. Raises
        `StoreError`."""

        def look() -> tuple[list[Write], list[bytes], list[bytes]]:
            writes = self.needs.said(node, name, chunks, self.inventory.now_ms())
            rows = {chunk: self.rows.row(chunk) for chunk in chunks}
            unused = [chunk for chunk, row in rows.items() if row is not None and row.unused_since_ms]
            return writes, unused, [chunk for chunk, row in rows.items() if row is None]

        writes, unused, lacking = await self._store.read(look)
        gone = await self._store.read(lambda: [each for each in lacking if self.inventory.let_go.gone(each)])
        # Before the marks are taken away: a sweep between finds that they are needed.
        await self._store.write([*writes, *((GONE_TABLE, chunk, None) for chunk in gone)])
        for chunk in unused:
            async with self.inventory.change():
                row = await self._store.read(self.rows.row, chunk)
                if row is not None and row.unused_since_ms:
                    # The row first: one that still says unused beside a file that does not would be doubted forever.
                    await self._store.write([(CHUNK_TABLE, chunk, encode(ChunkRow(row.size, 0)))])
                    await self.inventory.mark(self.folder.mark_used, chunk)
        return lacking

    async def freed(self, chunk: bytes, node: bytes, name: bytes) -> None:
        """Note that a node let go of a chunk that it needed in the store of that name. What nobody needs then waits for
        a day. Raises `StoreError`."""
        async with self.inventory.change():
            known, needs = await self._store.read(lambda: (self.rows.known(chunk), self.needs.of(chunk)))
            writes: list[Write] = [(NEED_TABLE, chunk + node, None)] if needs.get(node) == name else []
            others = len(needs) - len(writes)
            if known is not None and not known.sessions and not others and not known.row.unused_since_ms:
                writes.append(await self.inventory.unneeded(chunk, known.row))
            if writes:
                await self._store.write(writes)

    async def run(self) -> None:
        """Remove chunks to which nobody has referred for a day, and take in files that no row knows, forever."""
        while self._store.damage is None:
            try:
                await self.sweeper.sweep(self.inventory.now_ms())
                await self.adoption.take_in()
            except StoreDamaged:
                return  # the store has logged it and says so
            except DiskFailed:
                pass  # whoever looks at the disk says so
            except OSError as error:
                _log.warning("the chunk folder cannot be looked through: %s", error.strerror)
            await trio.sleep(SWEEP_S)
