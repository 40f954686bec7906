"""What this node says on the chain that it holds, and how it learns which chunks a session has (protocol section 8).

The chain has a session's root and no chunk ids. The node that took a session has its manifest, and offers the list to
the nodes where its chunks belong; these take what gives the root that the chain has. A node says what it holds of a
session once all is there that belongs to it, and again when it lost something. All of that from rules 3 on.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

import trio

from lucid.chain.chunks import session_root
from lucid.chain.transactions import Ranges
from lucid.chain.versions import HOLDING_RULES
from lucid.machines.quota import SECOND_MS, Quota
from lucid.machines.replicamessages import (
    MAX_NAMED,
    ListPart,
    ListRequest,
    ReplicaMessage,
    SessionOffer,
)
from lucid.services.chunks.chaincopies import ChainCopies, OnChain
from lucid.services.chunks.listfetches import ListFetches
from lucid.services.chunks.listings import Listings, dropped, kept, ranges_of
from lucid.services.chunks.ownsessions import OwnSessions
from lucid.services.process.driver import clock_ms
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem
from lucid.storage.durable import DurableStore
from lucid.storage.interface import StoreDamaged, StoreError

RETRY_S = 5.0
LOOK_S = 600.0
"""How long after its end everything is looked through again."""
SOON_S = 5.0
"""How often the sessions are looked at of which not all is here, or that lack copies."""
REST = 4
"""After each page it rests for so many times as long as that took."""
PAGE = 64
LISTS_A_SECOND = 16
"""Parts of lists that a peer is sent in a second, of 32 KiB each; a node asks for the next one once it has one."""
OFFER_S = 60.0
"""How long after it was offered a list is offered again."""
assert PAGE <= MAX_NAMED
MAX_OPEN = 4_096
"""Sessions that are looked at often; the rest wait for the next look through all."""
SAID_BLOCKS = 24
"""What was said and is not on the chain after so many blocks is said again."""
LOST_S = 60.0
"""How long something must be missing before the node takes back what it said: most of it is repaired before."""

SessionMessage = SessionOffer | ListRequest | ListPart

_log = logging.getLogger("lucid.holdings")


class Around(Protocol):
    """Who there is, and where chunks belong."""

    key: bytes
    rules: int

    def wanted(self, chunk: bytes) -> tuple[bytes, ...]:
        """The nodes that should hold a chunk."""

    def sound(self, chunk: bytes) -> bool:
        """Whether a chunk is here, as far as this node knows; from a worker thread."""

    @property
    def members(self) -> tuple[bytes, ...]:
        """The registered nodes, as far as they are known."""

    @property
    def connected(self) -> frozenset[bytes]:
        """Those of them in reach."""


class Look(NamedTuple):
    """A session's list against what is here: which chunks are, how many belong here and are not, and the other nodes
    where some of it belongs."""

    chunks: int
    held: Ranges
    lacking: int
    others: frozenset[bytes]


class Holdings:
    """What one node says that it holds."""

    def __init__(
        self,
        *,
        around: Around,
        store: DurableStore,
        manager: Sibling,
        engine: Sibling,
        anchoring: Sibling,
        send: Callable[[bytes, ReplicaMessage], Awaitable[bool]],
    ) -> None:
        self.listings = Listings(store)
        self.copies = ChainCopies(around, manager)
        self.said = 0
        """How often something was said since the start."""
        self._around = around
        self._store = store
        self._engine = engine
        self._send = send
        self._settling = trio.Lock()  # two that look at one session at once would both say what the chain lacks
        self._open: OrderedDict[bytes, None] = OrderedDict()
        self._kick = trio.Event()
        self._pending: dict[bytes, tuple[Ranges, int]] = {}
        self._lost: dict[bytes, float] = {}
        self._offered: dict[bytes, float] = {}
        self._own = OwnSessions(rules=around, store=store, manager=manager, anchoring=anchoring, take=self._take)
        self._fetches = ListFetches(send, self._wants, self._take)
        self._served = Quota(LISTS_A_SECOND, SECOND_MS)

    # -- what peers say ------------------------------------------------------------------------------------------

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
        if self._around.rules < HOLDING_RULES:
            return
        new = await self._store.read(lambda: [each for each in offer.sessions if not self.listings.known(each)])
        self._fetches.offer(peer, new)

    async def _on_request(self, peer: bytes, asked: ListRequest) -> None:
        """Answer with a part of a list, if the peer may have one now. Raises `StoreError`."""
        if self._served.spend(clock_ms(), peer):
            ids = await self._store.read(self.listings.page, asked.session, asked.first)
            await self._send(peer, ListPart(asked.request, asked.session, asked.first, tuple(ids)))

    # -- what runs -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Learn what sessions there are, and say what is held of them, forever."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._own.run)
                nursery.start_soon(self._fetches.run)
                nursery.start_soon(self._look_often)
                nursery.start_soon(self._look_through)
        except* StoreDamaged:
            pass  # the store has logged it and says so

    async def _look_often(self) -> None:
        """Look at what is not settled."""
        while True:
            with trio.move_on_after(SOON_S if self._open else LOOK_S):
                await self._kick.wait()
            self._kick = trio.Event()
            try:
                names = list(self._open)
                for first in range(0, len(names), PAGE):
                    began_s = trio.current_time()
                    await self._settle(names[first : first + PAGE])
                    await trio.sleep(REST * (trio.current_time() - began_s))
            except StoreDamaged:
                raise
            except (Problem, StoreError) as error:
                _log.info("what is held is said later: %s", error)
            await trio.sleep(SOON_S)

    async def _look_through(self) -> None:
        """Look at all sessions, again and again."""
        after = b""
        while True:
            names = await self._store.read_when_there(self.listings.sessions, after, PAGE)
            began_s = trio.current_time()
            try:
                await self._settle(names)
            except StoreDamaged:
                raise
            except (Problem, StoreError):
                await trio.sleep(RETRY_S)
                continue
            after = names[-1] if len(names) == PAGE else b""
            await trio.sleep(REST * (trio.current_time() - began_s) if after else LOOK_S)

    # -- lists ---------------------------------------------------------------------------------------------------

    async def _keep(self, session: bytes, ids: Sequence[bytes], anchored: OnChain) -> bool:
        """Keep a list that gives the root which the chain has, if something of it belongs here or is here."""
        root = await trio.to_thread.run_sync(session_root, ids) if len(ids) == anchored.chunks else b""
        if root.hex() != anchored.root:
            return False
        look = await self._store.read_when_there(self._look, ids)
        if not look.held and not look.lacking:
            return False
        await self._store.write(kept(session, ids))
        self._note(session)
        self._kick.set()
        return True

    def _note(self, session: bytes) -> None:
        if len(self._open) < MAX_OPEN:
            self._open[session] = None

    async def _wants(self, session: bytes) -> int:
        """How many chunks an offered session has; 0 where its list is here, or it is not anchored as far as this node
        knows: it is offered again. Raises `Problem` and `StoreError`."""
        if await self._store.read(self.listings.known, session):
            return 0
        (anchored,) = await self.copies.on_chain([session])
        return 0 if anchored is None else anchored.chunks

    async def _take(self, session: bytes, ids: Sequence[bytes]) -> bool:
        """Keep a list that came, or whose session was taken here. Raises `Problem` and `StoreError`."""
        (anchored,) = await self.copies.on_chain([session])
        return anchored is not None and await self._keep(session, ids, anchored)

    async def _offer(self, lacking: dict[bytes, frozenset[bytes]]) -> None:
        """Offer the lists of sessions to the nodes in reach that lack them, each once in a while."""
        now = trio.current_time()
        due = [each for each in lacking if now - self._offered.get(each, -OFFER_S) >= OFFER_S]
        self._offered = {each: at for each, at in self._offered.items() if now - at < OFFER_S}
        for peer in sorted(self._around.connected):
            names = tuple(each for each in due if peer in lacking[each])
            if names and await self._send(peer, SessionOffer(names)):
                self._offered |= dict.fromkeys(names, now)

    # -- what is held --------------------------------------------------------------------------------------------

    def _look(self, ids: Sequence[bytes]) -> Look:
        """From a worker thread."""
        held, lacking, others = list[int](), 0, set[bytes]()
        for number, chunk in enumerate(ids):
            wanted = self._around.wanted(chunk)
            others.update(wanted)
            if self._around.sound(chunk):
                held.append(number)
            elif self._around.key in wanted:
                lacking += 1
        return Look(len(ids), ranges_of(held), lacking, frozenset(others - {self._around.key}))

    async def _settle(self, sessions: Sequence[bytes]) -> None:
        """Say what is held of sessions where the chain says otherwise, and offer the lists to who lacks them."""
        if not sessions or self._around.rules < HOLDING_RULES:
            return
        async with self._settling:
            await self._compare(sessions)

    async def _compare(self, sessions: Sequence[bytes]) -> None:
        found = await self.copies.on_chain(sessions)
        lacking: dict[bytes, frozenset[bytes]] = {}
        for session, anchored in zip(sessions, found, strict=True):
            if anchored is None:
                continue  # this node began anew from an older block, and is not level yet
            ids = await self._store.read_when_there(self.listings.ids, session)
            look = await self._store.read_when_there(self._look, ids)
            settled = await self._say(session, look, anchored)
            if anchored.copies < anchored.wanted:
                lacking[session] = look.others - {bytes.fromhex(each.node) for each in anchored.holders}
            if settled and session not in lacking:
                self._open.pop(session, None)
            else:
                self._note(session)
        await self._offer(lacking)

    async def _say(self, session: bytes, look: Look, anchored: OnChain) -> bool:
        """Say what is held, if the chain says otherwise and it is time; returns whether nothing is left to say."""
        if look.held == anchored.here and anchored.provable:
            self._pending.pop(session, None)
            self._lost.pop(session, None)
            if not look.held and not look.lacking:
                await self._store.write(dropped(session, look.chunks))
            return not look.lacking
        if look.lacking:
            if _covers(look.held, anchored.here):
                return False  # more will come, and be said with it
            if trio.current_time() - self._lost.setdefault(session, trio.current_time()) < LOST_S:
                return False
        before, height = self._pending.get(session, ((), -SAID_BLOCKS))
        if before == look.held and anchored.height < height + SAID_BLOCKS:
            return False
        body = {"session": session.hex(), "height": anchored.height, "ranges": look.held}
        status, answer = await self._engine.ask("POST", "/node/holdings", body)
        if status == 202:
            self._pending[session] = look.held, anchored.height
            self.said += 1
        else:
            _log.info("what is held of session %s is not taken: %s", session.hex()[:32], answer)
        return False


def _covers(held: Ranges, before: Ranges) -> bool:
    """Whether all chunks of `before` are among those of `held`."""
    return all(any(start <= first and first + count <= start + size for start, size in held) for first, count in before)
