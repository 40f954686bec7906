"""The port at which other nodes connect: everybody may try, nobody is answered before proving to be a known node.

A connection that has not proven itself costs a kilobyte, and there are few of them: of one address, and in all. When
there are too many the oldest goes, since a node that means it needs a fraction of a second.
"""

from __future__ import annotations

import logging
import socket
import ssl

import trio

from lucid.chain.printable import printable
from lucid.services.peer.callernetwork import network
from lucid.services.peer.dialing import ConnectionLost, losing
from lucid.services.peer.frames import FrameStream
from lucid.services.peer.handshake import FRAME_BYTES
from lucid.services.peer.peers import HANDSHAKE_S, Peers

MAX_UNPROVEN = 64
MAX_UNPROVEN_PER_ADDRESS = 8
SAY_EVERY_S = 60.0
"""Strangers fill no log: one line in so long, with how many there were."""

_log = logging.getLogger("lucid.peers")


class PeerListener:
    """Accepts connections for `peers`, under TLS if there is a context for it."""

    def __init__(self, peers: Peers, tls: ssl.SSLContext | None = None) -> None:
        self._peers = peers
        self._tls = tls
        self._unproven: dict[trio.CancelScope, str] = {}
        self.turned_away = 0
        """Connections that ended without a proof."""
        self._unsaid = 0
        self._said_at = float("-inf")

    @property
    def unproven(self) -> int:
        """Connections that are open and have not proven themselves."""
        return len(self._unproven)

    async def run(self, listening: socket.socket) -> None:
        """Accept connections forever. Takes the listening socket over."""
        listening.setblocking(False)
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(listening))
        await trio.serve_listeners(self._serve, [listener])

    async def _serve(self, stream: trio.SocketStream) -> None:
        """One connection. Nothing that happens to it is raised."""
        frames: FrameStream | None = None
        try:
            caller = network(stream.socket.getpeername()[0])
            scope = self._enter(caller)
            try:
                with scope, losing("the dialer"), trio.fail_after(HANDSHAKE_S):
                    frames = FrameStream(await self._secured(stream), FRAME_BYTES)
                    sealed = await self._peers.prove(frames)
            finally:
                self._unproven.pop(scope, None)
            if scope.cancelled_caught:
                raise ConnectionLost("others came after it, and it had not proven itself")
            await self._peers.serve(sealed)
        except Exception as error:  # nothing that one connection does may end the others
            self._turn_away(str(error) if isinstance(error, ConnectionLost) else f"{type(error).__name__}: {error}")
        finally:
            await (trio.aclose_forcefully(stream) if frames is None else frames.close())

    async def _secured(self, stream: trio.SocketStream) -> trio.abc.Stream:
        if self._tls is None:
            return stream
        secured = trio.SSLStream(stream, self._tls, server_side=True, https_compatible=True)
        await secured.do_handshake()
        return secured

    def _enter(self, caller: str) -> trio.CancelScope:
        """Count a connection among the unproven; the oldest makes room for it."""
        same = [scope for scope, other in self._unproven.items() if other == caller]
        leaves = same[0] if len(same) >= MAX_UNPROVEN_PER_ADDRESS else None
        if leaves is None and len(self._unproven) >= MAX_UNPROVEN:
            leaves = next(iter(self._unproven))
        if leaves is not None:
            del self._unproven[leaves]
            leaves.cancel()
        scope = trio.CancelScope()
        self._unproven[scope] = caller
        return scope

    def _turn_away(self, why: str) -> None:
        self.turned_away += 1
        self._unsaid += 1
        if trio.current_time() - self._said_at >= SAY_EVERY_S:
            _log.info("%d connections proved nothing; the last one: %s", self._unsaid, printable(why))
            self._unsaid, self._said_at = 0, trio.current_time()
