"""What data chains say on the chain that they hold: how they learn of sessions, when they say it, when they take it
back, and what a liar can do. A chain stands in that takes everything; `tests/ledger` has its rules."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack, closing, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from lucid.chain.chunks import chunk_id, session_root
from lucid.chain.codec import encode
from lucid.chain.placement import PlacedNode, placement
from lucid.chain.transactions import Ranges
from lucid.ledger.replicas import fewest_copies
from lucid.machines.replicamessages import (
    MAX_BYTES,
    MAX_IDS,
    MAX_NAMED,
    ListPart,
    ListRequest,
    SessionOffer,
    decode_replica,
    is_replica_message,
)
from lucid.services.chunks import holdings as saying
from lucid.services.chunks import ownsessions as following
from lucid.services.chunks import replication as replicating
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.holdings import Holdings, SessionMessage
from lucid.services.chunks.listings import kept, ranges_of
from lucid.services.chunks.replication import Replication
from lucid.services.process.space import Space
from lucid.storage.durable import DurableStore
from lucid.storage.interface import StoreError
from lucid.storage.sqlite import SqliteStore
from tests.services.chunks.fleets import HURRIED, body, run
from tests.waiting import until

BODIES = [bytes([number]) * (1_500 + 97 * number) for number in range(12)]
IDS = [chunk_id(data) for data in BODIES]
SESSION = b"s" * 16 + b"o" * 32


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long waits."""
    monkeypatch.setattr(replicating, "MEMBERS_S", 0.05)
    monkeypatch.setattr(replicating, "GATHER_S", 0.02)
    monkeypatch.setattr(replicating, "PACING", HURRIED)
    for name, value in {"SOON_S": 0.05, "LOOK_S": 0.2, "RETRY_S": 0.05, "OFFER_S": 0.3, "LOST_S": 0.3}.items():
        monkeypatch.setattr(saying, name, value)
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
            around=self.replication,
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
            handler: Any = peer.holdings if isinstance(message, SessionMessage) else peer.replication
            await handler.handle(self.key, message)


async def test_each_node_says_what_it_holds_once_all_that_belongs_there_is_there(tmp_path: Path) -> None:
    async def test(fleet: Fleet) -> None:
        nodes = await fleet.grow(5)
        for data in BODIES:
            await nodes[0].chunks.put(body(data), SESSION, None)
        fleet.anchor(nodes[0], IDS)
        await until(lambda: all(fleet.says(node) == fleet.belong(node) for node in nodes[1:]))
        await until(lambda: fleet.says(nodes[0]) == ((0, 12),))  # it keeps what it was given
        found = fleet.chain.replicas(5, nodes[0].key, SESSION)
        assert found is not None and found["copies"] >= 3
        times = fleet.chain.times
        await trio.sleep(1)
        assert fleet.chain.times == times <= 5, "and says it once"
        assert await nodes[0].holdings.copies.fewest(SESSION) == found["copies"]
        assert await nodes[0].holdings.copies.fewest(b"?" * 48) == 0
        assert await nodes[0].holdings.copies.fewest(SESSION[:16]) is None

    await run(tmp_path, Fleet, test)


async def test_what_is_lost_is_taken_back_and_what_is_repaired_is_said_again(tmp_path: Path) -> None:
    async def test(fleet: Fleet) -> None:
        nodes = await fleet.grow(3)
        for data in BODIES:
            await nodes[0].chunks.put(body(data), SESSION, None)
        fleet.anchor(nodes[0], IDS)
        await until(lambda: all(fleet.says(node) == ((0, 12),) for node in nodes))
        fleet.lies = {node.key: lambda message: None for node in nodes[:2]}  # nobody answers
        place = nodes[2].chunks.folder.place(IDS[3])
        place.write_bytes(b"rot" * 500)
        await nodes[2].chunks.inspection.check(IDS[3])
        await until(lambda: fleet.says(nodes[2]) == ((0, 3), (4, 8)))
        found = fleet.chain.replicas(3, nodes[0].key, SESSION)
        assert found is not None and (found["copies"], found["wanted"]) == (2, 3)
        fleet.lies = {}
        await until(lambda: fleet.says(nodes[2]) == ((0, 12),))

    await run(tmp_path, Fleet, test)


async def test_nothing_is_said_before_rules_3_and_all_of_it_then(tmp_path: Path) -> None:
    async def test(fleet: Fleet) -> None:
        fleet.chain.rules = 2
        nodes = await fleet.grow(3)
        for data in BODIES:
            await nodes[0].chunks.put(body(data), SESSION, None)
        fleet.anchor(nodes[0], IDS)
        await until(lambda: all(node.chunks.inventory.count == 12 for node in nodes))
        await nodes[1].holdings.handle(nodes[0].key, SessionOffer((SESSION,)))
        await trio.sleep(0.5)
        assert not fleet.chain.said and await nodes[0].holdings.copies.fewest(SESSION) is None
        fleet.chain.away = True  # its engine cannot take anything yet
        fleet.chain.rules = 3
        await trio.sleep(0.5)
        assert not fleet.chain.said
        fleet.chain.away = False
        await until(lambda: all(fleet.says(node) == ((0, 12),) for node in nodes))

    await run(tmp_path, Fleet, test)


