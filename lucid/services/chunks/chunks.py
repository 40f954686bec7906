"""Chunks on disk: content-addressed files, and rows that say which there are and who refers to them.

A file is durable before its row: a crash between leaves a file that no row knows. Such a file is never removed: it is
taken in once its bytes are verified, or put into quarantine. What does not have its id any more is never handed out.

A chunk that nobody refers to, here or at a node that said so, is removed a day later, where all others agree
(`lucid.services.chunks.collection`), and only where row and file agree since when: a file that is no longer referred
to gets that time as its own, and one that is stored again gets another. So no store that is older than the folder, or
another's, can have a chunk removed that somebody came to refer to meanwhile.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

import trio

from lucid.chain.chunks import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, ChunkHasher, chunk_id
from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Code, LucidError, Refusal
from lucid.ledger.state import Write
from lucid.services.chunks.faults import ChunkFault, Faults, Finding, look_at
from lucid.services.chunks.needs import GONE_TABLE, NEED_TABLE, STAMP_BYTES, Needs
from lucid.services.chunks.storedchunk import PART_BYTES, ChunkDamaged, SegmentOfChunk, StoredChunk, Trees, readable
from lucid.services.process.disk import Disk, DiskFailed, NewFile
from lucid.services.process.driver import clock_ms
from lucid.services.process.space import Space
from lucid.storage.chunkfiles import CHUNK_TABLE, REFERENCE_TABLE, ChunkFolder, ChunkRow, decode_row
from lucid.storage.durable import DurableStore
from lucid.storage.interface import StoreDamaged, StoreOther

KEPT_MS = 24 * 3_600_000
"""How long a chunk to which nobody refers is kept."""
SWEEP_S = 600.0
ASIDE_S = 2.0
"""How soon it is noticed that files which were set aside are gone."""
READERS = 4
"""Chunks in memory at once, to be read and verified."""
MAX_SUSPECTS = 1_024
"""Chunks whose reading failed that wait to be looked at; the scrubber comes to others by itself."""
FEW_UNKNOWN = 8
"""Files that no row knows, up to which a start asks nobody: a crash leaves one at most."""

T = TypeVar("T")

_log = logging.getLogger("lucid.chunks")


class Reference(Record):
    """A session's reference to a chunk: since when (ms since the Unix epoch, 0 where an older version made it), and the
    digest of the token under which it was stored (empty: under none)."""

    since_ms: int
    holder: bytes


def decode_reference(chunk: bytes, data: bytes) -> Reference:
    """A reference's row, which had no content once. Raises `StoreDamaged`."""
    try:
        return decode(data, Reference) if data else Reference(0, b"")
    except LucidError as error:
        raise StoreDamaged(f"a row cannot be read: {error}", REFERENCE_TABLE, chunk) from None


class NotHeld(LucidError):
    """A reference is that of another token."""

    def __init__(self) -> None:
        super().__init__(Code.NOT_YOURS, "it was stored under another token")


class Known(NamedTuple):
    """A chunk's row and the sessions that refer to it, in order."""

    row: ChunkRow
    sessions: dict[bytes, Reference]


