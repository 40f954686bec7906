"""The driver of the machine of replication, which keeps copies of chunks at the nodes where they belong.

What is decided is in `lucid.machines.replication`; here are the messages on their way, the bytes, and who waits for
them (protocol section 8).
"""

from __future__ import annotations

import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import trio
from msgspec import structs

from lucid.chain.chunks import SEGMENT_BYTES
from lucid.chain.codec import encode
from lucid.chain.errors import LucidError
from lucid.chain.versions import FIRST_RULES
from lucid.machines.effects import (
    BeginFetch,
    Broadcast,
    ChunkStored,
    ChunkWanted,
    CopiesWished,
    EndFetch,
    FetchEnded,
    FetchOutcome,
    Forward,
    MembersKnown,
    Observe,
    PartCame,
    Provided,
    ReplicaSaid,
    Respond,
    Send,
    Started,
    Submit,
    TakePart,
    Undelivered,
)
from lucid.machines.performing import complete
from lucid.machines.replicamessages import (
    PART_BYTES,
    ChunkHolding,
    ChunkNeed,
    ChunkOffer,
    ChunkPart,
    ChunkQuestion,
    ChunkRequest,
    ReplicaMessage,
)
from lucid.machines.replication import Replicator
from lucid.machines.replication.copies import NAME_BYTES
from lucid.machines.replication.pacing import Pacing
from lucid.services.chunks.arrivals import Arrivals
from lucid.services.chunks.capacity import OwnPlace
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.collection import Collection
from lucid.services.chunks.membersanswer import read_members
from lucid.services.chunks.origins import Origins
from lucid.services.chunks.storedchunk import ChunkDamaged, StoredChunk
from lucid.services.chunks.storeshelf import StoreShelf
from lucid.services.process.disk import DiskFailed
from lucid.services.process.driver import DRIVEN, Driver, clock_ms
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged, StoreError

PACING = Pacing()
MEMBERS_S = 2.0
"""How often the manager is asked who there is."""
GATHER_S = 0.2
"""How long what was stored waits for others, to say together that it is needed."""
MAX_FRESH = 4_096
OUTBOX = 256
"""Messages that wait to be sent to one peer; what is more is dropped, and said again later."""
OPEN_CHUNKS = 4
"""Files kept open for peers that fetch them part by part."""
FETCHERS = 2
"""Chunks of other nodes in memory at once, for who reads them here."""
LOOK_S = 1.0
"""How often who waits for a chunk looks whether the machine still runs."""

_log = logging.getLogger("lucid.replication")


class Waiter:
    """Who waits for a chunk at this node."""

    def __init__(self, chunk: bytes, keep: bool) -> None:
        self.chunk = chunk
        self.keep = keep
        self.answered = trio.Event()
        self.held = False
        self.data: bytes | None = None


