"""Listening, and taking connections: each is served by itself, and nothing that happens on one can end another."""

from __future__ import annotations

import errno
import logging
import resource
import socket
import ssl
from pathlib import Path

import trio
from hypercorn.trio.worker_context import WorkerContext
from prometheus_client import CollectorRegistry

from lucid.services.web.edge import Edge
from lucid.services.web.exchange import Asgi
from lucid.services.web.http import Connection, settings
from lucid.services.web.streams import BUFFER_BYTES, ClientStream

GRACE_S = 6.0
"""How long requests under way may take once the service stops."""
HANDSHAKE_S = 10.0
"""How long a TLS handshake may take."""
FAREWELL_S = 2.0
"""How long TLS may take to say that nothing comes any more."""
BACKLOG = 4_096
"""Connections that may wait to be taken: one that finds no room there tries again a second later, or three."""
MAX_CONNECTIONS = 2_500
"""Connections at once; beyond it the one that has waited longest, of the address that has most, makes room."""
SPARE_FILES = 200
"""Open files that connections leave to the store, chunks and other services."""
UNACKNOWLEDGED_MS = 60_000
"""The kernel gives up on a connection whose other end has gone without a word after so long."""
_TCP_USER_TIMEOUT = 18
"""Linux's number; the socket module has no name for it on other systems."""

_GONE = (trio.BrokenResourceError, trio.ClosedResourceError, ssl.SSLError, trio.TooSlowError)
_NO_MORE_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

_log = logging.getLogger("lucid.edge")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at `host`, at any free port if `port` is 0; raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        listening.setsockopt(socket.IPPROTO_TCP, _TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


async def serve(
    app: Asgi,
    listening: socket.socket,
    stop: trio.Event,
    tls: tuple[Path, Path] | None = None,
    edge: Edge | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `stop`, and then at most `GRACE_S` longer. Takes the socket over. `tls` names certificate and key.

    `edge` says what else than requests is let in; nothing if there is none.
    """
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        context.set_alpn_protocols(["http/1.1"])
    server = Server(app, edge or Edge("lucid", CollectorRegistry()), context)
    async with trio.open_nursery() as connections:
        try:
            async with trio.open_nursery() as accepting:
                with trio.socket.from_stdlib_socket(_own(listening)) as incoming:
                    accepting.start_soon(server.accept, incoming, connections)
                    task_status.started()
                    await stop.wait()
                    accepting.cancel_scope.cancel()
            with trio.move_on_after(GRACE_S):
                await server.hang_up()
        finally:
            server.cut()


def _own(listening: socket.socket) -> socket.socket:
    return socket.socket(fileno=listening.detach())


class Server:
    """The connections of one listening socket."""

    def __init__(self, app: Asgi, edge: Edge, context: ssl.SSLContext | None) -> None:
        self._app = app
        self._edge = edge
        self._context = context
        self._config = settings()
        self._stopping = WorkerContext(None)
        self._gone = trio.Event()
        self._most = most_connections()
        self._open: dict[Connection, None] = {}
        self._by_caller: dict[str, int] = {}

    async def accept(self, incoming: trio.socket.SocketType, connections: trio.Nursery) -> None:
        """Take connections, forever; want of files makes the idlest connection go, and is waited out."""
        while True:
            try:
                taken, address = await incoming.accept()
            except OSError as error:
                if error.errno in _NO_MORE_FILES:
                    self._edge.refuse("files")
                    self._make_room()
                await trio.sleep(0.1)  # anything else: a connection that was gone before it was taken
                continue
            if len(self._open) >= self._most:
                self._make_room()
            connections.start_soon(self._serve, taken, address[:2])

    async def hang_up(self) -> None:
        """Close what waits for a request; what is answered now is the last answer of its connection. Returns once all
        are gone."""
        await self._stopping.terminated.set()
        for connection in list(self._open):
            if not connection.begun:
                connection.cut()
        self._gone = trio.Event()
        if self._open:
            await self._gone.wait()

    def cut(self) -> None:
        """Close what is left, whatever it is at."""
        for connection in list(self._open):
            connection.cut()

    async def _serve(self, taken: trio.socket.SocketType, client: tuple[str, int]) -> None:
        """One connection from its first byte to its last. Whatever it raises ends here."""
        if self._stopping.terminated.is_set():
            taken.close()
            return
        plain = ClientStream(trio.SocketStream(taken))
        stream: trio.abc.Stream = plain
        if self._context is not None:
            stream = trio.SSLStream(plain, self._context, server_side=True, https_compatible=True)
        with trio.CancelScope() as scope:

            def cut() -> None:
                scope.cancel()
                plain.cut()  # hypercorn shields what it sends

            secure = self._context is not None
            connection = Connection(
                app=self._app,
                edge=self._edge,
                config=self._config,
                context=self._stopping,
                stream=stream,
                client=client,
                secure=secure,
                cut=cut,
            )
            self._enter(connection)
            try:
                await self._talk(connection, stream)
            except* _GONE:
                self._edge.refuse("gone")
            except* Exception as group:
                self._edge.fail(client[0], group)
            finally:
                plain.cut()
                self._leave(connection)

    async def _talk(self, connection: Connection, stream: trio.abc.Stream) -> None:
        if isinstance(stream, trio.SSLStream):
            with trio.fail_after(HANDSHAKE_S):
                await stream.do_handshake()
        await connection.run()
        with trio.move_on_after(FAREWELL_S):
            await stream.aclose()

    def _enter(self, connection: Connection) -> None:
        self._edge.open += 1
        self._open[connection] = None
        self._by_caller[connection.caller] = self._by_caller.get(connection.caller, 0) + 1

    def _leave(self, connection: Connection) -> None:
        if connection not in self._open:
            return
        self._edge.open -= 1
        del self._open[connection]
        if not self._open:
            self._gone.set()
        left = self._by_caller.pop(connection.caller) - 1
        if left:
            self._by_caller[connection.caller] = left

    def _make_room(self) -> None:
        """Close one connection: of the caller that has most, the oldest that waits, or else the oldest."""
        if not self._by_caller:
            return
        busiest = max(self._by_caller, key=self._by_caller.__getitem__)
        its = [each for each in self._open if each.caller == busiest]
        chosen = next((each for each in its if each.idle), its[0])
        self._edge.refuse("full")
        chosen.cut()
        self._leave(chosen)  # already: the next one that comes must not choose it again


def most_connections() -> int:
    """How many connections there may be: `MAX_CONNECTIONS`, if the system lets the process have the files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(16, min(MAX_CONNECTIONS, soft - SPARE_FILES))
