"""What a data chain says of relays: itself where an owner named it, and a receipt for what it fetched from another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from lucid.chain.chunks import chunk_id
from lucid.chain.codec import decode
from lucid.chain.errors import Code
from lucid.chain.transactions import Payload, RelayMandate
from lucid.services.chunks.listings import Listings, kept
from lucid.services.chunks.origins import Origins
from lucid.services.chunks.relaying import KEPT_BACK_BLOCKS, SAID_BLOCKS, Relaying, RelayOnChain
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
        self.away = False
        self.taken: list[tuple[str, Any]] = []
        self.store = DurableStore(sqlite)
        self.origins = Origins(self.store)
        self.relaying = Relaying(
            key=self.key,
            rules=self,
            listings=Listings(self.store),
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


async def test_it_signs_for_the_held_chunks_that_came_from_the_relay(tmp_path: Path) -> None:
    async def test(node: Around) -> None:
        await node.fetched(IDS[0], OTHER, RELAY)
        await node.fetched(IDS[1], RELAY, OTHER)
        await node.fetched(IDS[2], RELAY, kept=False)
        await node.fetched(IDS[3], RELAY)
        await node.fetched(IDS[4], RELAY)
        node.origins.came(IDS[2], RELAY)  # nobody asked for it
        await node.relaying.look([SESSION])
        body = {"session": SESSION.hex(), "relay": RELAY.hex(), "height": 33, "chunks": 2}
        assert node.taken == [("/node/receipts", body)] and node.relaying.signed == 1

    await run(tmp_path, test)


async def test_it_signs_nothing_where_nothing_came_from_there_or_nothing_is_owed(tmp_path: Path) -> None:
    async def test(node: Around) -> None:
        await node.relaying.look([SESSION])
        await node.fetched(IDS[0], RELAY)
        for known in (None, msgspec.structs.replace(NAMED, owed=False)):
            node.known = known
            await node.relaying.look([SESSION])
        assert not node.taken

    await run(tmp_path, test)


async def test_a_proof_waits_until_the_receipt_is_on_the_chain_and_no_longer_than_a_slot(tmp_path: Path) -> None:
    async def test(node: Around) -> None:
        assert await node.relaying.awaiting_receipt([SESSION]) == set(), "nothing came from there"
        await node.fetched(IDS[0], RELAY)
        for later in (0, 1, KEPT_BACK_BLOCKS - 1):
            node.known = msgspec.structs.replace(NAMED, height=NAMED.height + later)
            assert await node.relaying.awaiting_receipt([SESSION]) == {SESSION}
        node.known = msgspec.structs.replace(NAMED, height=NAMED.height + KEPT_BACK_BLOCKS)
        assert await node.relaying.awaiting_receipt([SESSION]) == set(), "who keeps receipts out keeps no proof out"
        node.known = NAMED
        assert await node.relaying.awaiting_receipt([SESSION]) == {SESSION}
        node.known = msgspec.structs.replace(NAMED, owed=False)
        assert await node.relaying.awaiting_receipt([SESSION]) == set() and not node.relaying._owing
        assert [path for path, _ in node.taken] == ["/node/receipts"]
        node.known = UNNAMED
        node.manifest = {"relay": {"node": ME.hex(), "signature": SIGNATURE.hex()}}
        assert await node.relaying.awaiting_receipt([SESSION]) == set() and not node.asked, "no mandate is due for that"
        node.known = NAMED
        node.away = True
        assert await node.relaying.awaiting_receipt([SESSION]) == set(), "a proof waits for nobody's answer"
        node.away = False
        node.rules = 5
        assert await node.relaying.awaiting_receipt([SESSION]) == set()

    await run(tmp_path, test)


async def test_what_does_not_come_to_the_chain_is_handed_in_again(tmp_path: Path) -> None:
    async def test(node: Around) -> None:
        await node.fetched(IDS[0], RELAY)
        node.status = 503
        for _ in range(2):
            await node.relaying.look([SESSION])
        assert len(node.taken) == 2 and node.relaying.signed == 0
        node.status = 202
        for later in (0, SAID_BLOCKS - 1, SAID_BLOCKS):
            node.known = msgspec.structs.replace(NAMED, height=NAMED.height + later)
            await node.relaying.look([SESSION])
        assert len(node.taken) == 4 and node.relaying.signed == 2

    await run(tmp_path, test)


async def test_a_node_that_an_owner_named_in_the_manifest_hands_that_in(tmp_path: Path) -> None:
    async def test(node: Around) -> None:
        node.known = UNNAMED
        node.manifest = {"relay": {"node": ME.hex(), "signature": SIGNATURE.hex()}, "chunks": []}
        for _ in range(2):
            await node.relaying.look([SESSION])
        [(path, body)] = node.taken
        assert path == "/transactions" and node.asked == 1
        payload: Any = decode(bytes.fromhex(body["payload"]), Payload)  # type: ignore[arg-type]
        assert payload == RelayMandate(ME, SESSION[16:], SESSION[:16], SIGNATURE)

    await run(tmp_path, test)


@pytest.mark.parametrize("relay", [None, OTHER])
async def test_a_node_that_no_owner_named_hands_nothing_in(tmp_path: Path, relay: bytes | None) -> None:
    async def test(node: Around) -> None:
        node.known = UNNAMED
        await node.relaying.look([SESSION])
        node.relaying._mandates.clear()
        node.manifest = {"relay": relay and {"node": relay.hex(), "signature": SIGNATURE.hex()}}
        await node.relaying.look([SESSION])
        node.known = msgspec.structs.replace(UNNAMED, open=False)
        node.manifest = {"relay": {"node": ME.hex(), "signature": SIGNATURE.hex()}}
        await node.relaying.look([SESSION])
        assert not node.taken and node.asked == 2

    await run(tmp_path, test)
