"""Replication among many stores without HTTP between them: who holds what, what moves, and what a liar can do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack, closing, suppress
from pathlib import Path
from typing import Any

import pytest
import trio

from lucid.chain.chunks import chunk_id
from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.placement import PlacedNode, placement
from lucid.machines.replicamessages import (
    MAX_BYTES,
    MAX_NAMED,
    PART_BYTES,
    ChunkHolding,
    ChunkNeed,
    ChunkOffer,
    ChunkPart,
    ChunkRequest,
    decode_replica,
    is_replica_message,
)
from lucid.services.chunks import replication as replicating
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.replication import Replication
from lucid.services.process.space import Space
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreError
from lucid.storage.sqlite import SqliteStore
from tests.services.chunks.fleets import HURRIED, body, run
from tests.waiting import until

SESSION = bytes(16)
BODIES = [bytes([number]) * (1_500 + 997 * number) for number in range(40)]
IDS = [chunk_id(data) for data in BODIES]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long waits."""
    monkeypatch.setattr(replicating, "MEMBERS_S", 0.05)
    monkeypatch.setattr(replicating, "GATHER_S", 0.02)
    monkeypatch.setattr(replicating, "PACING", HURRIED)


class Fleet:
    """Data chains that reach each other; `lies` change what a node sends."""

    def __init__(self, folder: Path, nursery: trio.Nursery, stack: AsyncExitStack) -> None:
        self.folder = folder
        self.nodes: dict[bytes, Node] = {}
        self.members: list[bytes] = []
        self.lies: dict[bytes, Callable[[Any], Any]] = {}
        self.nursery = nursery
        self.stack = stack

    async def add(self, number: int, folder: str = "") -> Node:
        """A node joins, or begins anew in another folder."""
        key = bytes([number]) * 32
        node = Node(self, key, self.folder / f"{number}{folder}")
        await node.start()
        self.nodes[key] = node
        if key not in self.members:
            self.members.append(key)
        return node

    def holders(self, chunk: bytes) -> set[bytes]:
        """Who has a chunk's file."""
        return {key for key, node in self.nodes.items() if node.chunks.folder.place(chunk).exists()}

    def wanted(self, chunk: bytes) -> set[bytes]:
        """Where it belongs."""
        return set(placement(chunk, [PlacedNode(key) for key in self.members]))

    def whole(self) -> bool:
        """Whether each chunk is where it belongs."""
        return all(self.wanted(chunk) <= self.holders(chunk) for chunk in IDS)


class Node:
    """One data chain, and its manager as far as it needs one."""

    def __init__(self, fleet: Fleet, key: bytes, folder: Path) -> None:
        self.fleet = fleet
        self.key = key
        folder.mkdir()
        self.store = DurableStore(fleet.stack.enter_context(closing(SqliteStore(folder / "data.sqlite"))))
        self.chunks = Chunks(folder / "chunks", self.store, Space(folder, folder / "ballast", 0, 0))
        self.replication = Replication(key, self.chunks, self.store, self, 100 << 20)  # type: ignore[arg-type]
        self.scope = trio.CancelScope()

    async def start(self) -> None:
        """Run."""
        await self.fleet.nursery.start(self._run)

    async def _run(self, task_status: trio.TaskStatus[None]) -> None:
        with self.scope:
            async with trio.open_nursery() as nursery:
                await nursery.start(self.store.run)
                nursery.start_soon(self.replication.run)
                task_status.started()

    def die(self) -> None:
        """Stop, out of everybody's reach."""
        self.store.end()  # as a service that stops: what waits for a commit gives up
        self.scope.cancel()
        del self.fleet.nodes[self.key]

    # What `Sibling` does.

    async def get(self, path: str) -> Any:
        """The members."""
        assert path == "/node/members"
        others = [key.hex() for key in self.fleet.nodes if key != self.key]
        return {"members": [key.hex() for key in self.fleet.members], "connected": others}

    def understood(self) -> Any:
        """Everything is."""
        return closing(self)

    def close(self) -> None:
        """Nothing to do."""

    async def post(self, path: str, data: bytes) -> int:
        """A message to a peer."""
        assert is_replica_message(data) and len(data) <= MAX_BYTES
        peer = self.fleet.nodes.get(bytes.fromhex(path.split("/")[3]))
        if peer is None:
            return 404
        message = self.fleet.lies.get(self.key, lambda each: each)(decode_replica(data))
        if message is not None:
            self.fleet.nursery.start_soon(self._hand, peer, message)
        return 202

    async def _hand(self, peer: Node, message: Any) -> None:
        await trio.sleep(0.001)
        with suppress(StoreError):  # its manager would be told
            if peer.key in self.fleet.nodes:
                await peer.replication.handle(self.key, message)


