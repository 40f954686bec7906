"""A node that never comes to an end: interim answers, heads, lengths of pieces and trailers that drip or flood."""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpcore
import pytest
import trio

from lucid.chain.errors import Code
from lucid.client import AsyncClient, Client, ClientError, calls, nodeanswer
from lucid.client import deadline as deadline_module
from lucid.client.deadline import PIECE_BYTES, Deadline, TimedStream
from tests.client.test_sealing import SESSION

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
STUCK_S = 60.0
"""What would otherwise never end has not ended by then."""


def drip(first: bytes, again: bytes) -> Iterator[bytes]:
    """Some bytes, and then others without end, a moment apart."""
    yield first
    while not ENDED.wait(0.01):
        yield again


def flood(first: bytes, again: bytes) -> Iterator[bytes]:
    """The same as fast as they are taken."""
    yield first
    while not ENDED.is_set():
        yield again * 100


ENDED = threading.Event()
ENDLESS: dict[str, Callable[[], Iterator[bytes]]] = {
    "interim answers that drip": lambda: drip(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    "interim answers that flood": lambda: flood(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    "continue again and again": lambda: drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "processing again and again": lambda: flood(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "a status line that drips": lambda: drip(b"HTTP/1.1 200 ", b"O"),
    "headers that drip": lambda: drip(HEAD, b"X: y\r\n"),
    "headers that flood": lambda: flood(HEAD, b"X: y\r\n"),
    "an extension of a piece that drips": lambda: drip(CHUNKED + b"5;", b"x"),
    "pieces of one byte that drip": lambda: drip(CHUNKED, b"1\r\n \r\n"),
    "trailers that drip": lambda: drip(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n"),
    "a body that stops and drips": lambda: drip(HEAD + b"Content-Length: 1000000\r\n\r\n{", b" "),
}


@contextmanager
def endless(answer: Callable[[], Iterator[bytes]]) -> Iterator[str]:
    """A server that answers each connection so; its URL."""
    ENDED.clear()

    def serve(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.recv(65_536)
            for part in answer():
                connection.sendall(part)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ENDED.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodeanswer, "TIMEOUT_S", 0.3)


def bounded(ask: Callable[[], object]) -> ClientError:
    """What a client says in the end, in a thread that may hang."""
    said: list[BaseException] = []

    def run() -> None:
        try:
            ask()
        except BaseException as error:
            said.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(STUCK_S)
    assert not thread.is_alive(), "the client is kept"
    [error] = said
    assert isinstance(error, ClientError), error
    return error


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_client_gives_up(kind: str) -> None:
    with endless(ENDLESS[kind]) as url, Client(url, url) as client:
        assert bounded(lambda: client.send(calls.session_state(SESSION))).code in (Code.TOO_SLOW, Code.UNAVAILABLE)


@pytest.mark.parametrize("kind", ENDLESS)
async def test_the_trio_client_gives_up(kind: str) -> None:
    with endless(ENDLESS[kind]) as url, trio.fail_after(STUCK_S):
        async with AsyncClient(url, url) as client:
            with pytest.raises(ClientError) as caught:
                await client.send(calls.session_state(SESSION))
    assert caught.value.code in (Code.TOO_SLOW, Code.UNAVAILABLE)


def test_a_node_that_takes_a_body_ever_so_slowly_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodeanswer, "TIMEOUT_S", 2.0)
    monkeypatch.setattr(nodeanswer, "LEAST_BYTES_S", 1 << 30)
    body = bytes(8 << 20)
    taken = 0

    def sip(connection: socket.socket) -> None:
        nonlocal taken
        with suppress(OSError), connection:
            while not ENDED.wait(0.05) and (part := connection.recv(65_536)):
                taken += len(part)

    ENDED.clear()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: sip(listener.accept()[0]), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with Client(url, url) as client:
            error = bounded(lambda: client.send(calls.store_chunk(body, SESSION)))
        ENDED.set()
        thread.join()
    assert error.code in (Code.TOO_SLOW, Code.UNAVAILABLE)
    assert taken < len(body), "it went on for as long as the node took something"


def test_redirects_are_not_followed() -> None:
    asked = itertools.count()

    def away() -> Iterator[bytes]:
        next(asked)
        yield b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    with endless(away) as url, Client(url, url) as client:
        error = bounded(lambda: client.send(calls.session_state(SESSION)))
    assert (error.status, next(asked)) == (302, 1)


# -- the deadline itself, by a clock of the test ---------------------------------------------------------------------


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        """See `time.monotonic`."""
        return self.now


class Wire(httpcore.NetworkStream):
    """A stream that takes a second for each thing, and keeps what it was asked."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.asked: list[tuple[str, int, float | None]] = []
        self.closed = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See `httpcore.NetworkStream`."""
        self.clock.now += 1
        self.asked.append(("read", max_bytes, timeout))
        return b"words"

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See `httpcore.NetworkStream`."""
        self.clock.now += 1
        self.asked.append(("write", len(buffer), timeout))

    def close(self) -> None:
        """See `httpcore.NetworkStream`."""
        self.closed = True

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """See `httpcore.NetworkStream`."""
        self.asked.append((f"tls {server_hostname}", 0, timeout))
        return Wire(self.clock)

    def get_extra_info(self, info: str) -> str:
        """See `httpcore.NetworkStream`."""
        return f"of the wire: {info}"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which deadlines go."""
    made = Clock()
    monkeypatch.setattr(deadline_module, "time", made)
    return made


def test_a_timeout_is_cut_to_what_is_left(clock: Clock) -> None:
    deadline = Deadline()
    assert (deadline.bound(None), deadline.bound(5.0), deadline.over) == (None, 5.0, False), "none until one is set"
    deadline.within(2.0)
    assert (deadline.bound(None), deadline.bound(5.0), deadline.bound(1.0)) == (2.0, 2.0, 1.0)
    clock.now += 2.0
    assert deadline.over and deadline.bound(5.0) == deadline.bound(None) == 0.001, "nothing that waits for ever"
    deadline.within(1.0)
    assert not deadline.over, "the next request has its own"


def test_each_thread_has_its_own(clock: Clock) -> None:
    deadline = Deadline()
    deadline.within(-1.0)
    seen: list[bool] = []
    thread = threading.Thread(target=lambda: seen.append(deadline.over))
    thread.start()
    thread.join()
    assert (deadline.over, seen) == (True, [False])


def test_every_read_is_held_to_what_is_left_and_none_begins_later(clock: Clock) -> None:
    deadline, wire = Deadline(), Wire(clock)
    stream = TimedStream(wire, deadline)
    deadline.within(2.5)
    for _ in range(3):
        assert stream.read(9, 30.0) == b"words"
    assert wire.asked == [("read", 9, 2.5), ("read", 9, 1.5), ("read", 9, 0.5)]
    with pytest.raises(httpcore.ReadTimeout):
        stream.read(9, 30.0)
    assert len(wire.asked) == 3


def test_a_body_is_written_in_pieces_and_stops_between_two(clock: Clock) -> None:
    deadline, wire = Deadline(), Wire(clock)
    stream = TimedStream(wire, deadline)
    deadline.within(2.0)
    with pytest.raises(httpcore.WriteTimeout):
        stream.write(bytes(5 * PIECE_BYTES))
    assert wire.asked == [("write", PIECE_BYTES, 2.0), ("write", PIECE_BYTES, 1.0)]
    deadline.within(60.0)
    wire.asked.clear()
    stream.write(bytes(PIECE_BYTES + 1), 30.0)
    assert [size for _, size, _ in wire.asked] == [PIECE_BYTES, 1]
    stream.write(b"")
    assert len(wire.asked) == 2


def test_tls_is_held_to_it_too(clock: Clock) -> None:
    deadline, wire = Deadline(), Wire(clock)
    deadline.within(1.5)
    inner = TimedStream(wire, deadline).start_tls(ssl.create_default_context(), "pi", 30.0)
    assert wire.asked == [("tls pi", 0, 1.5)]
    inner.read(1)
    clock.now += 1
    with pytest.raises(httpcore.ReadTimeout):
        inner.read(1)


def test_the_rest_is_the_streams(clock: Clock) -> None:
    wire = Wire(clock)
    stream = TimedStream(wire, Deadline())
    assert stream.get_extra_info("peer") == "of the wire: peer"
    stream.close()
    assert wire.closed
