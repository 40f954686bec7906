"""Relays of sessions: this node has itself named where an owner handed it one, and signs for what others brought.

What the chain knows of a page of sessions is asked once, for mandates and for receipts.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import trio

from lucid.chain.versions import RELAY_RULES
from lucid.services.chunks.chaincopies import RulesInForce, known_of
from lucid.services.chunks.handedin import HandedIn
from lucid.services.chunks.looking import LOOK_S, look_through
from lucid.services.chunks.mandates import Mandates
from lucid.services.chunks.origins import Origins
from lucid.services.chunks.relayonchain import RelayOnChain
from lucid.services.chunks.relayreceipts import RelayReceipts
from lucid.services.chunks.storedlists import StoredLists
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem
from lucid.storage.durable import DurableStore

_log = logging.getLogger("lucid.relaying")


class Relaying:
    """What the node with this key has to say of relays."""

    def __init__(
        self, *, key: bytes, rules: RulesInForce, lists: StoredLists, origins: Origins, store: DurableStore,
        manager: Sibling, engine: Sibling, anchoring: Sibling,
    ) -> None:  # fmt: skip
        handed = HandedIn()
        self.mandates = Mandates(key=key, engine=engine, anchoring=anchoring, handed=handed)
        self.receipts = RelayReceipts(lists=lists, origins=origins, store=store, engine=engine, handed=handed)
        self._rules = rules
        self._lists = lists
        self._store = store
        self._manager = manager
        self._looking = trio.Lock()

    async def run(self) -> None:
        """Look through all sessions for what is to be said, forever."""
        await look_through(
            self.look,
            rules=self._rules,
            since=RELAY_RULES,
            store=self._store,
            lists=self._lists,
            pause_s=LOOK_S,
        )

    async def look(self, sessions: Sequence[bytes]) -> None:
        """Say of these what is to be said. Raises `Problem` and `StoreError`."""
        async with self._looking:
            for session, known in await known_of(self._manager, "/node/relays", sessions, RelayOnChain):
                if known is None:
                    continue
                await self.mandates.look(session, known)
                await self.receipts.settle(session, known)

    async def awaiting_receipt(self, sessions: Sequence[bytes]) -> set[bytes]:
        """Those of these sessions, which are to be proven now, whose proofs wait for this node's receipt. None does
        where that cannot be told. Raises `StoreError`."""
        if self._rules.rules < RELAY_RULES:
            return set()
        waiting = set[bytes]()
        try:
            async with self._looking:
                for session, known in await known_of(self._manager, "/node/relays", sessions, RelayOnChain):
                    if known is not None and await self.receipts.settle(session, known):
                        waiting.add(session)
        except Problem as problem:
            _log.info("proofs wait for no receipt now: %s", problem)
        return waiting