async def test_chunks_come_to_where_they_belong_and_what_joins_or_dies_moves_only_its_own(tmp_path: Path) -> None:
    async def test(fleet: Fleet) -> None:
        nodes = [await fleet.add(number) for number in range(1, 6)]
        for number, data in enumerate(BODIES):
            await nodes[number % 5].chunks.put(body(data), SESSION, None)
        await until(fleet.whole)
        origin = {chunk: nodes[number % 5].key for number, chunk in enumerate(IDS)}
        assert all(fleet.holders(chunk) == fleet.wanted(chunk) | {origin[chunk]} for chunk in IDS), "and nowhere else"
        await until(lambda: not any(node.replication.lacking or node.replication.wishes for node in nodes))
        fetched = [node.replication.fetched for node in nodes]

        joined = await fleet.add(6)
        await until(fleet.whole)
        assert [node.replication.fetched for node in nodes] == fetched, "only the new node fetches"
        own = sum(joined.key in fleet.wanted(chunk) for chunk in IDS)
        await until(lambda: joined.replication.fetched == own)

        dead = nodes[2]
        held = len(list(dead.chunks.folder.chunks()))
        before = sum(node.replication.fetched for node in fleet.nodes.values() if node is not dead)
        dead.die()
        await trio.sleep(0.5)
        others = fleet.nodes.values()
        assert sum(node.replication.fetched for node in others) == before, "it may come back"
        await until(lambda: any(node.replication.lacking for node in others))  # but that is told
        fleet.members.remove(dead.key)
        await until(fleet.whole)
        await until(lambda: not any(node.replication.lacking for node in others))
        moved = sum(node.replication.fetched for node in others) - before
        assert 0 < moved <= held, "no more than the copies that were lost"

    await run(tmp_path, Fleet, test)


async def test_a_store_that_is_begun_anew_is_filled_again(tmp_path: Path) -> None:
    async def test(fleet: Fleet) -> None:
        nodes = [await fleet.add(number) for number in range(1, 4)]
        for data in BODIES[:20]:
            await nodes[0].chunks.put(body(data), SESSION, None)
        await until(lambda: all(len(fleet.holders(chunk)) == 3 for chunk in IDS[:20]))
        await until(lambda: not nodes[0].replication.lacking)
        nodes[0].die()
        await trio.sleep(0.2)
        again = await fleet.add(1, "anew")
        await until(lambda: all(len(fleet.holders(chunk)) == 3 for chunk in IDS[:20]))
        await until(lambda: again.replication.fetched == 20)
        lost = again.chunks.folder.place(IDS[3])
        lost.write_bytes(b"rot" * 500)
        await again.chunks.inspection.check(IDS[3])
        await until(lambda: again.replication.repaired == 1)
        assert lost.read_bytes() == BODIES[3]

    await run(tmp_path, Fleet, test)


