"""The manager's part in replication: it carries the data chain's messages to and from peers, after all others.

What comes is handed to the data chain one message at a time for each peer, so many a second in all; what a peer sends
beyond that, or while the data chain is away, is dropped: the data chains ask again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import trio

from lucid.chain.errors import Refusal
from lucid.machines.replicamessages import MAX_BYTES, decode_replica
from lucid.services.process.config import Config
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem

WAITING = 8
"""Messages of one peer that wait for the data chain."""
PER_SECOND = 150
"""Messages of all peers that it is handed in a second: fewer than it takes from one caller."""

_log = logging.getLogger("lucid.chunkrelay")

Waiting = tuple[bytes, Callable[[], None]]


class ChunkRelay:
    """Carries what comes from peers to the data chain."""

    def __init__(self, peers: Iterable[bytes], config: Config) -> None:
        self._config = config
        self._queues = {peer: trio.open_memory_channel[Waiting](WAITING) for peer in peers}
        self._free_at_s = 0.0
        self.dropped = self.refused = 0

    def take(self, peer: bytes, data: bytes, handled: Callable[[], None]) -> None:
        """Queue a peer's message; never waits. `handled` is called when it is gone."""
        try:
            if len(data) > MAX_BYTES:
                raise trio.WouldBlock
            self._queues[peer][0].send_nowait((data, handled))
        except trio.WouldBlock:
            self.dropped += 1
            handled()

    async def run(self) -> None:
        """Carry, forever."""
        async with Sibling("data chain", self._config.data_url, self._config) as data, trio.open_nursery() as nursery:
            for peer, (_, queue) in self._queues.items():
                nursery.start_soon(self._carry, data, peer, queue)

    async def _carry(self, sibling: Sibling, peer: bytes, queue: trio.MemoryReceiveChannel[Waiting]) -> None:
        async for data, handled in queue:
            try:
                decode_replica(data)
                self._free_at_s = max(self._free_at_s, trio.current_time()) + 1 / PER_SECOND
                await trio.sleep_until(self._free_at_s)
                if await sibling.post(f"/node/replica-messages/{peer.hex()}", data) != 202:
                    self.dropped += 1
            except Refusal as refusal:
                self.refused += 1
                _log.info("peer %s: %s", peer.hex()[:16], refusal)
            except Problem:
                self.dropped += 1
            finally:
                handled()