class Chunks:
    """The chunks of one node, under a folder and in a store."""

    def __init__(self, folder: Path, store: DurableStore, space: Space) -> None:
        """Look at the folder. Raises `StoreOther` where the store knows far less than it holds, and OSError."""
        self.folder = ChunkFolder(folder)
        self._store = store
        self._space = space
        self._disk = Disk(store)
        self._reading = trio.CapacityLimiter(READERS)
        self._changing = trio.Lock()
        self._named: set[Path] = set()
        self.damaged = 0
        self.quarantined = 0
        self.count = 0
        self.faults = Faults(store)
        self.needs = Needs(store)
        self.suspects: set[bytes] = set()
        self._trees = Trees()
        self.on_stored: Callable[[bytes], None] = lambda chunk: None
        """Told of each chunk that was stored, once it is durable."""
        self.on_freed: Callable[[bytes], None] = lambda chunk: None
        """Told of each chunk whose last reference went."""
        self.agreed: Callable[[Sequence[bytes]], Awaitable[set[bytes]]] = _alone
        """Which of some chunks that nobody here needs no other node does."""
        self.folder.clear_incoming()
        self._survey()

    def _survey(self) -> None:
        count = used = unknown = 0
        try:
            self.faults.survey()
            # One shelf after the other: the ids of a million chunks at once would take half of a container's memory.
            for first in range(256):
                known = set[bytes]()
                for chunk, data in self._store.scan(CHUNK_TABLE, bytes([first])):
                    if chunk[0] != first:
                        break
                    known.add(chunk)
                    used += decode_row(chunk, data).size
                count += len(known)
                unknown += sum(chunk not in known for chunk in self.folder.shelf(first))
        except StoreDamaged:
            return  # the store has logged it and says so; what can still be read is served
        self._space.used, self.count = used, count
        if unknown > FEW_UNKNOWN and unknown > count:
            raise StoreOther(
                f"the store knows {count} chunks, and {self.folder.path} holds {unknown} more: it is another "
                f"store, or an older copy. Correct `store`, or put the newer one back; "
                f"`lucid store adopt STORE --chunks {self.folder.path}` takes in what the folder holds"
            )

    def row(self, chunk: bytes) -> ChunkRow | None:
        """What is known of a chunk, from a worker thread."""
        data = self._store.get(CHUNK_TABLE, chunk)
        return None if data is None else decode_row(chunk, data)

    def references(self, chunk: bytes) -> dict[bytes, Reference]:
        """The sessions that refer to a chunk, in order, from a worker thread."""
        found = {}
        for key, value in self._store.scan(REFERENCE_TABLE, chunk):
            if key[:32] != chunk:
                break
            found[key[32:]] = decode_reference(chunk, value)
        return found

    def known(self, chunk: bytes) -> Known | None:
        """A chunk's row and references, from a worker thread."""
        row = self.row(chunk)
        return None if row is None else Known(row, self.references(chunk))

    async def put(
        self,
        parts: AsyncIterable[bytes],
        session: bytes | None,
        expected: bytes | None,
        announced: int = 0,
        holder: bytes = b"",
    ) -> tuple[bytes, int, bool]:
        """Store a chunk as it comes and a session's reference to it (None: a copy that no session of this node refers
        to); durable when this returns. `announced` is its size as far as it is known, `holder` who stores it.

        Returns its id, its size and whether it is new. Raises `Refusal` (`CHUNK_SIZE`, `CHUNK_ID`), `NoRoom`, and
        OSError when it cannot be written; nothing of it is kept then.
        """
        hasher = ChunkHasher()
        self._space.check(announced, announced, take=False)
        path = self.folder.incoming / secrets.token_hex(16)
        kept = False
        try:
            file = await self._disk.call(NewFile, path)
            async for part in parts:
                if hasher.size + len(part) > MAX_CHUNK_BYTES:
                    raise Refusal(Code.CHUNK_SIZE)
                hasher.update(part)
                self._space.check(len(part), hasher.size)
                await self._disk.call(file.write, part)
            if hasher.size < MIN_CHUNK_BYTES:
                raise Refusal(Code.CHUNK_SIZE)
            identity = hasher.id()
            if expected is not None and identity != expected:
                raise Refusal(Code.CHUNK_ID, f"they have {identity.hex()}")
            with trio.CancelScope(shield=True):
                await self._disk.call(file.sync)
                new = await self._keep(path, identity, hasher.size, session, holder)
            kept = True
            self._trees.keep(identity, hasher.size, hasher.leaves())
            self.on_stored(identity)
            return identity, hasher.size, new
        finally:
            if not kept:
                with trio.CancelScope(shield=True), suppress(OSError, DiskFailed):
                    await self._disk.call(path.unlink)

    @asynccontextmanager
    async def _change(self) -> AsyncIterator[None]:
        """One change at a time. Raises `DiskSlow` where the one before does not end."""
        await self._disk.acquire(self._changing)
        try:
            yield
        finally:
            self._changing.release()

    async def _keep(self, path: Path, identity: bytes, size: int, session: bytes | None, holder: bytes) -> bool:
        async with self._change():
            known, was_gone = await self._store.read(lambda: (self.known(identity), self.needs.gone(identity)))
            new = known is None
            references: list[Write] = []
            unused_ms = 0
            if session is None:
                # A copy of what was let go comes for a reader, or by a repair: it goes as it would have gone.
                unused_ms = known.row.unused_since_ms if known is not None else clock_ms() if was_gone else 0
            else:
                # Who stored it first stays its holder: another cannot take it over and then remove it.
                first = None if known is None else known.sessions.get(session)
                reference = Reference(clock_ms(), holder if first is None else first.holder)
                references.append((REFERENCE_TABLE, identity + session, encode(reference)))
                references += [(GONE_TABLE, identity, None)] if was_gone else []
            # Known ones too: what was damaged is whole again, and what was not referred to loses that mark.
            await self._disk.call(self.folder.move_in, path, identity)
            if unused_ms:
                await self._disk.call(self.folder.mark_unused, identity, unused_ms)
            fault = await self._store.read(self.faults.of, identity)
            # Held until it is durable: a crash leaves one file at most that no row knows.
            await self._store.write(
                [
                    (CHUNK_TABLE, identity, encode(ChunkRow(size, unused_ms))),
                    *references,
                    *self.faults.change(identity, fault, Finding.SOUND, 0),
                ]
            )
            if new:
                self._gain(size)
        return new

    async def verified(self, parts: AsyncIterable[bytes], chunk: bytes) -> bytes:
        """The bytes of a chunk as they come, not stored. Raises `Refusal` (`CHUNK_SIZE`, `CHUNK_ID`)."""
        data, hasher = bytearray(), ChunkHasher()
        async for part in parts:
            if len(data) + len(part) > MAX_CHUNK_BYTES:
                raise Refusal(Code.CHUNK_SIZE)
            hasher.update(part)
            data += part
        if hasher.id() != chunk:
            raise Refusal(Code.CHUNK_ID)
        return bytes(data)

    async def open(self, chunk: bytes, warm: bool = False) -> StoredChunk | None:
        """A chunk's verified bytes, to be read part by part; None if there is none. With `warm` they are verified only
        as they are read, where the hashes of its segments are known. Raises `ChunkDamaged` and `StoreError`."""
        row = await self._store.read(self.row, chunk)
        return None if row is None else await self._disk.call(self._opened, chunk, warm, limiter=self._reading)

    async def read(self, stored: StoredChunk, first: int, end: int) -> bytes:
        """Bytes of an open chunk, from `first` to before `end`. Raises `ChunkDamaged` and `StoreError`."""
        return await self._noting(stored.chunk, stored.read, first, end)

    async def parts(self, stored: StoredChunk, first: int, end: int) -> AsyncIterator[bytes]:
        """The same, a part at a time, each read when the one before it was taken."""
        while first < end:
            until = min(end, (first // PART_BYTES + 1) * PART_BYTES)
            yield await self.read(stored, first, until)
            first = until

    async def proof(self, chunk: bytes, segment: Callable[[int], int]) -> SegmentOfChunk | None:
        """The segment of a chunk that `segment` chooses from its size, and its path to the id; None if there is no such
        chunk. Raises as `open` does."""
        stored = await self.open(chunk, warm=True)
        if stored is None:
            return None
        return await self._noting(chunk, stored.prove, segment(stored.size))

    def _opened(self, chunk: bytes, warm: bool) -> StoredChunk:
        try:
            return readable(StoredChunk, self.folder.place(chunk), chunk, self._trees, warm)
        except ChunkDamaged:
            self._suspect(chunk)
            raise

    async def _noting(self, chunk: bytes, read: Callable[..., T], *arguments: object) -> T:
        """What `read` finds in a chunk's file; that it is damaged is noted. Raises `ChunkDamaged` and `StoreError`."""
        try:
            return await self._disk.call(readable, read, *arguments)
        except ChunkDamaged:
            self._suspect(chunk)
            raise

    def _suspect(self, chunk: bytes) -> None:
        self.damaged += 1
        if len(self.suspects) < MAX_SUSPECTS:
            self.suspects.add(chunk)

    async def check(self, chunk: bytes) -> tuple[Finding, int] | None:
        """Read a chunk from its disk and note what it is; returns that and the bytes that were read, None if there is
        no such chunk (any more). What is not its bytes is moved to quarantine. Raises `StoreError`, and OSError where
        it cannot be told."""
        path = self.folder.place(chunk)
        finding, size = await self._disk.finish(look_at, path, chunk)
        known, fault = await self._store.read_when_there(self._known_fault, chunk)
        if known is None:
            return None
        if finding is Finding.SOUND and fault is None:
            return finding, size
        async with self._changing:
            # Once more: it may have been stored again, or removed, meanwhile.
            known, fault = await self._store.read_when_there(self._known_fault, chunk)
            if known is None:
                return None
            finding, more = await self._disk.finish(look_at, path, chunk)
            with trio.CancelScope(shield=True):
                if finding is Finding.CORRUPTED:
                    await self._disk.finish(self.folder.quarantine, chunk)
                    self.quarantined += 1
                elif finding is Finding.MISSING and fault is not None and fault.finding == Finding.CORRUPTED:
                    return Finding.CORRUPTED, size + more  # as it was before: its file is in quarantine
                if fault is None or fault.finding != finding:
                    await self._store.write(self.faults.change(chunk, fault, finding, clock_ms()))
                    if finding is not Finding.SOUND:
                        _log.error("chunk %s is %s", chunk.hex(), finding.name.lower())
        return finding, size + more

    def _known_fault(self, chunk: bytes) -> tuple[ChunkRow | None, ChunkFault | None]:
        return self.row(chunk), self.faults.of(chunk)

    def _gain(self, size: int) -> None:
        self._space.used += size
        self.count += 1

    async def _forget(self, chunk: bytes) -> list[Write]:
        """What removes a chunk's rows, and remembers it as gone; its references are gone already."""
        fault = await self._store.read_when_there(self.faults.of, chunk)
        gone = (GONE_TABLE, chunk, clock_ms().to_bytes(STAMP_BYTES, "big"))
        return [(CHUNK_TABLE, chunk, None), gone, *self.faults.change(chunk, fault, Finding.SOUND, 0)]

    def _lose(self, size: int) -> None:
        self._space.used -= size
        self.count -= 1

    async def release(
        self, chunk: bytes, session: bytes, may: Callable[[Reference], bool] = lambda reference: True
    ) -> int | None:
        """Take a session's reference away; returns how many are left, None where there was none. `may` says whether the
        caller may; raises `NotHeld` if not.

        On a disk without room a chunk that nobody holds goes at once. Raises `StoreError`.
        """
        async with self._change():
            known = await self._store.read(self.known, chunk)
            if known is None or session not in known.sessions:
                return None
            if not may(known.sessions[session]):
                raise NotHeld
            left = len(known.sessions) - 1
            writes: list[Write] = [(REFERENCE_TABLE, chunk + session, None)]
            free = not left and not await self._store.read(self.needs.of, chunk)
            at_once = free and self._space.low
            if at_once:
                await self._disk.call(self._space.let_go)
                writes += await self._forget(chunk)
            elif free:
                writes.append(await self._unused(chunk, known.row))
            with trio.CancelScope(shield=True):
                await self._store.write(writes)
                if at_once:
                    await self._disk.finish(self.folder.remove, chunk)
                    self._lose(known.row.size)
            if not left:
                self.on_freed(chunk)
            return left

    async def _unused(self, chunk: bytes, row: ChunkRow) -> Write:
        """Give a file the time since when nobody needs it; returns what is to be written then."""
        now = clock_ms()
        with suppress(FileNotFoundError):
            await self._disk.call(self.folder.mark_unused, chunk, now)
        return CHUNK_TABLE, chunk, encode(ChunkRow(row.size, now))

    async def needed(self, node: bytes, name: bytes, chunks: Sequence[bytes]) -> list[bytes]:
        """Note that a node, whose store has that name, needs chunks; returns those that are not here. Raises
        `StoreError`."""

        def look() -> tuple[list[Write], list[bytes], list[bytes]]:
            writes = self.needs.said(node, name, chunks, clock_ms())
            rows = {chunk: self.row(chunk) for chunk in chunks}
            unused = [chunk for chunk, row in rows.items() if row is not None and row.unused_since_ms]
            return writes, unused, [chunk for chunk, row in rows.items() if row is None]

        writes, unused, lacking = await self._store.read(look)
        gone = await self._store.read(lambda: [each for each in lacking if self.needs.gone(each)])
        # Before the marks are taken away: a sweep between finds that they are needed.
        await self._store.write([*writes, *((GONE_TABLE, chunk, None) for chunk in gone)])
        for chunk in unused:
            async with self._change():
                row = await self._store.read(self.row, chunk)
                if row is not None and row.unused_since_ms:
                    # The row first: one that still says unused beside a file that does not would be doubted forever.
                    await self._store.write([(CHUNK_TABLE, chunk, encode(ChunkRow(row.size, 0)))])
                    with suppress(FileNotFoundError):
                        await self._disk.call(self.folder.mark_used, chunk)
        return lacking

    async def freed(self, chunk: bytes, node: bytes, name: bytes) -> None:
        """Note that a node let go of a chunk that it needed in the store of that name. What nobody needs then waits for
        a day. Raises `StoreError`."""
        async with self._change():
            known, needs = await self._store.read(lambda: (self.known(chunk), self.needs.of(chunk)))
            writes: list[Write] = [(NEED_TABLE, chunk + node, None)] if needs.get(node) == name else []
            others = len(needs) - len(writes)
            if known is not None and not known.sessions and not others and not known.row.unused_since_ms:
                writes.append(await self._unused(chunk, known.row))
            if writes:
                await self._store.write(writes)

    def let_go(self, chunk: bytes) -> bool:
        """Whether a chunk that is here was let go and not stored again, from a worker thread."""
        row = self.row(chunk)
        if row is None or not row.unused_since_ms:
            return False
        # An older store, or another's, may remember what was taken back.
        return self.folder.unused_since_ms(chunk) in (None, row.unused_since_ms)

    @property
    def low(self) -> bool:
        """Whether there is no room for chunks."""
        return self._space.low

    async def run(self) -> None:
        """Remove chunks to which nobody has referred for a day, and take in files that no row knows, forever."""
        while self._store.damage is None:
            try:
                await self.sweep(clock_ms())
                await self.take_in()
            except StoreDamaged:
                return  # the store has logged it and says so
            except OSError as error:
                _log.warning("the chunk folder cannot be looked through: %s", error.strerror)
            await trio.sleep(SWEEP_S)

    async def watch_quarantine(self) -> None:
        """Notice that an operator has removed what was set aside, forever."""
        while True:
            await trio.sleep(ASIDE_S)
            if self.quarantined:
                with suppress(OSError, DiskFailed):  # said elsewhere
                    self.quarantined = await self._disk.call(self.folder.quarantined)

    async def sweep(self, now_ms: int) -> int:
        """Remove what is due and what no other node needs; returns how many chunks went. A file goes before its row: a
        crash between is repeated."""
        due, gone = await self._store.read_when_there(self._due, now_ms), 0
        agreed = await self.agreed(due) if due else set()
        for chunk in (each for each in due if each in agreed):
            async with self._changing:
                gone += await self._remove(chunk, now_ms)
        if forgotten := await self._store.read_when_there(self.needs.forgotten, now_ms):
            await self._store.write(forgotten)
        return gone

    async def _remove(self, chunk: bytes, now_ms: int) -> bool:
        """Remove a chunk, unless somebody came to need it meanwhile."""
        known, needs = await self._store.read_when_there(lambda: (self.known(chunk), self.needs.of(chunk)))
        if known is None or known.sessions or not 0 < known.row.unused_since_ms <= now_ms - KEPT_MS:
            return False
        if not needs and await self._store.read_when_there(self.let_go, chunk):
            await self._disk.finish(self.folder.remove, chunk)
            await self._store.write(await self._forget(chunk))
            self._lose(known.row.size)
            return True
        if not needs:
            _log.warning("chunk %s was stored again after this store saw it unused: it is kept", chunk.hex())
        await self._store.write([(CHUNK_TABLE, chunk, encode(ChunkRow(known.row.size, 0)))])
        return False

    def unused(self) -> Iterator[ChunkRow]:
        """The rows of the chunks that nobody refers to, from a worker thread."""
        rows = (decode_row(chunk, data) for chunk, data in self._store.scan(CHUNK_TABLE))
        return (row for row in rows if row.unused_since_ms)

    def _due(self, now_ms: int) -> list[bytes]:
        return [
            chunk
            for chunk, data in self._store.scan(CHUNK_TABLE)
            if 0 < decode_row(chunk, data).unused_since_ms <= now_ms - KEPT_MS
        ]

    async def take_in(self) -> int:
        """Adopt every file that no row knows and whose bytes are verified, put others into quarantine; returns how many
        were adopted. Adopted chunks stay until a session that refers to them lets them go."""
        adopted = 0
        for chunk in await self._store.read_when_there(self._unknown):
            async with self._changing:
                if await self._store.read_when_there(self.row, chunk) is not None:
                    continue
                size = await self._disk.finish(self._verified_size, chunk)
                if size is not None:
                    # This store may be older than the folder: what it remembers as gone is in doubt too.
                    kept = encode(ChunkRow(size, 0))
                    await self._store.write([(CHUNK_TABLE, chunk, kept), (GONE_TABLE, chunk, None)])
                    self._gain(size)
                    adopted += 1
        if adopted:
            _log.warning("%d chunk files that the store did not know are verified and taken in", adopted)
        self.quarantined = await self._disk.finish(self.folder.quarantined)
        return adopted

    def _unknown(self) -> list[bytes]:
        for stray in self.folder.strays():
            if stray not in self._named:
                self._named.add(stray)
                _log.warning("%s is not a chunk: it is ignored and stays", stray)
        return [chunk for chunk in self.folder.chunks() if self.row(chunk) is None]

    def _verified_size(self, chunk: bytes) -> int | None:
        """The size of a chunk's file if its bytes are that chunk; otherwise it goes into quarantine."""
        path = self.folder.place(chunk)
        try:
            size = path.stat().st_size
            if size <= MAX_CHUNK_BYTES and chunk_id(path.read_bytes()) == chunk and size >= MIN_CHUNK_BYTES:
                return size
            _log.error("%s does not have the bytes of its name: it is moved to quarantine", path)
            self.folder.quarantine(chunk)
        except OSError as error:
            _log.warning("%s cannot be verified: %s", path, error.strerror)
        return None


async def _alone(chunks: Sequence[bytes]) -> set[bytes]:
    """Where there is no other node, none needs anything."""
    return set(chunks)
