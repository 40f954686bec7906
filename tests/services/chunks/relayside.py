"""A node on a chain that knows something of one session's relay."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import msgspec
import trio

from lucid.chain.chunks import chunk_id
from lucid.chain.errors import Code
from lucid.services.chunks.origins import Origins
from lucid.services.chunks.relaying import Relaying
from lucid.services.chunks.relayonchain import RelayOnChain
from lucid.services.chunks.storedlists import StoredLists, kept
from lucid.services.web.problems import Problem
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore

IDS = [chunk_id(bytes([number]) * 2_000) for number in range(5)]
SESSION = b"s" * 16 + b"o" * 32
ME, RELAY, OTHER = (bytes([number]) * 32 for number in (1, 2, 3))
NAMED = RelayOnChain(height=40, relay=RELAY.hex(), open=True, said=33, ranges=((0, 3), (4, 1)), owed=True)
UNNAMED = RelayOnChain(height=40, relay="", open=True, said=0, ranges=(), owed=False)
SIGNATURE = b"\x07" * 64


class Around:
    """A node on a chain that knows something of one session, and the node's other services."""

    def __init__(self, sqlite: SqliteStore) -> None:
        self.rules = 6
        self.key = ME
        self.known: RelayOnChain | None = NAMED
        self.manifest: dict[str, Any] | None = None
        self.status = 202
        self.asked = 0
        self.looks = 0
        self.away = False
        self.taken: list[tuple[str, Any]] = []
        self.store = DurableStore(sqlite)
        self.origins = Origins(self.store)
        self.relaying = Relaying(
            key=self.key,
            rules=self,
            lists=StoredLists(self.store),
            origins=self.origins,
            store=self.store,
            manager=self,  # type: ignore[arg-type]
            engine=self,  # type: ignore[arg-type]
            anchoring=self,  # type: ignore[arg-type]
        )

    async def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """What the chain knows, or what the engine is handed."""
        if self.away:
            raise Problem(Code.UNAVAILABLE)
        if path == "/node/relays":
            self.looks += 1
            return 200, msgspec.json.decode(msgspec.json.encode({"sessions": [self.known] * len(body["sessions"])}))
        self.taken.append((path, body))
        return self.status, {}

    async def fetch(self, path: str) -> tuple[int, bytes]:
        """The manifest, as session anchoring has it."""
        self.asked += 1
        assert path.endswith(f"/manifest?owner={SESSION[16:].hex()}")
        return (404, b"") if self.manifest is None else (200, msgspec.json.encode(self.manifest))

    def understood(self) -> Any:
        """Everything is."""
        return closing(self)

    def close(self) -> None:
        """Nothing to do."""

    async def fetched(self, chunk: bytes, *peers: bytes, kept: bool = True) -> None:
        """A chunk came from these, one after the other."""
        self.origins.begin(7, chunk)
        for peer in peers:
            self.origins.came(chunk, peer)
        await self.origins.end(7, kept)


async def run(folder: Path, test: Callable[[Around], Awaitable[None]]) -> None:
    """A node with a session's list in its store."""
    async with AsyncExitStack() as stack:
        node = Around(stack.enter_context(closing(SqliteStore(folder / "data.sqlite"))))
        async with trio.open_nursery() as nursery:
            await nursery.start(node.store.run)
            await node.store.write(kept(SESSION, IDS))
            await test(node)
            nursery.cancel_scope.cancel()
