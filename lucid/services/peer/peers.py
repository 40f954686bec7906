"""The other nodes: whom this one dials and whom it lets in, one connection a pair, made again when it breaks."""

from __future__ import annotations

import logging
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

import msgspec
import trio

from lucid.chain.keys import Crypto
from lucid.chain.printable import printable
from lucid.services.peer.addresses import PLAIN, SECURE, Address, parse_address
from lucid.services.peer.conversation import Conversation, Counts, Deliver
from lucid.services.peer.dialing import ConnectionLost, dial, losing
from lucid.services.peer.frames import FrameStream
from lucid.services.peer.handshake import FRAME_BYTES, Acquaintances, admit, introduce
from lucid.services.peer.incoming import Incoming
from lucid.services.peer.outbox import Message, Outboxes
from lucid.services.peer.sealed import SealedFrames
from lucid.services.peer.transport import Transport

HANDSHAKE_S = 10.0
BACKOFF_S = (0.2, 30.0)
"""First and longest wait before dialing again; it doubles, and a random half of it is left out."""
LASTING_S = 1.0
"""After a connection that lasted longer the waits begin anew: one that breaks every few seconds still serves."""
RENEW_S = 86_400.0
"""A connection is given up and made anew after so long at most, with fresh keys and the newest certificates."""

_log = logging.getLogger("lucid.peers")


class PeerState(msgspec.Struct, frozen=True):
    """One peer as anybody may see it; counters are since the start. By what it last showed, at `heard_ms` (0: nothing
    yet), the chain is `height` blocks high there, `behind` fewer than here (None: not known); a peer may lie here.
    While it is connected, `messages` is the version of the messages between the two, and `rules` the newest rules of
    the chain that it says to know."""

    node: str
    connected: bool
    connected_ms: int
    messages_in: int
    messages_out: int
    bytes_in: int
    bytes_out: int
    dropped: int
    height: int = 0
    behind: int | None = None
    heard_ms: int = 0
    messages: int = 0
    rules: int = 0


class PeerDetail(msgspec.Struct, frozen=True):
    """One peer as its node's operator sees it: also where it is, and why it is not connected."""

    state: PeerState
    address: str
    trouble: str


class Peer:
    """One other node: its address, and its connection while there is one."""

    def __init__(self, node: bytes, url: str, address: Address) -> None:
        self.node = node
        self.url = url
        self.address = address
        self.counts = Counts()
        self.conversation: Conversation | None = None
        self.since_ms = 0
        self.lasted_s = 0.0
        """How long the last connection that this node dialed lasted; 0 if none came about."""
        self.trouble = "not connected yet"

    @property
    def name(self) -> str:
        """How logs call it."""
        return self.node.hex()[:16]

    def put(self, message: Message, bulk: bool = False) -> None:
        """Queue a message while the peer is connected; it never waits."""
        if self.conversation is not None:
            self.conversation.put(message, bulk)

    def state(self) -> PeerState:
        """What anybody may see."""
        counts = self.counts
        return PeerState(
            node=self.node.hex(),
            connected=self.conversation is not None,
            connected_ms=self.since_ms,
            messages_in=counts.received,
            messages_out=counts.sent,
            bytes_in=counts.bytes_in,
            bytes_out=counts.bytes_out,
            dropped=counts.dropped,
            messages=0 if self.conversation is None else self.conversation.version,
            rules=0 if self.conversation is None else self.conversation.speaks.rules,
        )

    def detail(self) -> PeerDetail:
        """What the operator sees."""
        return PeerDetail(self.state(), self.url, self.trouble)


Joined = Callable[[bytes], Awaitable[None]]
"""Hears of a peer that a connection was made with, before anything comes over it."""


async def _unheard(peer: bytes) -> None:
    """Nobody wants to know."""


