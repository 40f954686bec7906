"""The sessions that this node's own session anchoring took, and which chunks each has, block after block."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import trio

from lucid.chain.errors import Code
from lucid.chain.transactions import SESSION_ID_BYTES
from lucid.chain.versions import HOLDING_RULES
from lucid.services.chunks.chaincopies import RulesInForce
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged, StoreError

FOLLOWED_TABLE = "listed"
FOLLOWED_KEY = b"height"
"""Up to which block sessions were looked for."""
NOTED_BLOCKS = 64
"""So often that height is stored where no block has a session."""
HEIGHT_BYTES = 8
WAIT_MS = 20_000
"""How long the block manager waits for the next block before it answers."""
RETRY_S = 5.0


class _Anchored(msgspec.Struct, frozen=True):
    sessions: tuple[str, ...]
    height: int


class _ManifestChunk(msgspec.Struct, frozen=True):
    id: str


class _ManifestChunks(msgspec.Struct, frozen=True):
    chunks: tuple[_ManifestChunk, ...]


class OwnSessions:
    """Those of one node. `take` is handed each session (id and owner) with its chunks, in order, from rules 3 on; it
    may raise `Problem` and `StoreError`, and is handed it again then."""

    def __init__(
        self,
        *,
        rules: RulesInForce,
        store: DurableStore,
        manager: Sibling,
        anchoring: Sibling,
        take: Callable[[bytes, Sequence[bytes]], Awaitable[bool]],
    ) -> None:
        self._rules = rules
        self._store = store
        self._manager = manager
        self._anchoring = anchoring
        self._take = take

    async def run(self) -> None:
        """Follow the chain, forever. Raises `StoreDamaged`."""
        stored = await self._store.read_when_there(self._store.get, FOLLOWED_TABLE, FOLLOWED_KEY)
        after = 0 if stored is None else int.from_bytes(stored, "big")
        while True:
            try:
                if self._rules.rules < HOLDING_RULES:
                    await trio.sleep(RETRY_S)
                    continue
                found = await self._anchored(after)
                for name in found.sessions:
                    await self._find(bytes.fromhex(name))
                if found.sessions or found.height % NOTED_BLOCKS == 0:
                    height = found.height.to_bytes(HEIGHT_BYTES, "big")
                    await self._store.write([(FOLLOWED_TABLE, FOLLOWED_KEY, height)])
            except StoreDamaged:
                raise
            except (Problem, StoreError):
                await trio.sleep(RETRY_S)
                continue
            after = max(after, found.height)

    async def _anchored(self, after: int) -> _Anchored:
        found = await self._manager.get(f"/node/anchored?after={after}&wait_ms={WAIT_MS}", WAIT_MS / 1000 + 5)
        with self._manager.understood():
            return msgspec.convert(found, _Anchored)

    async def _find(self, session: bytes) -> None:
        """Hand over a session whose manifest is here. Raises `Problem` while it cannot be told."""
        name, owner = uuid.UUID(bytes=session[:SESSION_ID_BYTES]), session[SESSION_ID_BYTES:].hex()
        status, data = await self._anchoring.fetch(f"/sessions/{name}/manifest?owner={owner}")
        if status == 404:
            return
        if status != 200:
            raise Problem(Code.UNAVAILABLE, f"session anchoring answers {status}")
        with self._anchoring.understood():
            manifest = await trio.to_thread.run_sync(lambda: msgspec.json.decode(data, type=_ManifestChunks))
            ids = [bytes.fromhex(each.id) for each in manifest.chunks]
        await self._take(session, ids)
