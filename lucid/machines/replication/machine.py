"""The machine: takes each event to its part, and says that a chunk is held once it is verified and durable."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import assert_never

from lucid.chain.codec import encode
from lucid.ledger.rowstore import Reader
from lucid.machines.effects import (
    REPLICATE_TIMER,
    ChunkStored,
    ChunkWanted,
    CopiesWished,
    Effects,
    FetchEnded,
    FetchOutcome,
    MembersKnown,
    PartCame,
    Provided,
    ReplicaSaid,
    ReplicationEvent,
    Send,
    SetTimer,
    Started,
    Store,
    TimerFired,
    Undelivered,
)
from lucid.machines.quota import SECOND_MS, Quota
from lucid.machines.replicamessages import ChunkHolding, ChunkOffer
from lucid.machines.replication.copies import STORE_NAME_TABLE, Copies
from lucid.machines.replication.fetching import Fetch, Fetching
from lucid.machines.replication.neighborhood import Neighborhood
from lucid.machines.replication.offering import Offering
from lucid.machines.replication.pacing import Pacing
from lucid.machines.replication.shelf import ChunkShelf

PULLS = 2
"""Chunks that are fetched at once because others offered them (section 8, Copies): while one waits for its next part or
its disk, the other goes on."""
MAX_WISHES = 4_096
"""Chunks that wait to be fetched; what is offered beyond that is offered again. Chosen: sixteen full offers of 256. At
half, copies of a lost card wait for offers more often; at double, nothing is faster: at 2 MiB/s a chunk of 8 MiB takes
four seconds."""
MAX_WISHES_OF_ONE = MAX_WISHES // 4
"""Of what one peer offered (section 8, Copies), so that there is room for what others do."""
OFFERS_A_SECOND = 16
"""That are taken of one peer (section 8, Messages): each costs the placement of 256 chunks. What is beyond is dropped,
and offered again."""
REPAIRS = 4
"""Chunks that are repaired at once, all but one of them from sources that are slow. Chosen. At half, two that come
slowly stop all repair; at double, a liar gets twice the room."""
FAULTS = 500
"""Missing or corrupted chunks that are looked at in one step. Chosen: a row is read for each, and the service does
nothing else meanwhile. At half, twice as many steps; at double, what else it does waits for twice as long."""


class Replicator:
    """The copies of one node's chunks. `new_name` is that of its store, if that has none yet: 16 random bytes."""

    def __init__(self, key: bytes, new_name: bytes, store: Reader, shelf: ChunkShelf, pacing: Pacing) -> None:
        self.neighborhood = Neighborhood(key)
        self.copies = Copies(store, shelf)
        self.fetching = Fetching(self.neighborhood, pacing)
        self.offering = Offering(self.neighborhood, self.copies, shelf, pacing)
        self.fetched = self.repaired = 0
        self._shelf = shelf
        self._pacing = pacing
        self._store = store
        self._new_name = new_name
        self.name = b""
        """That of this node's store, once it was started."""
        self._greeted: frozenset[bytes] = frozenset()
        self._offers = Quota(OFFERS_A_SECOND, SECOND_MS)
        self._wishes: OrderedDict[bytes, bytes] = OrderedDict()
        self._pulling: dict[bytes, list[bytes]] = {}
        """Chunks that are fetched because others offered them, and who did."""
        self._repairing: set[bytes] = set()
        self._repair_after = b""
        self._repair_ms = 0
        self._timer_ms: int | None = None

    @property
    def wishes(self) -> int:
        """How many chunks wait to be fetched, or are."""
        return len(self._wishes) + len(self.fetching.under_way)

    def wished(self) -> list[bytes]:
        """The chunks that wait to be fetched to be kept, or are. From any thread."""
        return [*self._wishes, *(chunk for chunk, keep in list(self.fetching.under_way) if keep)]

    def handle(self, now: int, event: ReplicationEvent) -> Effects:
        """See `docs/architecture.md`."""
        effects = self._handled(now, event) + self._pull(now)
        return effects + self._wake(now, isinstance(event, TimerFired))

    def _handled(self, now: int, event: ReplicationEvent) -> Effects:
        match event:
            case Started():
                return self._on_started()
            case TimerFired():
                return self._on_time(now)
            case MembersKnown():
                return self._on_members(now, event)
            case ChunkStored():
                self.offering.on_stored(now, event.chunk)
                return []
            case ReplicaSaid():
                return self._on_said(now, event.peer, event.message)
            case CopiesWished():
                self._wish(event.chunks, event.peer)
                return []
            case PartCame():
                effects, over = self.fetching.on_part(now, event)
                return effects + (self._over(over, False) if over is not None else [])
            case FetchEnded():
                effects, over = self.fetching.on_ended(now, event)
                return effects + (self._over(over, event.outcome is FetchOutcome.KEPT) if over is not None else [])
            case ChunkWanted():
                return self._on_wanted(now, event)
            case Undelivered():
                self._greeted -= {event.peer}
                self.fetching.on_undelivered(now, event.peer)
                return []
            case _:
                assert_never(event)

    def _on_started(self) -> Effects:
        # A random name, kept in the store itself: with a lost card it is another, and others give everything again.
        held = self._store.get(STORE_NAME_TABLE, b"")
        self.name = self._new_name if held is None else held
        return [Store(((STORE_NAME_TABLE, b"", self.name),))] if held is None else []

    def _wake(self, now: int, fired: bool) -> Effects:
        """Be woken when something is due next."""
        self._repair_ms = min(self._repair_ms, now + self._pacing.repair_ms)
        due = [self.offering.due_ms(now), self.fetching.due_ms(now), self._repair_ms if self._may_repair(now) else None]
        at_ms = min(each for each in due if each is not None)
        if at_ms == self._timer_ms and not fired:
            return []
        self._timer_ms = at_ms
        return [SetTimer(REPLICATE_TIMER, at_ms)]

    def _on_time(self, now: int) -> Effects:
        effects, over = self.fetching.on_time(now)
        for fetch in over:
            effects += self._over(fetch, False)
        effects += self.offering.on_time(now)
        if self._repair_ms <= now and self._may_repair(now):
            effects += self._repair(now)
        return effects

    def _on_members(self, now: int, known: MembersKnown) -> Effects:
        if self.neighborhood.learn(known):
            self.offering.look_again(now)
        # By key: no order of a set reaches an output (section 2).
        new = sorted(self.neighborhood.connected - self._greeted)
        self._greeted = self.neighborhood.connected
        # They learn this store's name, so that they know when what they believe to be here is not.
        return self._say_holding(new, (), ())

    # -- what peers say ------------------------------------------------------------------------------------------

    def _on_said(self, now: int, peer: bytes, message: ChunkOffer | ChunkHolding) -> Effects:
        match message:
            case ChunkOffer():
                return self._on_offer(peer, message) if self._offers.spend(now, peer) else []
            case ChunkHolding():
                return self._on_holding(now, peer, message)
            case _:
                assert_never(message)

    def _on_offer(self, peer: bytes, offer: ChunkOffer) -> Effects:
        """Say what is held of it, and wish for what should be."""
        sound = {chunk for chunk in offer.chunks if self._shelf.sound(chunk)}
        has = tuple([chunk for chunk in offer.chunks if chunk in sound])
        lacks = tuple([chunk for chunk in offer.chunks if chunk not in sound])
        # What was let go here comes back only where a node says that it needs it.
        self._wish([chunk for chunk in lacks if not self._shelf.gone(chunk)], peer)
        return self._say_holding([peer], has, lacks)

    def _on_holding(self, now: int, peer: bytes, holding: ChunkHolding) -> Effects:
        writes, anew = self.copies.said(peer, holding, now)
        if anew:
            self.offering.look_again(now)
        self.offering.heard(peer, holding.has)
        return [Store(tuple(writes))] if writes else []

    def _say_holding(self, peers: Iterable[bytes], has: tuple[bytes, ...], lacks: tuple[bytes, ...]) -> Effects:
        data = encode(ChunkHolding(self.name, has, lacks))
        return [Send(peer, data) for peer in peers]

    # -- what is fetched -----------------------------------------------------------------------------------------

    def _wish(self, chunks: Iterable[bytes], peer: bytes) -> None:
        # A quarter of the queue for each peer's offers (section 8): one that offers all it has keeps no other out.
        room = MAX_WISHES_OF_ONE - sum(each == peer for each in self._wishes.values())
        for chunk in chunks:
            if room <= 0 or len(self._wishes) >= MAX_WISHES:
                return
            # Placement is worked out here: nobody's offer makes a chunk belong at this node.
            if self.neighborhood.key in self.neighborhood.wanted(chunk):
                room -= self._wishes.get(chunk) != peer
                self._wishes[chunk] = peer

    def _pull(self, now: int) -> Effects:
        """Fetch what is wished for, some at a time. Those that come slowly take no place of others."""
        effects: Effects = []
        while self._wishes and sum(self.fetching.waits(now, chunk) for chunk in self._pulling) < PULLS:
            chunk = self._next_wish(now)
            if chunk is None:
                break
            peer = self._wishes.pop(chunk)
            # It came by another way since it was wished for; who offered it still waits to hear so.
            if self._shelf.sound(chunk):
                effects += self._say_held(chunk, [peer])
                continue
            fetch, more = self.fetching.begin(now, chunk, (peer,), True)
            effects += more
            if fetch is not None:
                self._pulling.setdefault(chunk, []).append(peer)
        return effects

    def _next_wish(self, now: int) -> bytes | None:
        """The first one, of a peer that was not slow or false lately if there is such; None where all wait for one."""
        doubted = None
        for chunk, peer in self._wishes.items():
            if not self.fetching.doubts(now, peer):
                return chunk
            if doubted is None and self.fetching.may_ask(now, peer):
                doubted = chunk
        return doubted

    def _on_wanted(self, now: int, wanted: ChunkWanted) -> Effects:
        """Somebody at this node waits for a chunk."""
        fetch, effects = self.fetching.begin(now, wanted.chunk, wanted.first, wanted.keep, awaited=True)
        if fetch is None:
            return [Provided(wanted.request, False)]
        fetch.requests.append(wanted.request)
        return effects

    def _may_repair(self, now: int) -> bool:
        """Whether another chunk may be repaired: those that come slowly keep none waiting."""
        return len(self._repairing) < REPAIRS and not any(self.fetching.waits(now, each) for each in self._repairing)

    def _repair(self, now: int) -> Effects:
        """Fetch the next chunk that is missing or corrupted here."""
        faulty, after = self._shelf.faulty(self._repair_after, FAULTS)
        for chunk in faulty:
            if chunk in self._repairing:
                continue
            fetch, effects = self.fetching.begin(now, chunk, (), True)
            if fetch is not None:
                self._repairing.add(chunk)
                self._repair_after = chunk
                return effects
        self._repair_after = after
        self._repair_ms = now if after else now + self._pacing.repair_ms
        return []

    def _over(self, fetch: Fetch, held: bool) -> Effects:
        """A fetch is over; with `held` the chunk is verified, and durable if it is kept."""
        effects: Effects = [Provided(request, held) for request in fetch.requests]
        if not fetch.keep:
            return effects
        self.fetched += held
        peers = self._pulling.pop(fetch.chunk, None)
        # Said once it is verified and durable, never before: others count on it from then on (section 8, Copies).
        if held and peers is not None:
            effects += self._say_held(fetch.chunk, peers)
        if fetch.chunk in self._repairing:
            self._repairing.remove(fetch.chunk)
            self.repaired += held
        return effects

    def _say_held(self, chunk: bytes, peers: Iterable[bytes]) -> Effects:
        """Say that a chunk is here, to who offered it and to all that may count on it."""
        connected = [key for key in self.neighborhood.others(chunk) if key in self.neighborhood.connected]
        return self._say_holding(dict.fromkeys([*peers, *connected]), (chunk,), ())
