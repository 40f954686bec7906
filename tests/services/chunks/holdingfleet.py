"""Data chains that learn of sessions and say what they hold of them, for tests.

A chain stands in that takes everything; `tests/ledger` has its rules.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack, closing, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from lucid.chain.chunks import chunk_id, session_root
from lucid.chain.placement import PlacedNode, placement
from lucid.chain.transactions import Ranges
from lucid.ledger.replicas import fewest_copies
from lucid.machines.replicamessages import MAX_BYTES, decode_replica, is_replica_message
from lucid.services.chunks import holdings as saying
from lucid.services.chunks import listexchange
from lucid.services.chunks import ownsessions as following
from lucid.services.chunks import replication as replicating
from lucid.services.chunks.belonging import ranges_of
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.holdings import Holdings
from lucid.services.chunks.listexchange import SessionMessage
from lucid.services.chunks.replication import Replication
from lucid.services.process.space import Space
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreError
from lucid.storage.sqlite import SqliteStore
from tests.services.chunks.fleets import HURRIED

BODIES = [bytes([number]) * (1_500 + 97 * number) for number in range(12)]
IDS = [chunk_id(data) for data in BODIES]
SESSION = b"s" * 16 + b"o" * 32


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long waits."""
    monkeypatch.setattr(replicating, "MEMBERS_S", 0.05)
    monkeypatch.setattr(replicating, "GATHER_S", 0.02)
    monkeypatch.setattr(replicating, "PACING", HURRIED)
    for name, value in {"SOON_S": 0.05, "LOOK_S": 0.2, "RETRY_S": 0.05, "LOST_S": 0.3}.items():
        monkeypatch.setattr(saying, name, value)
    monkeypatch.setattr(listexchange, "OFFER_S", 0.3)
    monkeypatch.setattr(following, "RETRY_S", 0.05)


class Chain:
    """What all nodes agree on: sessions with their roots, and what each node said last."""

    def __init__(self) -> None:
        self.rules = 3
        self.height = 1
        self.sessions: dict[bytes, list[bytes]] = {}
        self.said: dict[tuple[bytes, bytes], Ranges] = {}
        self.stale: set[tuple[bytes, bytes]] = set()
        """What was said under rules that had no proofs of it."""
        self.times = 0
        self.away = False

    def replicas(self, members: int, node: bytes, session: bytes) -> dict[str, Any] | None:
        """See `ReplicaView.replicas`."""
        ids = self.sessions.get(session)
        if ids is None:
            return None
        held = {key: ranges for (name, key), ranges in self.said.items() if name == session and ranges}
        return {
            "height": self.height,
            "chunks": len(ids),
            "root": session_root(ids).hex(),
            "copies": fewest_copies(held.values(), len(ids)),
            "wanted": min(3, members),
            "holders": [{"node": key.hex(), "chunks": sum(n for _, n in ranges)} for key, ranges in held.items()],
            "here": self.said.get((session, node), ()),
            "rules": self.rules,
            "provable": (session, node) not in self.stale,
        }


class Fleet:
    """Data chains that reach each other and one chain; `manifests` are those of the sessions that a node took."""

    def __init__(self, folder: Path, nursery: trio.Nursery, stack: AsyncExitStack) -> None:
        self.folder = folder
        self.chain = Chain()
        self.nodes: dict[bytes, Node] = {}
        self.members: list[bytes] = []
        self.lies: dict[bytes, Callable[[Any], Any]] = {}
        self.nursery = nursery
        self.stack = stack

    async def grow(self, count: int) -> list[Node]:
        """So many nodes."""
        keys = [bytes([number + 1]) * 32 for number in range(count)]
        self.members = keys
        for key in keys:
            self.nodes[key] = node = Node(self, key, self.folder / key.hex()[:8])
            await self.nursery.start(node.run)
        return list(self.nodes.values())

    def anchor(self, taker: Node, ids: list[bytes], session: bytes = SESSION) -> None:
        """A node's session anchoring takes a session, and it becomes final."""
        taker.manifests[session] = ids
        self.chain.sessions[session] = ids
        self.chain.height += 1

    def says(self, node: Node, session: bytes = SESSION) -> Ranges:
        """What a node said last."""
        return self.chain.said.get((session, node.key), ())

    def belong(self, node: Node, ids: list[bytes] = IDS) -> Ranges:
        """The chunks that belong at a node, as ranges."""
        nodes = [PlacedNode(key) for key in self.members]
        return ranges_of([number for number, each in enumerate(ids) if node.key in placement(each, nodes)])


