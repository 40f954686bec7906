"""Mandates of relays: an owner says in the manifest which node it hands the session to, and signs that.

The node that is named hands it in once the session is on the chain (protocol section 5, Relay).
"""

from __future__ import annotations

import uuid

import msgspec
import trio

from lucid.chain.codec import encode
from lucid.chain.errors import Code
from lucid.chain.manifests import NamedRelay
from lucid.chain.transactions import SESSION_ID_BYTES, RelayMandate
from lucid.services.chunks.handedin import HandedIn
from lucid.services.chunks.relayonchain import RelayOnChain
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem


class _Naming(msgspec.Struct, frozen=True):
    relay: NamedRelay | None = None


class Mandates:
    """What owners signed for the node with this key."""

    def __init__(self, *, key: bytes, engine: Sibling, anchoring: Sibling, handed: HandedIn) -> None:
        self._key = key
        self._engine = engine
        self._anchoring = anchoring
        self._handed = handed
        self._mandates: dict[bytes, RelayMandate | None] = {}
        """Of sessions that may still be given a relay: what the owner signed for this node, None where it did not."""

    async def look(self, session: bytes, known: RelayOnChain) -> None:
        """Hand in what the owner signed for this node, if it did and no relay is named yet. Raises `Problem`."""
        if known.relay or not known.open:
            self._mandates.pop(session, None)
            return
        if session not in self._mandates:
            self._mandates[session] = await self._mandate(session)
        mandate = self._mandates[session]
        if mandate is not None and self._handed.due(session, known.height):
            status, answer = await self._engine.ask("POST", "/transactions", {"payload": encode(mandate).hex()})
            self._handed.note(session, known.height, status, answer)

    async def _mandate(self, session: bytes) -> RelayMandate | None:
        """What the owner signed for this node in a manifest that is here. Raises `Problem` while it cannot be told."""
        name, owner = uuid.UUID(bytes=session[:SESSION_ID_BYTES]), session[SESSION_ID_BYTES:]
        status, data = await self._anchoring.fetch(f"/sessions/{name}/manifest?owner={owner.hex()}")
        if status == 404:
            return None
        if status != 200:
            raise Problem(Code.UNAVAILABLE, f"session anchoring answers {status}")
        with self._anchoring.understood():
            named = (await trio.to_thread.run_sync(lambda: msgspec.json.decode(data, type=_Naming))).relay
        if named is None or bytes.fromhex(named.node) != self._key:
            return None
        return RelayMandate(self._key, owner, session[:SESSION_ID_BYTES], bytes.fromhex(named.signature))
