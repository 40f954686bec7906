"""Nodes that listen at and dial real ports, for tests of what they say to each other."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import trio

from lucid.services.peer import peers as peers_module
from lucid.services.peer.addresses import Address
from lucid.services.peer.dialing import dial
from lucid.services.peer.frames import FrameStream
from lucid.services.peer.handshake import FRAME_BYTES, introduce
from lucid.services.peer.peerlistener import PeerListener
from lucid.services.peer.peers import Peers
from lucid.services.peer.sealed import SealedFrames
from lucid.services.web.serve import listen
from tests.services.peer.acquainted import CHAIN, CRYPTO, KEYS, acquaintances, transport
from tests.waiting import until

NOWHERE = "tcp://127.0.0.1:1"


class Site:
    """A node's peers, and what they said to it."""

    def __init__(self, number: int, known: dict[bytes, str], **more: Any) -> None:
        self.got: list[tuple[bytes, bytes]] = []
        self.hold: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint

        async def deliver(peer: bytes, data: bytes, handled: Callable[[], None]) -> None:
            await self.hold()
            self.got.append((peer, data))
            handled()

        self.peers = Peers(CRYPTO, KEYS[number], CHAIN, known, deliver, **more)
        self.peers.certify(transport(number))

    def of(self, number: int) -> peers_module.Peer:
        """What this node holds of another."""
        return self.peers.peers[KEYS[number]]


@asynccontextmanager
async def listening(site: Site, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, PeerListener]]:
    """A site that listens."""
    socket = listen("127.0.0.1", 0)
    port = socket.getsockname()[1]
    listener = PeerListener(site.peers, tls)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(listener.run, socket)
        yield port, listener
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def pair(proxy: str | None = None) -> AsyncIterator[tuple[Site, Site]]:
    """Two nodes; the first one dials."""
    site = Site(1, {KEYS[0]: NOWHERE})
    async with listening(site) as (port, _), trio.open_nursery() as nursery:
        dialer = Site(0, {KEYS[1]: f"tcp://127.0.0.1:{port}"}, proxy=proxy)
        nursery.start_soon(dialer.peers.run)
        await until(lambda: connected(dialer, site))
        yield dialer, site
        nursery.cancel_scope.cancel()


def connected(*sites: Site) -> bool:
    """Whether all their peers are."""
    return all(state.connected for site in sites for state in site.peers.states())


@asynccontextmanager
async def known_to(port: int, number: int = 0, listener: int = 1) -> AsyncIterator[SealedFrames]:
    """A connection made by hand as a node that is known there."""
    frames = FrameStream(await dial(Address("127.0.0.1", port, False)), FRAME_BYTES)
    try:
        sealed = await introduce(frames, transport(number), KEYS[listener], acquaintances(listener))
        sealed.accept_messages()
        yield sealed
    finally:
        await frames.close()
