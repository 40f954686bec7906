"""What this node says on the chain that it holds (protocol section 8).

A node says what it holds of a session once all is there that belongs to it, and again when it lost something; from
rules 3 on.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

import trio

from lucid.chain.transactions import Ranges
from lucid.chain.versions import HOLDING_RULES
from lucid.machines.replicamessages import MAX_NAMED, ReplicaMessage
from lucid.services.chunks.belonging import Belonging, ChunkPlaces, belonging
from lucid.services.chunks.chaincopies import ChainCopies, OnChain
from lucid.services.chunks.handedin import SAID_BLOCKS
from lucid.services.chunks.listexchange import ListExchange
from lucid.services.chunks.looking import PAGE, REST, look_through
from lucid.services.chunks.storedlists import dropped
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged, StoreError

RETRY_S = 5.0
LOOK_S = 600.0
"""How long after its end everything is looked through again."""
SOON_S = 5.0
"""How often the sessions are looked at of which not all is here, or that lack copies."""
assert PAGE <= MAX_NAMED
MAX_OPEN = 4_096
"""Sessions that are looked at often; the rest wait for the next look through all."""
LOST_S = 60.0
"""How long something must be missing before the node takes back what it said: most of it is repaired before."""

_log = logging.getLogger("lucid.holdings")


class Holdings:
    """What one node says that it holds."""

    def __init__(
        self,
        *,
        places: ChunkPlaces,
        store: DurableStore,
        manager: Sibling,
        engine: Sibling,
        anchoring: Sibling,
        send: Callable[[bytes, ReplicaMessage], Awaitable[bool]],
    ) -> None:
        self.copies = ChainCopies(places, manager)
        self.lists = ListExchange(
            places=places,
            store=store,
            copies=self.copies,
            manager=manager,
            anchoring=anchoring,
            send=send,
            kept=self._list_came,
        )
        self.said = 0
        """How often something was said since the start."""
        self.on_list: Callable[[bytes], None] = lambda session: None
        """Told of each session whose list is here from now on."""
        self._places = places
        self._store = store
        self._engine = engine
        self._settling = trio.Lock()  # two that look at one session at once would both say what the chain lacks
        self._open: OrderedDict[bytes, None] = OrderedDict()
        self._kick = trio.Event()
        self._pending: dict[bytes, tuple[Ranges, int]] = {}
        self._lost: dict[bytes, float] = {}

    async def run(self) -> None:
        """Learn which chunks sessions have, and say what is held of them, forever."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.lists.run)
                nursery.start_soon(self._look_often)
                await look_through(
                    self._settle,
                    rules=self._places,
                    since=HOLDING_RULES,
                    store=self._store,
                    lists=self.lists.stored,
                    pause_s=LOOK_S,
                    retry_s=RETRY_S,
                )
                nursery.cancel_scope.cancel()  # the store is damaged
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

    def _list_came(self, session: bytes) -> None:
        """Look at a session soon: its list is here now."""
        self._note(session)
        self._kick.set()
        self.on_list(session)

    def _note(self, session: bytes) -> None:
        if len(self._open) < MAX_OPEN:
            self._open[session] = None

    async def _settle(self, sessions: Sequence[bytes]) -> None:
        """Say what is held of sessions where the chain says otherwise, and offer the lists to those that lack them."""
        if not sessions or self._places.rules < HOLDING_RULES:
            return
        async with self._settling:
            await self._compare(sessions)

    async def _compare(self, sessions: Sequence[bytes]) -> None:
        found = await self.copies.on_chain(sessions)
        lacking: dict[bytes, frozenset[bytes]] = {}
        for session, anchored in zip(sessions, found, strict=True):
            if anchored is None:
                continue  # this node began anew from an older block, and is not level yet
            ids = await self._store.read_when_there(self.lists.stored.ids, session)
            here = await self._store.read_when_there(belonging, self._places, ids)
            settled = await self._say(session, here, anchored)
            if anchored.copies < anchored.wanted:
                lacking[session] = here.others - {bytes.fromhex(each.node) for each in anchored.holders}
            if settled and session not in lacking:
                self._open.pop(session, None)
            else:
                self._note(session)
        await self.lists.offer(lacking)

    async def _say(self, session: bytes, here: Belonging, anchored: OnChain) -> bool:
        """Say what is held, if the chain says otherwise and it is time; returns whether nothing is left to say."""
        if here.held == anchored.here and anchored.provable:
            self._pending.pop(session, None)
            self._lost.pop(session, None)
            if not here.held and not here.lacking:
                await self._store.write(dropped(session, here.chunks))
            return not here.lacking
        if here.lacking:
            if _covers(here.held, anchored.here):
                return False  # more will come, and be said with it
            if trio.current_time() - self._lost.setdefault(session, trio.current_time()) < LOST_S:
                return False
        before, height = self._pending.get(session, ((), -SAID_BLOCKS))
        if before == here.held and anchored.height < height + SAID_BLOCKS:
            return False
        body = {"session": session.hex(), "height": anchored.height, "ranges": here.held}
        status, answer = await self._engine.ask("POST", "/node/holdings", body)
        if status == 202:
            self._pending[session] = here.held, anchored.height
            self.said += 1
        else:
            _log.info("what is held of session %s is not taken: %s", session.hex()[:32], answer)
        return False


def _covers(held: Ranges, before: Ranges) -> bool:
    """Whether all chunks of `before` are among those of `held`."""
    return all(any(start <= first and first + count <= start + size for start, size in held) for first, count in before)
