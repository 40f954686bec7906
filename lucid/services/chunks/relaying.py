"""Relays of sessions: this node has itself named where an owner handed it one, and signs for what others brought.

An owner says in the manifest which node it hands the session to, and signs that; the node hands it in once the session
is on the chain. A node that fetched its copy from a session's relay signs a receipt once the chain has what it holds:
before the epoch in which it proves that (protocol section 5, Relay).
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence

import msgspec
import trio

from lucid.chain.codec import encode
from lucid.chain.errors import Code
from lucid.chain.manifests import NamedRelay
from lucid.chain.transactions import Ranges, RelayMandate
from lucid.chain.versions import RELAY_RULES
from lucid.services.chunks.chaincopies import RulesInForce, known_of
from lucid.services.chunks.listings import Listings
from lucid.services.chunks.looking import look_through
from lucid.services.chunks.origins import Origins
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem
from lucid.storage.durable import DurableStore

LOOK_S = 10.0
"""How long after its end all sessions are looked through again."""
ID_BYTES = 16
SAID_BLOCKS = 24
"""What is not on the chain after so many blocks is handed in again."""
KEPT_BACK_BLOCKS = 12
"""How long a proof waits for its receipt: the first proof of a copy settles it, and whoever brought the copy gets
nothing where no receipt is on the chain before. A chain that takes a heartbeat within a slot takes it in that time."""

_log = logging.getLogger("lucid.relaying")


class RelayOnChain(msgspec.Struct, frozen=True):
    """What the chain knows of a session's relay, as of the final block of this height: who it is (empty: nobody yet,
    and with `open` one may still be named); and what this node said at `said` that it holds, if that is `owed` a
    receipt still."""

    height: int
    relay: str
    open: bool
    said: int
    ranges: Ranges
    owed: bool


class _Naming(msgspec.Struct, frozen=True):
    relay: NamedRelay | None = None


class Relaying:
    """What the node with this key has to say of relays."""

    def __init__(
        self, *, key: bytes, rules: RulesInForce, listings: Listings, origins: Origins, store: DurableStore,
        manager: Sibling, engine: Sibling, anchoring: Sibling,
    ) -> None:  # fmt: skip
        self.signed = 0
        """Receipts handed in since the start."""
        self._key = key
        self._rules = rules
        self._listings = listings
        self._origins = origins
        self._store = store
        self._manager = manager
        self._engine = engine
        self._anchoring = anchoring
        self._mandates: dict[bytes, RelayMandate | None] = {}
        """Of sessions that may still be given a relay: what the owner signed for this node, None where it did not."""
        self._sent: dict[bytes, int] = {}
        self._owing: dict[bytes, int] = {}
        """Sessions of which something came from the relay and no receipt is on the chain, and the height at which that
        was found."""
        self._looking = trio.Lock()

    async def run(self) -> None:
        """Look through all sessions for what is to be said, forever."""
        await look_through(
            self.look,
            rules=self._rules,
            since=RELAY_RULES,
            store=self._store,
            listings=self._listings,
            pause_s=LOOK_S,
        )

    async def look(self, sessions: Sequence[bytes]) -> None:
        """Say of these what is to be said. Raises `Problem` and `StoreError`."""
        async with self._looking:
            for session, known in await known_of(self._manager, "/node/relays", sessions, RelayOnChain):
                if known is None:
                    continue
                if not known.relay and known.open:
                    await self._name(session, known)
                else:
                    self._mandates.pop(session, None)
                await self._settle(session, known)

    async def awaiting_receipt(self, sessions: Sequence[bytes]) -> set[bytes]:
        """Those of these sessions, which are to be proven now, whose proofs wait for this node's receipt. None does
        where that cannot be told. Raises `StoreError`."""
        if self._rules.rules < RELAY_RULES:
            return set()
        waiting = set[bytes]()
        try:
            async with self._looking:
                for session, known in await known_of(self._manager, "/node/relays", sessions, RelayOnChain):
                    if known is not None and await self._settle(session, known):
                        waiting.add(session)
        except Problem as problem:
            _log.info("proofs wait for no receipt now: %s", problem)
        return waiting

    async def _settle(self, session: bytes, known: RelayOnChain) -> bool:
        """Sign a receipt that is owed; returns whether the session's proof is to wait for it."""
        if known.owed:
            await self._sign(session, known)
            since = self._owing.get(session)
            return since is not None and known.height < since + KEPT_BACK_BLOCKS
        self._owing.pop(session, None)
        if known.relay or not known.open:
            self._sent.pop(session, None)
        return False

    async def _name(self, session: bytes, known: RelayOnChain) -> None:
        """Hand in what the owner signed for this node, if it did."""
        if session not in self._mandates:
            self._mandates[session] = await self._mandate(session)
        mandate = self._mandates[session]
        if mandate is not None and self._due(session, known):
            status, answer = await self._engine.ask("POST", "/transactions", {"payload": encode(mandate).hex()})
            self._note(session, known, status, answer)

    async def _mandate(self, session: bytes) -> RelayMandate | None:
        """What the owner signed for this node in a manifest that is here. Raises `Problem` while it cannot be told."""
        name, owner = uuid.UUID(bytes=session[:ID_BYTES]), session[ID_BYTES:]
        status, data = await self._anchoring.fetch(f"/sessions/{name}/manifest?owner={owner.hex()}")
        if status == 404:
            return None
        if status != 200:
            raise Problem(Code.UNAVAILABLE, f"session anchoring answers {status}")
        with self._anchoring.understood():
            named = (await trio.to_thread.run_sync(lambda: msgspec.json.decode(data, type=_Naming))).relay
        if named is None or bytes.fromhex(named.node) != self._key:
            return None
        return RelayMandate(self._key, owner, session[:ID_BYTES], bytes.fromhex(named.signature))

    async def _sign(self, session: bytes, known: RelayOnChain) -> None:
        """Sign for what came from the relay, if something did."""
        if not self._due(session, known):
            return
        ids = await self._store.read_when_there(self._listings.ids, session)
        held = [chunk for first, count in known.ranges for chunk in ids[first : first + count]]
        relay = bytes.fromhex(known.relay)
        came = await self._store.read_when_there(self._origins.count, held, relay)
        if came:
            self._owing.setdefault(session, known.height)
            body = {"session": session.hex(), "relay": known.relay, "height": known.said, "chunks": came}
            status, answer = await self._engine.ask("POST", "/node/receipts", body)
            self.signed += self._note(session, known, status, answer)

    def _due(self, session: bytes, known: RelayOnChain) -> bool:
        return known.height >= self._sent.get(session, -SAID_BLOCKS) + SAID_BLOCKS

    def _note(self, session: bytes, known: RelayOnChain, status: int, answer: object) -> bool:
        """Note whether the engine took something."""
        if status == 202:
            self._sent[session] = known.height
        else:
            _log.info("what is said of the relay of session %s is not taken: %s", session.hex()[:32], answer)
        return status == 202
