"""Copies of chunks at the nodes where they belong, made in the background, and repair from them (protocol section 8).

Each node offers what it holds to the nodes that should hold it too, until they say that they do; these fetch what they
lack, one small part after the other, at a bounded rate. A chunk that is missing or corrupted here is fetched in the
same way from whoever has it. Nothing is taken for a chunk before its bytes have its id.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

import trio

from lucid.chain.chunks import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, SEGMENT_BYTES
from lucid.chain.codec import encode
from lucid.chain.errors import Code, LucidError, Refusal
from lucid.chain.placement import REPLICATION_FACTOR, PlacedNode, placement
from lucid.chain.versions import FIRST_RULES
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.collection import Collection
from lucid.services.chunks.copies import STORE_NAME_TABLE, Copies, new_name
from lucid.services.chunks.replicamessages import (
    MAX_NAMED,
    PART_BYTES,
    ChunkHolding,
    ChunkNeed,
    ChunkOffer,
    ChunkPart,
    ChunkQuestion,
    ChunkRequest,
    ReplicaMessage,
)
from lucid.services.chunks.storedchunk import ChunkDamaged, StoredChunk
from lucid.services.process.disk import DiskFailed
from lucid.services.process.driver import clock_ms
from lucid.services.process.sibling import Sibling
from lucid.services.process.space import NoRoom
from lucid.services.web.problems import Problem
from lucid.storage.chunkfiles import CHUNK_TABLE
from lucid.storage.durable import DurableStore
from lucid.storage.interface import StoreDamaged, StoreError

MEMBERS_S = 2.0
"""How often the manager is asked who there is."""
LOOK_S = 600.0
"""How often everything is looked through when nothing has changed."""
GATHER_S = 0.2
"""How long what was stored waits for others, to be offered together."""
SOON_S = 20.0
"""How often while something lacks copies."""
RECHECK_MS = 24 * 3_600_000
"""A copy that was not spoken of for so long is offered again, to learn whether it is still there."""
ANSWER_S = 10.0
TRIES = 3
AGAIN_S = 0.5
PULLS = 2
"""Chunks that are fetched at once."""
MAX_WISHES = 4_096
MAX_FRESH = 4_096
OPEN_CHUNKS = 4
"""Files kept open for peers that fetch them part by part."""
PAGE = 500
REPAIR_S = 15.0
MAX_LACKING = 65_536
FETCHERS = 2
"""Chunks of other nodes in memory at once, for who reads them here."""

_log = logging.getLogger("lucid.replication")


class Replication:
    """The copies of one node's chunks. `rate` is in bytes a second, what is fetched by each of `PULLS`."""

    def __init__(self, key: bytes, chunks: Chunks, store: DurableStore, manager: Sibling, rate: int) -> None:
        self.key = key
        self.copies = Copies(store)
        self.members: tuple[bytes, ...] = (key,)
        self.asked = False
        """Whether the manager has said who the members are."""
        self.connected: frozenset[bytes] = frozenset()
        self.factor = REPLICATION_FACTOR
        """How many copies of each chunk the chain wants."""
        self.rules = FIRST_RULES
        """The version of the chain's rules."""
        self.lacking: dict[bytes, float] = {}
        """Chunks that lack copies, and since when (trio's clock)."""
        self.fetched = self.repaired = self.served = 0
        self._chunks = chunks
        self._store = store
        self._manager = manager
        self._rate = rate
        self._name = b""
        self._fresh: set[bytes] = set()
        self._wishes: OrderedDict[bytes, bytes] = OrderedDict()
        self._fetching: dict[bytes, trio.Event] = {}
        self._answers: dict[int, tuple[bytes, trio.Event, list[ChunkPart]]] = {}
        self._request = 0
        self._open: OrderedDict[bytes, StoredChunk] = OrderedDict()
        self._readers = trio.CapacityLimiter(FETCHERS)
        self._kick = trio.Event()
        self._changed = False
        self._wished = trio.Event()
        self._greeted: frozenset[bytes] = frozenset()
        self.collection = Collection(self, chunks, store, self.send)
        chunks.on_stored = self._stored

    # -- what there is to know -----------------------------------------------------------------------------------

    def wanted(self, chunk: bytes) -> tuple[bytes, ...]:
        """The nodes that should hold a chunk."""
        return placement(chunk, [PlacedNode(key) for key in self.members], self.factor)

    def lacks(self, chunk: bytes) -> list[bytes]:
        """The other nodes that should hold a chunk and did not say that they do, from a worker thread."""
        return [key for key in self.wanted(chunk) if key != self.key and not self.copies.at(chunk, key)]

    def belongs(self, chunk: bytes) -> bool:
        """Whether a chunk should be here."""
        return bool(self.connected) and self.key in self.wanted(chunk)

    @property
    def copies_wanted(self) -> int:
        """How many nodes should hold each chunk: as many as the chain wants, or as there are."""
        return min(self.factor, len(self.members))

    @property
    def wishes(self) -> int:
        """How many chunks wait to be fetched."""
        return len(self._wishes) + len(self._fetching)

    def lacking_s(self) -> float:
        """For how long the chunk that lacks copies for longest does."""
        return trio.current_time() - min(self.lacking.values()) if self.lacking else 0.0

    # -- what peers say ------------------------------------------------------------------------------------------

    async def handle(self, peer: bytes, message: ReplicaMessage) -> None:
        """Take in what a peer's data chain says. Raises `StoreError` and `Problem`."""
        match message:
            case ChunkOffer():
                await self._on_offer(peer, message.chunks)
            case ChunkHolding():
                await self._on_holding(peer, message)
            case ChunkRequest():
                await self._on_request(peer, message)
            case ChunkPart():
                self._on_part(peer, message)
            case ChunkNeed():
                self._wish(await self.collection.on_need(peer, message), peer)
            case ChunkQuestion():
                await self.collection.on_question(peer, message)

    async def _on_offer(self, peer: bytes, chunks: Iterable[bytes]) -> None:
        """Say what is held of it, and wish for what should be."""

        def look() -> tuple[list[bytes], list[bytes], list[bytes]]:
            has, lacks = list[bytes](), list[bytes]()
            for chunk in chunks:
                (has if self.sound(chunk) else lacks).append(chunk)
            return has, lacks, [chunk for chunk in lacks if not self._chunks.needs.gone(chunk)]

        has, lacks, wishes = await self._store.read(look)
        await self._say_holding([peer], has, lacks)
        # What was let go here comes back only where a node says that it needs it.
        self._wish(wishes, peer)

    def _wish(self, chunks: Iterable[bytes], peer: bytes) -> None:
        for chunk in chunks:
            if self.key in self.wanted(chunk) and len(self._wishes) < MAX_WISHES:
                self._wishes[chunk] = peer
        self._wished.set()

    async def _on_holding(self, peer: bytes, holding: ChunkHolding) -> None:
        writes, anew = await self._store.read(
            self.copies.said, peer, holding.store, holding.has, holding.lacks, clock_ms()
        )
        if anew:
            _log.warning("node %s began a new store: what it held is given to it again", peer.hex()[:16])
            self._look_again()
        if writes:
            await self._store.write(writes)
        held = [chunk for chunk in holding.has if chunk in self.lacking]
        for chunk in await self._store.read(lambda: [each for each in held if not self.lacks(each)]):
            self.lacking.pop(chunk, None)
        await self.collection.tell_needs(peer, (*holding.has, *holding.lacks))

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

    def _on_part(self, peer: bytes, part: ChunkPart) -> None:
        waiting = self._answers.get(part.request)
        if waiting is not None and waiting[0] == peer:
            waiting[2].append(part)
            waiting[1].set()

    async def send(self, peer: bytes, message: ReplicaMessage) -> bool:
        """Send a peer a message; returns whether it is on its way."""
        try:
            return await self._manager.post(f"/node/peers/{peer.hex()}/chunks", encode(message)) == 202
        except Problem:
            return False

    async def _say_holding(self, peers: Iterable[bytes], has: Iterable[bytes], lacks: Iterable[bytes]) -> None:
        for peer in peers:
            await self.send(peer, ChunkHolding(self._name, tuple(has), tuple(lacks)))

    # -- what runs -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Make copies and repair, forever."""
        try:
            name = await self._store.read_when_there(self.copies.own_name)
            self._name = name or new_name()
            if name is None:
                await self._store.write([(STORE_NAME_TABLE, b"", self._name)])
            self.collection.name = self._name
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.collection.run)
                nursery.start_soon(self._follow_members)
                nursery.start_soon(self._offer)
                nursery.start_soon(self._repair)
                for _ in range(PULLS):
                    nursery.start_soon(self._pull)
        except* StoreDamaged:
            pass  # the store has logged it and says so

    async def _follow_members(self) -> None:
        while True:
            try:
                await self._ask_members()
            except LucidError:
                self.connected = frozenset()
            await trio.sleep(MEMBERS_S)

    async def _ask_members(self) -> None:
        found = await self._manager.get("/node/members")
        with self._manager.understood():
            members = tuple(sorted(bytes.fromhex(each) for each in found["members"]))
            connected = frozenset(bytes.fromhex(each) for each in found["connected"])
            # A manager of an older release knows of no other number.
            factor = int(found.get("replication_factor", REPLICATION_FACTOR))
            self.rules = int(found.get("rules", FIRST_RULES))
            self.asked = True
        if (members, connected, factor) != (self.members, self.connected, self.factor):
            self.members, self.connected, self.factor = members, connected, factor
            self._look_again()
        self._greeted &= connected
        for peer in sorted(connected - self._greeted):
            # It learns this store's name, so that it knows when what it believes to be here is not.
            if await self.send(peer, ChunkHolding(self._name, (), ())):
                self._greeted |= {peer}

    def _look_again(self) -> None:
        self._changed = True
        self._kick.set()

    def _stored(self, chunk: bytes) -> None:
        """A chunk was stored here."""
        if len(self._fresh) < MAX_FRESH:
            self._fresh.add(chunk)
        self._kick.set()

    async def _offer(self) -> None:
        """Offer what lacks copies: what was stored just now, and everything now and then."""
        next_look = 0.0
        while True:
            if self._fresh:
                fresh, self._fresh = sorted(self._fresh), set()
                lacking = await self._store.read_when_there(self._lacking_of, fresh)
                await self._offer_to(lacking)
                for peer, held in (await self._store.read_when_there(self._held_elsewhere, fresh)).items():
                    await self.collection.tell_needs(peer, held)
            if trio.current_time() >= next_look:
                self._changed = False
                await self._look()
                next_look = trio.current_time() + LOOK_S
            if self.lacking:
                next_look = min(next_look, trio.current_time() + SOON_S)
            with trio.move_on_after(max(0.0, next_look - trio.current_time())):
                await self._kick.wait()
            self._kick = trio.Event()
            if self._changed:
                next_look = 0.0
            await trio.sleep(GATHER_S)

    def _lacking_of(self, chunks: Iterable[bytes]) -> list[tuple[bytes, list[bytes]]]:
        """The chunks that are sound here, each with the nodes that should hold it and cannot be counted on now: they
        never said so, not for long, or are out of reach."""
        now, found = clock_ms(), []
        for chunk in chunks:
            row = self._chunks.rows.row(chunk)
            if row is None or row.unused_since_ms or self._chunks.faults.of(chunk) is not None:
                continue
            lacking = [key for key in self.wanted(chunk) if key != self.key and not self._counts(chunk, key, now)]
            if lacking:
                found.append((chunk, lacking))
        return found

    def _held_elsewhere(self, chunks: Iterable[bytes]) -> dict[bytes, list[bytes]]:
        """The nodes in reach that hold some of these chunks, and which."""
        chunks = list(chunks)
        found = {peer: [each for each in chunks if self.copies.at(each, peer)] for peer in sorted(self.connected)}
        return {peer: held for peer, held in found.items() if held}

    def _counts(self, chunk: bytes, node: bytes, now_ms: int) -> bool:
        return node in self.connected and now_ms - RECHECK_MS < self.copies.at(chunk, node) <= now_ms + RECHECK_MS

    def sound(self, chunk: bytes) -> bool:
        """Whether a chunk is here, as far as this node knows."""
        return self._chunks.rows.row(chunk) is not None and self._chunks.faults.of(chunk) is None

    async def _look(self) -> None:
        """Look through all chunks."""
        after, found = b"", set[bytes]()
        while True:
            rows = await self._store.read_when_there(self._page, after)
            lacking = await self._store.read_when_there(self._lacking_of, rows)
            await self._offer_to(lacking)
            found |= {chunk for chunk, _ in lacking}
            if len(rows) < PAGE:
                break
            after = rows[-1] + b"\x00"
        for chunk in self.lacking.keys() - found:
            del self.lacking[chunk]

    def _page(self, start: bytes) -> list[bytes]:
        return [chunk for chunk, _ in self._store.scan(CHUNK_TABLE, start, PAGE)]

    async def _offer_to(self, lacking: list[tuple[bytes, list[bytes]]]) -> None:
        by_node: dict[bytes, list[bytes]] = {}
        for chunk, nodes in lacking:
            if chunk not in self.lacking and len(self.lacking) < MAX_LACKING:
                self.lacking[chunk] = trio.current_time()
            for node in nodes:
                if node in self.connected:
                    by_node.setdefault(node, []).append(chunk)
        for node, chunks in by_node.items():
            for first in range(0, len(chunks), MAX_NAMED):
                if not await self.send(node, ChunkOffer(tuple(chunks[first : first + MAX_NAMED]))):
                    break
                await trio.sleep(0.02)

    async def _pull(self) -> None:
        """Fetch what is wished for, one after the other."""
        while True:
            while not self._wishes:
                self._wished = trio.Event()
                await self._wished.wait()
            chunk, peer = self._wishes.popitem(last=False)
            sound = await self._store.read_when_there(self.sound, chunk)
            if sound or await self.obtain(chunk, (peer,)):
                others = [key for key in self.wanted(chunk) if key != self.key and key in self.connected]
                await self._say_holding({peer, *others}, (chunk,), ())

    async def _repair(self) -> None:
        """Fetch what is missing or corrupted here, forever."""
        while True:
            after = b""
            while rows := await self._store.read_when_there(self._chunks.faults.page, after, PAGE):
                for chunk, _ in rows:
                    unused = await self._store.read_when_there(self._chunks.rows.let_go, chunk)
                    if not unused and self.connected and await self.obtain(chunk):
                        self.repaired += 1
                        _log.warning("chunk %s is whole again: another node had it", chunk.hex())
                after = rows[-1][0]
            await trio.sleep(REPAIR_S)

    # -- fetching ------------------------------------------------------------------------------------------------

    async def obtain(self, chunk: bytes, first: Iterable[bytes] = ()) -> bool:
        """Store a chunk that another node has; returns whether it is here then. Raises `StoreDamaged`."""
        under_way = self._fetching.get(chunk)
        if under_way is not None:
            await under_way.wait()
            return await self._store.read_when_there(self.sound, chunk)
        done = self._fetching[chunk] = trio.Event()
        try:
            for peer in self._sources(chunk, first):
                try:
                    async with aclosing(self._bytes(chunk, peer)) as parts:
                        await self._chunks.put(parts, None, chunk)
                except StoreDamaged:
                    raise
                except (NoRoom, StoreError, OSError) as error:
                    _log.info("chunk %s cannot be stored: %s", chunk.hex(), error)
                    return False
                except (Refusal, NotThere):
                    continue
                self.fetched += 1
                return True
            return False
        finally:
            del self._fetching[chunk]
            done.set()

    async def bytes_of(self, chunk: bytes) -> bytes | None:
        """A chunk's bytes from another node, verified, not stored; None if none that can be reached has it."""
        async with self._readers:
            for peer in self._sources(chunk, ()):
                try:
                    async with aclosing(self._bytes(chunk, peer)) as parts:
                        return await self._chunks.reader.verified(parts, chunk)
                except (Refusal, NotThere):
                    continue
        return None

    def _sources(self, chunk: bytes, first: Iterable[bytes]) -> list[bytes]:
        """Connected nodes that may have a chunk: the first ones, those where it belongs, the rest."""
        found = dict.fromkeys([*first, *self.wanted(chunk), *self.members])
        return [key for key in found if key != self.key and key in self.connected]

    async def _bytes(self, chunk: bytes, peer: bytes) -> AsyncGenerator[bytes, None]:
        """A chunk's bytes from a peer, part by part, no faster than they may come. Raises `NotThere`."""
        done, size = 0, MIN_CHUNK_BYTES
        while done < size:
            began = trio.current_time()
            part = await self._part(chunk, peer, done // SEGMENT_BYTES)
            wanted = min(PART_BYTES, part.size - done)
            if not MIN_CHUNK_BYTES <= part.size <= MAX_CHUNK_BYTES or len(part.data) != wanted or wanted <= 0:
                raise NotThere
            if done and part.size != size:
                raise NotThere
            yield part.data
            done, size = done + wanted, part.size
            await trio.sleep_until(began + wanted / self._rate)

    async def _part(self, chunk: bytes, peer: bytes, segment: int) -> ChunkPart:
        for _ in range(TRIES):
            self._request += 1
            number, answered, answers = self._request, trio.Event(), list[ChunkPart]()
            self._answers[number] = peer, answered, answers
            try:
                if await self.send(peer, ChunkRequest(number, chunk, segment)):
                    with trio.move_on_after(ANSWER_S):
                        await answered.wait()
                else:
                    await trio.sleep(AGAIN_S)
            finally:
                del self._answers[number]
            if answers and (answers[0].chunk, answers[0].segment) == (chunk, segment):
                return answers[0]
            if peer not in self.connected:
                break
        raise NotThere


class NotThere(LucidError):
    """A peer did not give a chunk's bytes."""

    def __init__(self) -> None:
        super().__init__(Code.UNAVAILABLE)
