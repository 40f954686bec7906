"""Chunks on disk: content-addressed files, and rows that say which there are and who refers to them.

A file is durable before its row: a crash between leaves a file that nobody knows, which is swept away later.
What does not have its id any more is never handed out.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterable, Iterator
from contextlib import suppress
from pathlib import Path

import trio

from lucid.chain.chunks import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, ChunkHasher, chunk_id
from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Code, LucidError, Refusal
from lucid.ledger.state import Write
from lucid.services.driver import clock_ms
from lucid.storage.durable import DurableStore

CHUNK_TABLE = "chunk"
REFERENCE_TABLE = "reference"
KEPT_MS = 24 * 3_600_000
"""How long a chunk to which nobody refers is kept."""
SWEEP_S = 600.0
READERS = 4
"""Chunks in memory at once, to be read and verified."""


class ChunkRow(Record):
    """A chunk that is stored: its bytes, and since when nobody refers to it (0 if somebody does)."""

    size: int
    unused_since_ms: int


class ChunkDamaged(LucidError):
    """A stored chunk does not have its id any more."""

    def __init__(self) -> None:
        super().__init__(Code.CHUNK_CORRUPT)


class Chunks:
    """The chunks of one node, under a folder and in a store."""

    def __init__(self, folder: Path, store: DurableStore) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        self._store = store
        self._reading = trio.CapacityLimiter(READERS)
        self._changing = trio.Lock()
        self.damaged = 0
        self._incoming.mkdir(parents=True, exist_ok=True)
        for leftover in self._incoming.iterdir():
            leftover.unlink()

    def row(self, chunk: bytes) -> ChunkRow | None:
        """What is known of a chunk."""
        data = self._store.get(CHUNK_TABLE, chunk)
        return None if data is None else decode(data, ChunkRow)

    def references(self, chunk: bytes) -> list[bytes]:
        """The sessions that refer to a chunk, in order."""
        found = []
        for key, _ in self._store.scan(REFERENCE_TABLE, chunk):
            if key[:32] != chunk:
                break
            found.append(key[32:])
        return found

    async def put(self, parts: AsyncIterable[bytes], session: bytes, expected: bytes | None) -> tuple[bytes, int, bool]:
        """Store a chunk as it comes and a session's reference to it; durable when this returns.

        Returns its id, its size and whether it is new. Raises `Refusal` (`CHUNK_SIZE`, `CHUNK_ID`), and OSError when
        there is no room; nothing of it is kept then.
        """
        hasher = ChunkHasher()
        path = self._incoming / secrets.token_hex(16)
        try:
            async with await trio.open_file(path, "xb") as file:
                async for part in parts:
                    if hasher.size + len(part) > MAX_CHUNK_BYTES:
                        raise Refusal(Code.CHUNK_SIZE)
                    hasher.update(part)
                    await file.write(part)
                if hasher.size < MIN_CHUNK_BYTES:
                    raise Refusal(Code.CHUNK_SIZE)
                identity = hasher.id()
                if expected is not None and identity != expected:
                    raise Refusal(Code.CHUNK_ID, f"they have {identity.hex()}")
                await file.flush()
                with trio.CancelScope(shield=True):
                    new = await self._keep(path, file.wrapped.fileno(), identity, hasher.size, session)
            return identity, hasher.size, new
        finally:
            with suppress(FileNotFoundError):
                path.unlink()

    async def _keep(self, path: Path, descriptor: int, identity: bytes, size: int, session: bytes) -> bool:
        await trio.to_thread.run_sync(os.fsync, descriptor)
        async with self._changing:
            new = self.row(identity) is None
            # Known ones too: what was damaged is whole again.
            await trio.to_thread.run_sync(self._move, path, identity)
            await self._store.write(
                [
                    (CHUNK_TABLE, identity, encode(ChunkRow(size, 0))),
                    (REFERENCE_TABLE, identity + session, b""),
                ]
            )
        return new

    def _move(self, path: Path, identity: bytes) -> None:
        target = self.path(identity)
        target.parent.mkdir(exist_ok=True)
        os.replace(path, target)
        for folder in (target.parent, self._folder):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    async def get(self, chunk: bytes) -> bytes | None:
        """The bytes of a chunk, verified; None if there is none. Raises `ChunkDamaged`."""
        if self.row(chunk) is None:
            return None
        return await trio.to_thread.run_sync(self._read, chunk, limiter=self._reading)

    def _read(self, chunk: bytes) -> bytes:
        try:
            data = self.path(chunk).read_bytes()
        except FileNotFoundError:
            data = b""
        if chunk_id(data) != chunk:
            self.damaged += 1
            raise ChunkDamaged
        return data

    async def release(self, chunk: bytes, session: bytes) -> bool:
        """Take a session's reference away; returns whether there was one."""
        async with self._changing:
            row, held = self.row(chunk), self.references(chunk)
            if row is None or session not in held:
                return False
            writes: list[Write] = [(REFERENCE_TABLE, chunk + session, None)]
            if held == [session]:
                writes.append((CHUNK_TABLE, chunk, encode(ChunkRow(row.size, clock_ms()))))
            await self._store.write(writes)
            return True

    async def run(self) -> None:
        """Remove chunks to which nobody has referred for a day, and files that no row knows, for ever."""
        while True:
            await self.sweep(clock_ms())
            await trio.sleep(SWEEP_S)

    async def sweep(self, now_ms: int) -> int:
        """Remove what is due; returns how many chunks went."""
        async with self._changing:
            due = [
                chunk
                for chunk, data in self._store.scan(CHUNK_TABLE)
                if 0 < decode(data, ChunkRow).unused_since_ms <= now_ms - KEPT_MS
            ]
            await self._store.write([(CHUNK_TABLE, chunk, None) for chunk in due])
            for path in list(self._files()):
                if self.row(bytes.fromhex(path.name)) is None:
                    path.unlink()
        return len(due)

    def path(self, chunk: bytes) -> Path:
        """Where a chunk's file is."""
        name = chunk.hex()
        return self._folder / name[:2] / name

    def _files(self) -> Iterator[Path]:
        for folder in self._folder.iterdir():
            if len(folder.name) == 2:
                yield from folder.iterdir()