class Peers:
    """All peers of a node. Of a pair, the node with the lower id dials."""

    def __init__(
        self,
        crypto: Crypto,
        own: bytes,
        chain: bytes,
        addresses: Mapping[bytes, str],
        deliver: Deliver,
        *,
        proxy: str | None = None,
        trust: ssl.SSLContext | None = None,
        joined: Joined = _unheard,
    ) -> None:
        """`addresses` are `tcp://HOST:PORT` or `tls://HOST:PORT` by node id; `joined` hears of each connection made.

        Raises ValueError for other addresses.
        """
        self._own = own
        self._deliver = deliver
        self._joined = joined
        self._proxy = proxy
        self._trust = trust
        self.peers = {
            node: Peer(node, url, parse_address(url, PLAIN, SECURE)) for node, url in addresses.items() if node != own
        }
        self._known = Acquaintances(crypto, chain, self.peers)
        self._outboxes = Outboxes()
        self._incoming = Incoming()
        self._transport: Transport | None = None
        self._certified = trio.Event()
        self.failures = 0
        """Connections that ended by something nobody foresaw."""

    def certify(self, transport: Transport) -> None:
        """Use a transport key for new connections from now on."""
        self._transport = transport
        self._certified.set()

    def send(self, node: bytes, data: bytes) -> None:
        """Queue a message to one peer; one who is unknown or not connected misses it."""
        peer = self.peers.get(node)
        if peer is not None:
            peer.put(Message(data))

    def send_bulk(self, node: bytes, data: bytes) -> bool:
        """Queue a message that goes when nothing else waits; returns whether that peer is connected."""
        peer = self.peers.get(node)
        if peer is None or peer.conversation is None:
            return False
        peer.put(Message(data), bulk=True)
        return True

    def broadcast(self, data: bytes) -> None:
        """Queue a message to all peers."""
        message = Message(data)
        for peer in self.peers.values():
            peer.put(message)

    def states(self) -> list[PeerState]:
        """Every peer, by node id."""
        return [peer.state() for _, peer in sorted(self.peers.items())]

    def known_rules(self) -> dict[bytes, int]:
        """The newest rules of the chain that each connected peer says to know."""
        talking = ((node, peer.conversation) for node, peer in self.peers.items())
        return {node: conversation.speaks.rules for node, conversation in talking if conversation is not None}

    def clocks_off_ms(self) -> dict[bytes, int]:
        """By how much the clock of each connected peer that said its time is ahead of this node's at least, or behind
        (below 0)."""
        now_ms, now_s = time.time_ns() // 1_000_000, time.monotonic()
        talking = ((node, peer.conversation) for node, peer in self.peers.items())
        known = ((node, talk.clock) for node, talk in talking if talk is not None)
        return {node: clock.off_ms(now_ms, now_s) for node, clock in known if clock is not None}

    def details(self) -> list[PeerDetail]:
        """Every peer, by node id, for the operator."""
        return [peer.detail() for _, peer in sorted(self.peers.items())]

    async def run(self) -> None:
        """Keep a connection to each peer that this node dials."""
        async with trio.open_nursery() as nursery:
            for node, peer in self.peers.items():
                if self._own < node:
                    nursery.start_soon(self._dial, peer)

    async def prove(self, frames: FrameStream) -> SealedFrames:
        """Let the dialer of a connection prove who it is. Raises `ConnectionLost`."""
        return await admit(frames, self._own_transport, self._own, self._known)

    async def serve(self, sealed: SealedFrames) -> None:
        """Talk to a node that dialed and proved itself, until the connection is over."""
        peer = self.peers[sealed.peer]
        with self._isolated(peer):
            await self._talk(peer, sealed)

    async def _dial(self, peer: Peer) -> None:
        wait_s, longest_s = BACKOFF_S
        while True:
            peer.lasted_s = 0.0
            with self._isolated(peer):
                await self._once(peer)
            wait_s = BACKOFF_S[0] if peer.lasted_s > LASTING_S else min(2 * wait_s, longest_s)
            await trio.sleep(wait_s * random.uniform(0.5, 1.0))

    async def _once(self, peer: Peer) -> None:
        """One connection, from dialing to its end. Raises `ConnectionLost`, maybe in a group."""
        stream = await dial(peer.address, self._trust, self._proxy)
        frames = FrameStream(stream, FRAME_BYTES)
        try:
            with losing("the peer"), trio.fail_after(HANDSHAKE_S):
                transport = await self._own_transport()
                sealed = await introduce(frames, transport, peer.node, self._known)
            with trio.move_on_after(RENEW_S * random.uniform(0.5, 1.0)):
                await self._talk(peer, sealed)
            raise ConnectionLost("the connection is made anew")
        finally:
            await frames.close()

    async def _own_transport(self) -> Transport:
        with trio.move_on_after(HANDSHAKE_S / 2):
            await self._certified.wait()
        if self._transport is None:
            raise ConnectionLost("this node's engine has not certified a transport key yet")
        return self._transport

    async def _talk(self, peer: Peer, sealed: SealedFrames) -> None:
        conversation = Conversation(sealed, self._outboxes, self._incoming, self._deliver, peer.counts)
        if peer.conversation is not None:
            peer.conversation.end("a newer connection took over")
        peer.conversation, peer.since_ms, peer.trouble = conversation, time.time_ns() // 1_000_000, ""
        began = trio.current_time()
        try:
            await self._joined(peer.node)
            await conversation.run()
        finally:
            peer.lasted_s = trio.current_time() - began
            if peer.conversation is conversation:
                peer.conversation = None

    @contextmanager
    def _isolated(self, peer: Peer) -> Iterator[None]:
        """A connection's end, whatever the reason, ends nothing else: it is noted, and said once."""
        try:
            yield
        except* ConnectionLost as group:
            self._note(peer, _first(group))
        except* Exception as group:
            self.failures += 1
            error = _leaf(group)
            self._note(peer, printable(f"{type(error).__name__}: {error}"))

    def _note(self, peer: Peer, trouble: str) -> None:
        if peer.conversation is not None:
            return  # it was replaced by the newer one, which is fine
        if trouble != peer.trouble:
            _log.info("peer %s: %s", peer.name, trouble)
        peer.trouble = trouble


def _leaf(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error of a group."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _first(group: BaseExceptionGroup[BaseException]) -> str:
    """What the first error of a group says."""
    return str(_leaf(group))
