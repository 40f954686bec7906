"""Receipts for relays: this node signs for the chunks of a session that it fetched from the session's relay.

It does once the chain has what it holds, and before the epoch in which it proves that (protocol section 5, Relay).
"""

from __future__ import annotations

from lucid.services.chunks.handedin import HandedIn
from lucid.services.chunks.origins import Origins
from lucid.services.chunks.relayonchain import RelayOnChain
from lucid.services.chunks.storedlists import StoredLists
from lucid.services.process.sibling import Sibling
from lucid.storage.durable import DurableStore

KEPT_BACK_BLOCKS = 12
"""How long a proof waits for its receipt: the first proof of a copy settles it, and whoever brought the copy gets
nothing where no receipt is on the chain before. A chain that takes a heartbeat within a slot takes it in that time."""


class RelayReceipts:
    """What one node signs for."""

    def __init__(
        self, *, lists: StoredLists, origins: Origins, store: DurableStore, engine: Sibling, handed: HandedIn
    ) -> None:
        self.signed = 0
        """Receipts handed in since the start."""
        self._lists = lists
        self._origins = origins
        self._store = store
        self._engine = engine
        self._handed = handed
        self._owing: dict[bytes, int] = {}
        """Sessions of which something came from the relay and no receipt is on the chain, and the height at which that
        was found."""

    async def settle(self, session: bytes, known: RelayOnChain) -> bool:
        """Sign a receipt that is owed; returns whether the session's proof is to wait for it. Raises `Problem` and
        `StoreError`."""
        if known.owed:
            await self._sign(session, known)
            since = self._owing.get(session)
            return since is not None and known.height < since + KEPT_BACK_BLOCKS
        self._owing.pop(session, None)
        if known.relay or not known.open:
            self._handed.forget(session)
        return False

    async def _sign(self, session: bytes, known: RelayOnChain) -> None:
        """Sign for what came from the relay, if something did."""
        if not self._handed.due(session, known.height):
            return
        ids = await self._store.read_when_there(self._lists.ids, session)
        held = [chunk for first, count in known.ranges for chunk in ids[first : first + count]]
        relay = bytes.fromhex(known.relay)
        came = await self._store.read_when_there(self._origins.count, held, relay)
        if came:
            self._owing.setdefault(session, known.height)
            body = {"session": session.hex(), "relay": known.relay, "height": known.said, "chunks": came}
            status, answer = await self._engine.ask("POST", "/node/receipts", body)
            self.signed += self._handed.note(session, known.height, status, answer)