class Replication:
    """The copies of one node's chunks. `rate` is in bytes a second, what is fetched of each of a few chunks."""

    def __init__(self, key: bytes, chunks: Chunks, store: DurableStore, manager: Sibling, rate: int) -> None:
        self.key = key
        self.shelf = StoreShelf(chunks.inventory)
        pacing = structs.replace(PACING, bytes_per_s=rate)
        self.machine = Replicator(key, secrets.token_bytes(NAME_BYTES), store, self.shelf, pacing)
        self.copies = self.machine.copies
        self.asked = False
        """Whether the manager has said who the members are."""
        self.rules = FIRST_RULES
        """The version of the chain's rules."""
        self.own_place: OwnPlace | None = None
        """What the chain has of this node; None where it is no member, and before rules 7."""
        self.served = 0
        self._chunks = chunks
        self._store = store
        self._manager = manager
        self.origins = Origins(store)
        self._arrivals = Arrivals(chunks, self._fetch_ended, self._read_elsewhere)
        self._driver = Driver(self.machine, store, self._performers())
        self._nursery: trio.Nursery | None = None
        self._outboxes: dict[bytes, trio.MemorySendChannel[bytes]] = {}
        self._waiters: dict[int, Waiter] = {}
        self._request = 0
        self._open: OrderedDict[bytes, StoredChunk] = OrderedDict()
        self._readers = trio.CapacityLimiter(FETCHERS)
        self._fresh: dict[bytes, None] = {}
        self._stored_some = trio.Event()
        self.collection = Collection(self, chunks, store, self.send)
        chunks.on_stored = self._stored

    # -- what there is to know -----------------------------------------------------------------------------------

    @property
    def members(self) -> tuple[bytes, ...]:
        """The registered nodes, as far as they are known."""
        return self.machine.neighborhood.members

    @property
    def connected(self) -> frozenset[bytes]:
        """Those of them in reach."""
        return self.machine.neighborhood.connected

    @property
    def copies_wanted(self) -> int:
        """How many nodes should hold each chunk: as many as the chain wants, or as there are. 0 until the manager has
        said who there is: 1 would say that this node is alone, and nobody would wait for copies."""
        return self.machine.neighborhood.copies_wanted if self.asked else 0

    @property
    def fetched(self) -> int:
        """Chunks that came from other nodes since the start."""
        return self.machine.fetched

    @property
    def repaired(self) -> int:
        """Those of them that were missing or corrupted here."""
        return self.machine.repaired

    @property
    def wishes(self) -> int:
        """How many chunks wait to be fetched."""
        return self.machine.wishes

    def pending(self) -> list[bytes]:
        """The chunks that are on their way here, in order, from a worker thread: not those that come to be repaired."""
        return sorted(chunk for chunk in {*self.machine.wished()} if not self.shelf.kept(chunk))

    @property
    def lacking(self) -> list[bytes]:
        """Chunks that lack copies."""
        return list(self.machine.offering.lacking)

    def lacking_s(self) -> float:
        """For how long the chunk that lacks copies for longest does."""
        since = list(self.machine.offering.lacking.values())
        return max(0, clock_ms() - min(since)) / 1_000 if since else 0.0

    def wanted(self, chunk: bytes) -> tuple[bytes, ...]:
        """The nodes that should hold a chunk."""
        return self.machine.neighborhood.wanted(chunk)

    def belongs(self, chunk: bytes) -> bool:
        """Whether a chunk should be here."""
        return bool(self.connected) and self.key in self.wanted(chunk)

    def sound(self, chunk: bytes) -> bool:
        """Whether a chunk is here, as far as this node knows; from a worker thread."""
        return self.shelf.sound(chunk)

    # -- what peers say ------------------------------------------------------------------------------------------

    async def handle(self, peer: bytes, message: ReplicaMessage) -> None:
        """Take in what a peer's data chain says. Raises `StoreError` and `Problem`."""
        match message:
            case ChunkOffer():
                await self._driver.deliver(ReplicaSaid(peer, message))
            case ChunkHolding():
                await self._driver.deliver(ReplicaSaid(peer, message))
                await self.collection.tell_needs(peer, (*message.has, *message.lacks))
            case ChunkRequest():
                await self._on_request(peer, message)
            case ChunkPart():
                self.origins.came(message.chunk, peer)
                await self._driver.deliver(
                    PartCame(
                        peer=peer,
                        request=message.request,
                        chunk=message.chunk,
                        size=message.size,
                        segment=message.segment,
                        length=len(message.data),
                        data=message.data,
                    )
                )
            case ChunkNeed():
                lacking = await self.collection.on_need(peer, message)
                await self._driver.deliver(CopiesWished(peer, tuple(lacking)))
            case ChunkQuestion():
                await self.collection.on_question(peer, message)

    async def _on_request(self, peer: bytes, asked: ChunkRequest) -> None:
        first, data, size = asked.segment * SEGMENT_BYTES, b"", 0
        try:
            stored = await self._opened(asked.chunk)
            if stored is not None and first < stored.size:
                end = min(stored.size, first + PART_BYTES)
                data, size = await self._chunks.reader.read(stored, first, end), stored.size
        except (ChunkDamaged, DiskFailed):
            self._open.pop(asked.chunk, None)
        self.served += len(data)
        await self.send(peer, ChunkPart(asked.request, asked.chunk, size, asked.segment, data))

    async def _opened(self, chunk: bytes) -> StoredChunk | None:
        """A chunk's verified file, kept open for the next part."""
        stored = self._open.get(chunk)
        if stored is None:
            stored = await self._chunks.reader.open(chunk, warm=True)
            if stored is None:
                return None
            self._open[chunk] = stored
            while len(self._open) > OPEN_CHUNKS:
                self._open.popitem(last=False)
        self._open.move_to_end(chunk)
        return stored

    async def send(self, peer: bytes, message: ReplicaMessage) -> bool:
        """Send a peer a message; returns whether it is on its way."""
        return await self._post(peer, encode(message))

    async def _post(self, peer: bytes, data: bytes) -> bool:
        try:
            return await self._manager.post(f"/node/peers/{peer.hex()}/chunks", data) == 202
        except Problem:
            return False

    # -- what the machine wants ----------------------------------------------------------------------------------

    def _performers(self) -> dict[type, Callable[[Any], None]]:
        table: dict[type, Callable[[Any], None]] = {
            Send: self._send,
            BeginFetch: self._begin,
            TakePart: self._arrivals.take,
            EndFetch: self._arrivals.end,
            Provided: self._provided,
        }
        return complete(table, elsewhere=(*DRIVEN, Broadcast, Forward, Respond, Submit, Observe))

    def _send(self, effect: Send) -> None:
        assert self._nursery is not None, "a machine that runs has somebody who sends"
        outbox = self._outboxes.get(effect.peer)
        if outbox is None:
            outbox, waiting = trio.open_memory_channel[bytes](OUTBOX)
            self._outboxes[effect.peer] = outbox
            self._nursery.start_soon(self._send_all, effect.peer, waiting)
        try:
            outbox.send_nowait(effect.data)
        except trio.WouldBlock:
            _log.info("node %s takes too little: a message is dropped", effect.peer.hex()[:16])

    async def _send_all(self, peer: bytes, waiting: trio.MemoryReceiveChannel[bytes]) -> None:
        async for data in waiting:
            if not await self._post(peer, data):
                await self._driver.deliver(Undelivered(peer))

    def _begin(self, effect: BeginFetch) -> None:
        assert self._nursery is not None, "a machine that runs has somebody who fetches"
        if effect.keep:
            self.origins.begin(effect.fetch, effect.chunk)
        self._arrivals.begin(effect, self._nursery)

    async def _fetch_ended(self, ended: FetchEnded) -> None:
        try:
            await self.origins.end(ended.fetch, ended.outcome is FetchOutcome.KEPT)
        except StoreDamaged:
            raise
        except StoreError as error:
            _log.info("the receipt for a chunk is lost: %s", error)
        await self._driver.deliver(ended)

    def _provided(self, effect: Provided) -> None:
        waiter = self._waiters.pop(effect.request, None)
        if waiter is not None:
            waiter.held = effect.held
            waiter.answered.set()

    def _read_elsewhere(self, chunk: bytes, data: bytes) -> None:
        """A chunk came that is not stored here."""
        for waiter in self._waiters.values():
            if waiter.chunk == chunk and not waiter.keep:
                waiter.data = data

    # -- what runs -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Make copies and repair, forever."""
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                await nursery.start(self._driver.run, Started())
                await self._store.drained()
                self.collection.name = self.machine.name
                nursery.start_soon(self.collection.run)
                nursery.start_soon(self._follow_members)
                nursery.start_soon(self._tell_stored)
        except* StoreDamaged:
            pass  # the store has logged it and says so

    async def _follow_members(self) -> None:
        while True:
            try:
                known = await self._ask_members()
            except LucidError:
                neighborhood = self.machine.neighborhood
                known = MembersKnown(neighborhood.members, (), neighborhood.factor, neighborhood.weights)
            await self._driver.deliver(known)
            await trio.sleep(MEMBERS_S)

    async def _ask_members(self) -> MembersKnown:
        found = await self._manager.get("/node/members")
        with self._manager.understood():
            told = read_members(found, self.key)
        self.rules, self.own_place, self.asked = told.rules, told.here, True
        return told.known

    def _stored(self, chunk: bytes) -> None:
        """A chunk was stored here."""
        if len(self._fresh) < MAX_FRESH:
            self._fresh[chunk] = None
        self._stored_some.set()

    async def _tell_stored(self) -> None:
        """Tell the machine what was stored, and those who hold copies of it that it is needed here, forever."""
        while True:
            await self._stored_some.wait()
            self._stored_some = trio.Event()
            fresh, self._fresh = sorted(self._fresh), {}
            for chunk in fresh:
                await self._driver.deliver(ChunkStored(chunk))
            await trio.sleep(GATHER_S)
            for peer, held in (await self._store.read_when_there(self._held_elsewhere, fresh)).items():
                await self.collection.tell_needs(peer, held)

    def _held_elsewhere(self, chunks: Sequence[bytes]) -> dict[bytes, list[bytes]]:
        """The nodes in reach that hold some of these chunks, and which."""
        found = {peer: [each for each in chunks if self.copies.at(each, peer)] for peer in sorted(self.connected)}
        return {peer: held for peer, held in found.items() if held}

    # -- who waits for a chunk -----------------------------------------------------------------------------------

    async def obtain(self, chunk: bytes, first: Iterable[bytes] = ()) -> bool:
        """Store a chunk that another node has; returns whether it is here then. Raises `StoreDamaged`."""
        return (await self._await(Waiter(chunk, keep=True), first)).held

    async def bytes_of(self, chunk: bytes) -> bytes | None:
        """A chunk's bytes from another node, verified, not stored; None if none that can be reached has it."""
        async with self._readers:
            return (await self._await(Waiter(chunk, keep=False), ())).data

    async def _await(self, waiter: Waiter, first: Iterable[bytes]) -> Waiter:
        self._request += 1
        request = self._request
        self._waiters[request] = waiter
        try:
            await self._driver.deliver(ChunkWanted(request, waiter.chunk, tuple(first), waiter.keep))
            while not waiter.answered.is_set():
                if self._driver.stopped is not None:
                    raise self._driver.stopped
                with trio.move_on_after(LOOK_S):
                    await waiter.answered.wait()
        finally:
            self._waiters.pop(request, None)
        return waiter
