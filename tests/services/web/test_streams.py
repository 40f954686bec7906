"""A client's socket: a slow reader is waited for, one that has stopped is cut, and so is whoever is told to go."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from quart import Response

from lucid.services.web import streams
from lucid.services.web.streams import ClientStream
from tests.services.web import served
from tests.services.web.flooding import kit
from tests.services.web.rawhttp import small_window


async def test_a_slow_reader_is_served_and_one_that_stops_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STALLED_S", 3.0)
    made = kit()
    request = b"GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with trio.fail_after(60):
        async with served.served(made) as (_, port):
            stopped, slow = await small_window(port), await small_window(port)
            for stream in (stopped, slow):
                await stream.send_all(request)
            read, began = 0, trio.current_time()
            while read < 6 << 20:
                part = await slow.receive_some(64 << 10 if trio.current_time() < began + 8 else 1 << 20)
                assert part, "it was cut"
                read += len(part)
                if trio.current_time() < began + 8:
                    await trio.sleep(0.2)
            with pytest.raises(trio.BrokenResourceError):
                while await stopped.receive_some(1 << 20):
                    pass
            for stream in (stopped, slow):
                await trio.aclose_forcefully(stream)


async def test_one_that_stops_is_cut_soon_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STALLED_S", 8.0)
    async with await open_listener() as listener, await small_window(listener.socket.getsockname()[1]) as reader:
        sender = ClientStream(await listener.accept())
        stopped_s = 0.0

        async def read_and_stop() -> None:
            nonlocal stopped_s
            for _ in range(10):
                await reader.receive_some(16 << 10)
                await trio.sleep(0.1)
            stopped_s = trio.current_time()

        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(read_and_stop)
                with pytest.raises(trio.BrokenResourceError, match="nothing was read"):
                    await sender.send_all(bytes(64 << 20))
        assert 0.9 * streams.STALLED_S < trio.current_time() - stopped_s < 1.6 * streams.STALLED_S
        await sender.aclose()


async def open_listener() -> trio.SocketListener:
    """Where one connection is taken, with as small a buffer as a service's."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, streams.BUFFER_BYTES)
    return listener


async def test_a_client_that_stopped_reading_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STALLED_S", 1.0)
    made = served.web()

    @made.route("GET", "/flood", "More than fits in between")
    async def flood() -> Any:
        return Response(b"x" * (64 << 20), content_type="application/octet-stream")

    with trio.fail_after(60):
        async with served.served(made) as (_, port):
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            await stream.send_all(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n")
            await stream.receive_some(1)
        await trio.aclose_forcefully(stream)


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[ClientStream, trio.SocketStream]]:
    """A connection as a service has it, and its other end."""
    async with await open_listener() as listener:
        other = await trio.open_tcp_stream(*listener.socket.getsockname())
        stream = ClientStream(await listener.accept())
        yield stream, other
        for each in (stream, other):
            await trio.aclose_forcefully(each)


@pytest.mark.parametrize("size", [1, 64 << 20])
async def test_one_that_is_cut_while_it_is_sent_to_is_closed_and_nothing_else(size: int) -> None:
    """Whoever sends learns it as trio says it: anything else would be counted as a failure of the service."""
    async with connection() as (stream, _), trio.open_nursery() as nursery:

        async def cut() -> None:
            if size > 1:
                await trio.testing.wait_all_tasks_blocked()
            stream.cut()

        nursery.start_soon(cut)
        with trio.fail_after(60), pytest.raises(trio.ClosedResourceError):
            await stream.send_all(bytes(size))
            await stream.send_all(bytes(size))


async def test_one_that_is_cut_while_it_is_read_from_is_closed() -> None:
    async with connection() as (stream, _), trio.open_nursery() as nursery:

        async def cut() -> None:
            await trio.testing.wait_all_tasks_blocked()
            stream.cut()

        nursery.start_soon(cut)
        with trio.fail_after(60), pytest.raises(trio.ClosedResourceError):
            await stream.receive_some()
        for call in (stream.receive_some(), stream.send_all(b"x"), stream.send_all(b"")):
            with pytest.raises(trio.ClosedResourceError):
                await call


async def test_one_whose_other_end_is_gone_is_broken() -> None:
    async with connection() as (stream, other):
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        await trio.aclose_forcefully(other)
        with trio.fail_after(60), pytest.raises(trio.BrokenResourceError):
            while True:
                await stream.send_all(bytes(1 << 16))


async def test_bytes_arrive_as_they_were_sent_and_an_end_is_an_end() -> None:
    async with connection() as (stream, other), trio.open_nursery() as nursery:
        sent = bytes(range(256)) * 4_096

        async def send() -> None:
            await stream.send_all(bytearray(sent))
            await stream.send_eof()

        nursery.start_soon(send)
        assert b"".join([bytes(part) async for part in other]) == sent
        await other.send_all(b"back")
        assert await stream.receive_some(2) == b"ba"
