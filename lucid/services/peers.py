"""The connections to other nodes' managers: one long-lived a pair, bounded, and made again when it breaks."""

from __future__ import annotations

import logging
import random
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import msgspec
import trio

from lucid.chain.keys import Crypto
from lucid.services.handshake import SealedFrames, shake_hands
from lucid.services.link import Frames
from lucid.services.websocket import ConnectionLost, open_websocket

PATH = "/peer"
HANDSHAKE_S = 10.0
QUEUE_MESSAGES = 4_096
QUEUE_BYTES = 32 << 20
"""What waits to be sent to one peer; beyond it the oldest is dropped, since machines say again what matters."""
STALLED_S = 20.0
"""A peer that takes no message for so long is disconnected."""
BYTES_PER_S = 8 << 20
MESSAGES_PER_S = 2_000
"""What one peer may send; more is read later, which holds it back."""
BACKOFF_S = (0.2, 30.0)
"""First and longest wait before dialling again; it doubles, and a random half of it is left out."""

_log = logging.getLogger("lucid.peers")

Deliver = Callable[[bytes, bytes], Awaitable[None]]


class PeerState(msgspec.Struct, frozen=True):
    """One peer as `GET /peers` shows it; counters are since the start."""

    node: str
    address: str
    connected: bool
    connected_ms: int
    messages_in: int
    messages_out: int
    bytes_in: int
    bytes_out: int
    dropped: int
    trouble: str


class Peer:
    """One other node: its address, what waits for it, and its connection while there is one."""

    def __init__(self, node: bytes, address: str) -> None:
        self.node = node
        self.address = address
        self.scope: trio.CancelScope | None = None
        self.since_ms = 0
        self.received = self.sent = self.bytes_in = self.bytes_out = self.dropped = 0
        self.trouble = "not connected yet"
        self.work = trio.Event()
        self._queue: deque[bytes] = deque()
        self._queued = 0

    def put(self, data: bytes) -> None:
        """Queue a message while the peer is connected; it never waits."""
        if self.scope is None:
            return
        self._queue.append(data)
        self._queued += len(data)
        while len(self._queue) > QUEUE_MESSAGES or self._queued > QUEUE_BYTES:
            self._queued -= len(self._queue.popleft())
            self.dropped += 1
        self.work.set()

    def take(self) -> bytes | None:
        """The oldest message that waits."""
        if not self._queue:
            return None
        data = self._queue.popleft()
        self._queued -= len(data)
        return data

    def clear(self) -> None:
        """Forget what waits: the connection is over."""
        self._queue.clear()
        self._queued = 0


class Peers:
    """All peers of a node. Of a pair, the node with the lower id dials."""

    def __init__(
        self,
        crypto: Crypto,
        secret: bytes,
        chain: bytes,
        addresses: Mapping[bytes, str],
        deliver: Deliver,
        proxy: str | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._crypto = crypto
        self._secret = secret
        self._chain = chain
        self._own = crypto.public_key(secret)
        self._deliver = deliver
        self._proxy = proxy
        self._trust = trust
        self.peers = {node: Peer(node, address) for node, address in addresses.items() if node != self._own}

    def send(self, node: bytes, data: bytes) -> None:
        """Queue a message to one peer; one who is unknown or not connected misses it."""
        peer = self.peers.get(node)
        if peer is not None:
            peer.put(data)

    def broadcast(self, data: bytes) -> None:
        """Queue a message to all peers."""
        for peer in self.peers.values():
            peer.put(data)

    def states(self) -> list[PeerState]:
        """Every peer, by node id."""
        return [
            PeerState(
                peer.node.hex(),
                peer.address,
                peer.scope is not None,
                peer.since_ms,
                peer.received,
                peer.sent,
                peer.bytes_in,
                peer.bytes_out,
                peer.dropped,
                peer.trouble,
            )
            for _, peer in sorted(self.peers.items())
        ]

    async def run(self) -> None:
        """Keep a connection to each peer that this node dials."""
        async with trio.open_nursery() as nursery:
            for node, peer in self.peers.items():
                if self._own < node:
                    nursery.start_soon(self._dial, peer)

    async def serve(self, frames: Frames) -> None:
        """Talk to a node that dialled, until the connection is over. Raises `ConnectionLost`."""
        with trio.move_on_after(HANDSHAKE_S) as patience:
            sealed = await shake_hands(
                frames, False, self._secret, self._chain, self._crypto, lambda node: node in self.peers
            )
        if patience.cancelled_caught:
            raise ConnectionLost("the peer does not introduce itself")
        await self._talk(self.peers[sealed.peer], sealed)

    async def _dial(self, peer: Peer) -> None:
        wait_s, longest_s = BACKOFF_S
        while True:
            began = trio.current_time()
            trouble = await self._once(peer)
            if trouble != peer.trouble:
                _log.info("peer %s: %s", peer.node.hex()[:8], trouble)
            peer.trouble = trouble
            wait_s = BACKOFF_S[0] if trio.current_time() - began > longest_s else min(2 * wait_s, longest_s)
            await trio.sleep(wait_s * random.uniform(0.5, 1.0))

    async def _once(self, peer: Peer) -> str:
        """One connection, from dialling to its end; returns why it ended."""
        trouble = "a newer connection took over"
        try:
            async with open_websocket(peer.address.rstrip("/") + PATH, {}, self._trust, self._proxy) as frames:
                with trio.fail_after(HANDSHAKE_S):
                    sealed = await shake_hands(
                        frames, True, self._secret, self._chain, self._crypto, lambda node: node == peer.node
                    )
                await self._talk(peer, sealed)
        except* ConnectionLost as group:
            trouble = _first(group)
        except* trio.TooSlowError:
            trouble = "the peer does not introduce itself"
        return trouble

    async def _talk(self, peer: Peer, sealed: SealedFrames) -> None:
        if peer.scope is not None:
            peer.scope.cancel()
        with trio.CancelScope() as scope:
            peer.scope, peer.since_ms, peer.trouble = scope, time.time_ns() // 1_000_000, ""
            peer.clear()
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._send, peer, sealed)
                    await self._receive(peer, sealed)
            finally:
                if peer.scope is scope:
                    peer.scope = None
                    peer.clear()

    async def _send(self, peer: Peer, sealed: SealedFrames) -> None:
        while True:
            data = peer.take()
            if data is None:
                peer.work = trio.Event()
                await peer.work.wait()
                continue
            with trio.move_on_after(STALLED_S) as patience:
                await sealed.send(data)
            if patience.cancelled_caught:
                raise ConnectionLost("the peer takes nothing")
            peer.sent += 1
            peer.bytes_out += len(data)

    async def _receive(self, peer: Peer, sealed: SealedFrames) -> None:
        """Deliver what comes, no faster than a peer may send: while we don't read, it has to wait."""
        free_at = trio.current_time()
        while True:
            data = await sealed.receive()
            peer.received += 1
            peer.bytes_in += len(data)
            free_at = max(free_at, trio.current_time() - 1) + len(data) / BYTES_PER_S + 1 / MESSAGES_PER_S
            if free_at > trio.current_time():
                await trio.sleep_until(free_at)
            await self._deliver(sealed.peer, data)


def _first(group: BaseExceptionGroup[BaseException]) -> str:
    """What the first error of a group says."""
    error: BaseException = group
    with suppress(IndexError):
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
    return str(error)


def addresses(peers: tuple[str, ...]) -> dict[bytes, str]:
    """Node ids and addresses of the setting `peers`."""
    pairs = (peer.partition("@") for peer in peers)
    return {bytes.fromhex(node): address for node, _, address in pairs}