@pytest.mark.parametrize("how", ["other bytes", "too short", "another size", "silence", "nothing"])
async def test_a_liar_can_not_pass_other_bytes_and_the_next_source_is_asked(tmp_path: Path, how: str) -> None:
    def lie(message: Any) -> Any:
        if not isinstance(message, ChunkPart):
            return message
        if how == "silence":
            return None
        data = {"other bytes": bytes(len(message.data)), "too short": message.data[:-1], "nothing": b""}
        size = {"another size": message.size + 1, "nothing": 0}
        return ChunkPart(
            message.request,
            message.chunk,
            size.get(how, message.size),
            message.segment,
            data.get(how, message.data),
        )

    async def test(fleet: Fleet) -> None:
        nodes = [await fleet.add(number) for number in (1, 2)]
        big = bytes(range(256)) * 1_000  # several parts
        await nodes[0].chunks.put(body(big), SESSION, None)
        await until(lambda: len(fleet.holders(chunk_id(big))) == 2)
        fleet.lies[nodes[0].key] = lie
        third = await fleet.add(3)
        await until(lambda: third.replication.connected == {nodes[0].key, nodes[1].key})
        assert await third.replication.obtain(chunk_id(big), (nodes[0].key,))
        stored = await third.chunks.reader.open(chunk_id(big))
        assert stored is not None and stored.read(0, stored.size) == big
        fleet.lies[nodes[1].key] = lie
        assert await third.replication.bytes_of(chunk_id(BODIES[0])) is None
        await nodes[0].chunks.put(body(BODIES[5]), SESSION, None)
        await trio.sleep(0.3)
        if how != "another size" or len(BODIES[5]) > PART_BYTES:
            assert not third.chunks.folder.place(IDS[5]).exists()
        if how != "silence":  # there it goes on waiting
            fleet.lies.clear()
            await until(lambda: third.chunks.folder.place(IDS[5]).exists())
            assert not list(third.chunks.folder.incoming.iterdir()), "nothing is left behind"

    await run(tmp_path, Fleet, test)


async def test_a_peer_makes_nobody_fetch_what_does_not_belong_there(tmp_path: Path) -> None:
    async def test(fleet: Fleet) -> None:
        nodes = [await fleet.add(number) for number in range(1, 7)]
        await until(lambda: all(len(node.replication.members) == 6 for node in nodes))
        chunk = next(each for each in IDS if nodes[0].key not in fleet.wanted(each))
        await nodes[0].replication.handle(nodes[1].key, ChunkOffer((chunk,)))
        assert nodes[0].replication.wishes == 0
        await nodes[0].replication.handle(nodes[1].key, ChunkHolding(bytes(16), (chunk,), ()))
        at = await nodes[0].store.read(nodes[0].replication.copies.at, chunk, nodes[1].key)
        assert at == 0, "nothing is kept about chunks that are not here"
        await nodes[0].replication.handle(nodes[1].key, ChunkPart(7, chunk, 5_000, 0, b"unasked"))
        await nodes[0].replication.handle(nodes[1].key, ChunkRequest(7, chunk, 2**53))

    await run(tmp_path, Fleet, test)


def test_messages_are_bounded() -> None:
    long = ChunkOffer((bytes(32),) * (MAX_NAMED + 1))
    for wrong in (
        long,
        ChunkPart(1, bytes(32), 1, 0, bytes(PART_BYTES + 1)),
        ChunkRequest(1, bytes(31), 0),
        ChunkHolding(b"", (), ()),
    ):
        with pytest.raises(Refusal) as caught:
            decode_replica(encode(wrong))
        assert caught.value.code is Code.MALFORMED
    largest = encode(ChunkPart(2**53, bytes(32), 2**53, 2**53, bytes(PART_BYTES)))
    assert len(largest) < 1 << 16 and len(encode(ChunkHolding(bytes(16), (bytes(32),) * MAX_NAMED, ()))) < MAX_BYTES
    assert len(encode(ChunkNeed(2**53, bytes(16), *((bytes(32),) * MAX_NAMED,) * 4))) < MAX_BYTES
    assert not is_replica_message(b"") and not is_replica_message(b"\x93\x01\x02") and is_replica_message(largest)
