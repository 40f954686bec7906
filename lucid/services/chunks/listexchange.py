"""Which chunks sessions have, as this node learns it (protocol section 8).

The chain has a session's root and no chunk ids. The node that took a session has its manifest, and offers the list to
the nodes where its chunks belong; these take what gives the root that the chain has. All of that from rules 3 on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import trio

from lucid.chain.chunks import session_root
from lucid.chain.versions import HOLDING_RULES
from lucid.machines.quota import SECOND_MS, Quota
from lucid.machines.replicamessages import ListPart, ListRequest, ReplicaMessage, SessionOffer
from lucid.services.chunks.belonging import ChunkPlaces, belonging
from lucid.services.chunks.chaincopies import ChainCopies, OnChain
from lucid.services.chunks.listfetches import ListFetches
from lucid.services.chunks.ownsessions import OwnSessions
from lucid.services.chunks.storedlists import StoredLists
from lucid.services.chunks.storedlists import kept as rows_of
from lucid.services.process.driver import clock_ms
from lucid.services.process.sibling import Sibling
from lucid.storage.durable import DurableStore

LISTS_A_SECOND = 16
"""Parts of lists that a peer is sent in a second, of 32 KiB each; a node asks for the next one once it has one."""
OFFER_S = 60.0
"""How long after it was offered a list is offered again."""

SessionMessage = SessionOffer | ListRequest | ListPart


class ListExchange:
    """The lists at one node. `kept` is told of each session whose list came."""

    def __init__(
        self,
        *,
        places: ChunkPlaces,
        store: DurableStore,
        copies: ChainCopies,
        manager: Sibling,
        anchoring: Sibling,
        send: Callable[[bytes, ReplicaMessage], Awaitable[bool]],
        kept: Callable[[bytes], None],
    ) -> None:
        self.stored = StoredLists(store)
        self._places = places
        self._store = store
        self._copies = copies
        self._send = send
        self._kept = kept
        self._offered: dict[bytes, float] = {}
        self._own = OwnSessions(rules=places, store=store, manager=manager, anchoring=anchoring, take=self._take)
        self._fetches = ListFetches(send, self._wants, self._take)
        self._served = Quota(LISTS_A_SECOND, SECOND_MS)

    async def run(self) -> None:
        """Learn of sessions that this node took, and of those that others offer, forever."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._own.run)
            nursery.start_soon(self._fetches.run)

    async def handle(self, peer: bytes, message: SessionMessage) -> None:
        """Take in what a peer's data chain says. Raises `StoreError`."""
        match message:
            case SessionOffer():
                await self._on_offer(peer, message)
            case ListRequest():
                await self._on_request(peer, message)
            case ListPart():
                self._fetches.on_part(peer, message)

    async def _on_offer(self, peer: bytes, offer: SessionOffer) -> None:
        """Wish for the lists that are not here. Raises `StoreError`."""
        if self._places.rules < HOLDING_RULES:
            return
        new = await self._store.read(lambda: [each for each in offer.sessions if not self.stored.known(each)])
        self._fetches.offer(peer, new)

    async def _on_request(self, peer: bytes, asked: ListRequest) -> None:
        """Answer with a part of a list, if the peer may have one now. Raises `StoreError`."""
        if self._served.spend(clock_ms(), peer):
            ids = await self._store.read(self.stored.page, asked.session, asked.first)
            await self._send(peer, ListPart(asked.request, asked.session, asked.first, tuple(ids)))

    async def _wants(self, session: bytes) -> int:
        """How many chunks an offered session has; 0 where its list is here, or it is not anchored as far as this node
        knows: it is offered again. Raises `Problem` and `StoreError`."""
        if await self._store.read(self.stored.known, session):
            return 0
        (anchored,) = await self._copies.on_chain([session])
        return 0 if anchored is None else anchored.chunks

    async def _take(self, session: bytes, ids: Sequence[bytes]) -> bool:
        """Keep a list that came, or whose session was taken here. Raises `Problem` and `StoreError`."""
        (anchored,) = await self._copies.on_chain([session])
        return anchored is not None and await self._keep(session, ids, anchored)

    async def offer(self, lacking: dict[bytes, frozenset[bytes]]) -> None:
        """Offer the lists of sessions to the nodes in reach that lack them, each once in a while."""
        now = trio.current_time()
        due = [each for each in lacking if now - self._offered.get(each, -OFFER_S) >= OFFER_S]
        self._offered = {each: at for each, at in self._offered.items() if now - at < OFFER_S}
        for peer in sorted(self._places.connected):
            names = tuple(each for each in due if peer in lacking[each])
            if names and await self._send(peer, SessionOffer(names)):
                self._offered |= dict.fromkeys(names, now)

    async def _keep(self, session: bytes, ids: Sequence[bytes], anchored: OnChain) -> bool:
        """Keep a list that gives the root which the chain has, if something of it belongs here or is here."""
        root = await trio.to_thread.run_sync(session_root, ids) if len(ids) == anchored.chunks else b""
        if root.hex() != anchored.root:
            return False
        here = await self._store.read_when_there(belonging, self._places, ids)
        if not here.held and not here.lacking:
            return False
        await self._store.write(rows_of(session, ids))
        self._kept(session)
        return True