class Node:
    """One data chain, and the other services of its node as far as it needs them."""

    def __init__(self, fleet: Fleet, key: bytes, folder: Path) -> None:
        self.fleet = fleet
        self.key = key
        folder.mkdir()
        self.manifests: dict[bytes, list[bytes]] = {}
        self.store = DurableStore(fleet.stack.enter_context(closing(SqliteStore(folder / "data.sqlite"))))
        self.chunks = Chunks(folder / "chunks", self.store, Space(folder, folder / "ballast", 0, 0))
        self.replication = Replication(key, self.chunks, self.store, self, 100 << 20)  # type: ignore[arg-type]
        self.holdings = Holdings(
            places=self.replication,
            store=self.store,
            manager=self,  # type: ignore[arg-type]
            engine=self,  # type: ignore[arg-type]
            anchoring=self,  # type: ignore[arg-type]
            send=self.replication.send,
        )

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Until the fleet ends."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.store.run)
            nursery.start_soon(self.replication.run)
            nursery.start_soon(self.holdings.run)
            task_status.started()

    # What `Sibling` does.

    async def get(self, path: str, wait_s: float = 0.0) -> Any:
        """The members, or the sessions in blocks above a height."""
        chain = self.fleet.chain
        if path == "/node/members":
            others = [key.hex() for key in self.fleet.nodes if key != self.key]
            return {"members": [key.hex() for key in self.fleet.members], "connected": others, "rules": chain.rules}
        after = int(path.split("after=")[1].split("&", maxsplit=1)[0])
        while after >= chain.height:
            await trio.sleep(0.02)
        return {"sessions": [each.hex() for each in chain.sessions], "height": chain.height}

    async def fetch(self, path: str, wait_s: float = 0.0) -> tuple[int, bytes]:
        """A manifest."""
        name = path.split("/")[2].replace("-", "") + path.split("owner=")[1]
        ids = self.manifests.get(bytes.fromhex(name))
        found = {"chunks": [{"index": at, "id": each.hex()} for at, each in enumerate(ids or ())]}
        return (404, b"") if ids is None else (200, msgspec.json.encode(found))

    async def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """What the chain knows of sessions, or what this node says on it."""
        chain = self.fleet.chain
        if path == "/node/replicas":
            names = [bytes.fromhex(each) for each in body["sessions"]]
            found = [chain.replicas(len(self.fleet.members), self.key, each) for each in names]
            return 200, msgspec.json.decode(msgspec.json.encode({"sessions": found}))
        if chain.away:
            return 503, {}
        chain.said[bytes.fromhex(body["session"]), self.key] = body["ranges"]
        chain.stale.discard((bytes.fromhex(body["session"]), self.key))
        chain.times += 1
        chain.height += 1
        return 202, {}

    def understood(self) -> Any:
        """Everything is."""
        return closing(self)

    def close(self) -> None:
        """Nothing to do."""

    async def post(self, path: str, data: bytes) -> int:
        """A message to a peer."""
        assert is_replica_message(data) and len(data) <= MAX_BYTES
        peer = self.fleet.nodes.get(bytes.fromhex(path.split("/")[3]))
        message = self.fleet.lies.get(self.key, lambda each: each)(decode_replica(data))
        if peer is None or message is None:
            return 202 if peer is not None else 404
        self.fleet.nursery.start_soon(self._hand, peer, message)
        return 202

    async def _hand(self, peer: Node, message: Any) -> None:
        await trio.sleep(0.001)
        with suppress(StoreError):
            handler: Any = peer.holdings.lists if isinstance(message, SessionMessage) else peer.replication
            await handler.handle(self.key, message)
