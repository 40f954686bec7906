"""How much each caller may ask for: a bucket of requests that refills, for every token or address."""

from __future__ import annotations

import hashlib
import time

import hiredis

from lucid.services.web.redis import Redis, RedisAway

MAX_CALLERS = 10_000
BURST_S = 2
"""How many seconds' worth of requests may come at once."""

# Redis' own clock, in microseconds: they have more digits than Lua prints of a number by itself.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local due = tonumber(redis.call('GET', KEYS[1]) or now)
if due < now then due = now end
due = due + tonumber(ARGV[1])
if due - now > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', math.ceil((due - now) / 1000))
return 1
"""
_TAKE_SHA = hashlib.sha1(_TAKE.encode(), usedforsecurity=False).hexdigest()


class RateLimits:
    """Buckets by caller; those that are full again are forgotten when there are too many."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._room = float(per_second * BURST_S)
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, caller: str) -> bool:
        """Whether the caller may make one more request now."""
        now = time.monotonic()
        left, since = self._buckets.get(caller, (self._room, now))
        left = min(self._room, left + (now - since) * self._per_second)
        if len(self._buckets) >= MAX_CALLERS and caller not in self._buckets:
            self._forget(now)
        self._buckets[caller] = (max(0.0, left - 1), now)
        return left >= 1

    def _forget(self, now: float) -> None:
        full = [caller for caller, (_, since) in self._buckets.items() if now - since > BURST_S]
        for caller in full or list(self._buckets)[: MAX_CALLERS // 2]:
            del self._buckets[caller]


class SharedLimits:
    """The same for all instances of a service that share a Redis (GCRA); while that is away, each counts for itself."""

    def __init__(self, redis: Redis, service: str, per_second: int, secret: bytes) -> None:
        """Callers are known to Redis by a digest under the node's `secret` only: a caller can be a token."""
        self._redis = redis
        self._service = service
        self._step_us = 1_000_000 // per_second
        self._room_us = BURST_S * 1_000_000
        self._key = hashlib.blake2b(secret, digest_size=32, person=b"lucid rates").digest()
        self._alone = RateLimits(per_second)

    async def take(self, caller: str) -> bool:
        """Whether the caller may make one more request now."""
        digest = hashlib.blake2b(caller.encode(), digest_size=16, key=self._key).hexdigest()
        asked = (1, f"lucid:rate:{self._service}:{digest}", self._step_us, self._room_us)
        try:
            reply = await self._redis.call("EVALSHA", _TAKE_SHA, *asked)
            if isinstance(reply, hiredis.ReplyError):
                reply = await self._redis.call("EVAL", _TAKE, *asked)
        except RedisAway:
            return self._alone.take(caller)
        return bool(reply == 1)
