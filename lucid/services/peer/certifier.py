"""What the engine signs for its manager: certificates of transport keys, and nothing else.

The rule: the key is named by the node's own manager (which showed the node's token), the certificate is of this chain
and this node, and its sequence is higher than that of any before. The sequence is the engine's clock in ms, or one more
than the last where the clock went back; it is durable before the certificate leaves.
"""

from __future__ import annotations

import trio

from lucid.chain.codec import decode, encode
from lucid.chain.fields import Natural
from lucid.chain.keys import Crypto
from lucid.services.peer.transport import TransportCertificate, certify
from lucid.storage.durable import DurableStore

TABLE = "transport"
KEY = b"sequence"


class Certifier:
    """Signs with the node's key what its rule allows."""

    def __init__(self, crypto: Crypto, secret: bytes, chain: bytes, store: DurableStore) -> None:
        self._crypto = crypto
        self._secret = secret
        self._chain = chain
        self._store = store
        self._one_at_a_time = trio.Lock()

    async def certify(self, transport: bytes, now_ms: int) -> TransportCertificate:
        """A certificate that replaces all before it."""
        async with self._one_at_a_time:  # two that read the same last sequence would give the next one twice
            held = await self._store.read_when_there(self._store.get, TABLE, KEY)
            last = 0 if held is None else decode(held, Natural)
            sequence = max(last + 1, now_ms)
            await self._store.write([(TABLE, KEY, encode(sequence))])
        return certify(self._crypto, self._secret, self._chain, transport, sequence)