async def test_what_was_said_before_there_were_proofs_is_said_anew_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(fleet: Fleet) -> None:
        (node,) = await fleet.grow(1)
        for data in BODIES:
            await node.chunks.put(body(data), SESSION, None)
        fleet.anchor(node, IDS)
        await until(lambda: fleet.says(node) == ((0, 12),))
        times = fleet.chain.times
        fleet.chain.rules = 4
        fleet.chain.stale = {(SESSION, node.key)}
        await until(lambda: not fleet.chain.stale)
        await trio.sleep(0.5)
        assert fleet.chain.times == times + 1 and fleet.says(node) == ((0, 12),)

    monkeypatch.setattr(saying, "SAID_BLOCKS", 0)
    await run(tmp_path, Fleet, test)


@pytest.mark.parametrize("how", ["other ids", "too few", "nothing", "silence", "another session"])
async def test_a_list_that_is_not_the_sessions_is_not_kept(tmp_path: Path, how: str) -> None:
    """Else a node would say that it holds what it does not."""

    def lie(message: Any) -> Any:
        if not isinstance(message, ListPart):
            return message
        if how == "silence":
            return None
        ids = {"other ids": message.ids[::-1], "too few": message.ids[:-1], "nothing": ()}.get(how, message.ids)
        session = b"?" * 48 if how == "another session" else message.session
        return ListPart(message.request, session, message.first, ids)

    async def test(fleet: Fleet) -> None:
        nodes = await fleet.grow(2)
        fleet.lies[nodes[0].key] = lie
        for data in BODIES:
            await nodes[0].chunks.put(body(data), SESSION, None)
        fleet.anchor(nodes[0], IDS)
        await until(lambda: fleet.says(nodes[0]) == ((0, 12),) and nodes[1].chunks.inventory.count == 12)
        await trio.sleep(0.5)
        assert not fleet.says(nodes[1]) and not await nodes[1].store.read(nodes[1].holdings.listings.known, SESSION)
        if how != "silence":  # there it goes on waiting
            fleet.lies = {}
            await until(lambda: fleet.says(nodes[1]) == ((0, 12),))

    await run(tmp_path, Fleet, test)


@pytest.mark.parametrize("how", ["silence", "drips"])
async def test_who_offers_lists_that_do_not_come_keeps_no_others_waiting(tmp_path: Path, how: str) -> None:
    """Sessions of its own, anchored as they should be: each list takes it forever, or comes an id at a time."""
    own = [number.to_bytes(16, "big") + b"l" * 32 for number in range(40)]
    long = [number.to_bytes(32, "big") for number in range(3 * MAX_IDS)]

    async def test(fleet: Fleet) -> None:
        nodes = await fleet.grow(3)
        fleet.lies[nodes[1].key] = lambda each: None if isinstance(each, ListPart) else each
        fleet.chain.sessions |= dict.fromkeys(own, long)
        if how == "drips":

            async def drip(peer: bytes, asked: ListRequest) -> None:
                await trio.sleep(1)
                part = ListPart(asked.request, asked.session, asked.first, tuple(long[asked.first :][:1]))
                await nodes[2].holdings.handle(nodes[1].key, part)

            nodes[1].holdings._on_request = drip  # type: ignore[method-assign]
        await until(lambda: len(nodes[2].replication.connected) == 2)
        for data in BODIES:
            await nodes[0].chunks.put(body(data), SESSION, None)
        await nodes[2].holdings.handle(nodes[1].key, SessionOffer(tuple(own)))
        await trio.sleep(0.1)
        fleet.anchor(nodes[0], IDS)
        await until(lambda: fleet.says(nodes[2]) == ((0, 12),))

    await run(tmp_path, Fleet, test)


async def test_a_peer_is_sent_so_many_parts_of_lists_in_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question of 60 bytes is answered with 32 KiB."""

    async def test(fleet: Fleet) -> None:
        nodes = await fleet.grow(2)
        await until(lambda: all(node.replication.asked for node in nodes))
        await nodes[0].store.write(kept(SESSION, IDS))
        sent: list[Any] = []
        fleet.lies[nodes[0].key] = lambda each: sent.append(each) if isinstance(each, ListPart) else each
        for number in range(3 * saying.LISTS_A_SECOND):
            await nodes[0].holdings.handle(nodes[1].key, ListRequest(number, SESSION, 0))
        assert len(sent) == saying.LISTS_A_SECOND
        await nodes[0].holdings.handle(nodes[0].key, ListRequest(1, SESSION, 0))
        assert len(sent) == saying.LISTS_A_SECOND + 1, "another peer has its own"

    monkeypatch.setattr(saying, "clock_ms", lambda: 5_000_000)
    await run(tmp_path, Fleet, test)


async def test_a_session_that_went_is_taken_back_and_its_list_forgotten(tmp_path: Path) -> None:
    async def test(fleet: Fleet) -> None:
        (node,) = await fleet.grow(1)
        for data in BODIES:
            await node.chunks.put(body(data), SESSION, None)
        fleet.anchor(node, IDS)
        await until(lambda: fleet.says(node) == ((0, 12),))
        fleet.members.append(b"z" * 32)  # where nothing of it is, or all
        fleet.members.remove(node.key)
        for chunk in IDS:
            node.chunks.folder.remove(chunk)
            await node.chunks.inspection.check(chunk)
        await until(lambda: fleet.says(node) == ())
        with trio.fail_after(120):
            while await node.store.read(node.holdings.listings.known, SESSION):
                await trio.sleep(0.05)

    await run(tmp_path, Fleet, test)


def test_messages_are_bounded() -> None:
    largest = ListPart(2**53, SESSION, 2**53, (bytes(32),) * MAX_IDS)
    for message in (largest, SessionOffer((SESSION,) * MAX_NAMED), ListRequest(2**53, SESSION, 2**53)):
        assert len(encode(message)) < MAX_BYTES and is_replica_message(encode(message))
        assert decode_replica(encode(message)) == message
