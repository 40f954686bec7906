"""A node that never comes to an end: interim answers, heads, lengths of pieces and trailers that drip or flood."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
import trio

from lucid.chain.errors import Code
from lucid.client import AsyncClient, Client, ClientError, calls
from lucid.client import http as http_module
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
    monkeypatch.setattr(http_module, "TIMEOUT_S", 0.3)


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
    monkeypatch.setattr(http_module, "TIMEOUT_S", 2.0)
    monkeypatch.setattr(http_module, "LEAST_BYTES_S", 1 << 30)
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
