"""A shared read cache on Redis, where there is one: what is read often and never changes, never trusted as it comes."""

from __future__ import annotations

import hashlib
import hmac

from lucid.services.web.redis import Redis, RedisAway

MAX_VALUE_BYTES = 4 << 20
KEPT_S = 3_600
MAC_BYTES = 32


class ReadCache:
    """Values by kind and key, for an hour. Without Redis, or while it is away, it holds nothing."""

    def __init__(self, redis: Redis | None, chain: bytes, secret: bytes) -> None:
        """`secret` is what the instances of the service share: a value put there without it is none."""
        self._redis = redis
        self._prefix = f"lucid:{chain.hex()[:16]}:"
        self._mac_key = hashlib.blake2b(secret, digest_size=32, person=b"lucid read cache").digest()
        self.hits = self.misses = 0

    async def get(self, kind: str, key: str) -> bytes | None:
        """The value, if it is there."""
        if self._redis is None:
            return None
        try:
            held = await self._redis.call("GET", f"{self._prefix}{kind}:{key}")
        except RedisAway:
            return None
        if isinstance(held, bytes) and hmac.compare_digest(held[:MAC_BYTES], self._mac(kind, key, held[MAC_BYTES:])):
            self.hits += 1
            return held[MAC_BYTES:]
        self.misses += 1
        return None

    async def put(self, kind: str, key: str, value: bytes) -> None:
        """Keep a value, unless it is large."""
        if self._redis is None or len(value) > MAX_VALUE_BYTES:
            return
        try:
            sealed = self._mac(kind, key, value) + value
            await self._redis.call("SET", f"{self._prefix}{kind}:{key}", sealed, "EX", KEPT_S)
        except RedisAway:
            return

    def _mac(self, kind: str, key: str, value: bytes) -> bytes:
        named = f"{kind}:{key}:".encode()
        return hashlib.blake2b(named + value, digest_size=MAC_BYTES, key=self._mac_key).digest()
