"""One request and its answer: bodies are read as they are wanted, and none is taken for a request."""

from __future__ import annotations

import socket

import msgspec
import pytest
import trio
from prometheus_client import generate_latest

from lucid.chain.errors import Code
from lucid.services.web import exchange
from tests.services.web import served
from tests.services.web.flooding import kit
from tests.services.web.rawhttp import POST, told
from tests.services.web.reading import reading


async def test_bodies_may_follow_each_other_and_none_is_taken_for_a_request() -> None:
    async with served.served(reading()) as (_, port):
        one = POST % (b"/read", 21, b"") + b"GET / HTTP/1.1\r\n\r\nabc"
        chunked = b"POST /read HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        other = chunked + b"5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n"
        got = await trio.to_thread.run_sync(
            told, port, (one + other) * 3, 60.0, lambda got: got.count(b"\r\n\r\n10") >= 3
        )
        assert got.count(b"HTTP/1.1 200 OK\r\n") == 6 and got.count(b"HTTP/1.1") == 6
        assert got.count(b"\r\n\r\n21") == 3 and got.count(b"\r\n\r\n10") == 3


async def test_a_client_that_waits_is_asked_for_its_body_only_when_it_is_wanted() -> None:
    async with served.served(reading()) as (_, port):
        waits = b"Expect: 100-continue\r\n"
        got = await trio.to_thread.run_sync(told, port, POST % (b"/read", 5, waits), 0.3)
        assert got.startswith(b"HTTP/1.1 100 ") and got.count(b"HTTP/1.1") == 1
        got = await trio.to_thread.run_sync(told, port, POST % (b"/read", 5, waits) + b"hello", 0.3)
        assert got.endswith(b"\r\n\r\n5")
        for path, size, status in ((b"/read", 2 << 20, b"413"), (b"/none", 5, b"404")):
            got = await trio.to_thread.run_sync(told, port, POST % (path, size, waits), 0.3)
            assert got.startswith(b"HTTP/1.1 " + status) and got.count(b"HTTP/1.1") == 1


async def test_an_answer_that_comes_before_its_body_is_not_lost() -> None:
    async with served.served(reading()) as (_, port):
        data = POST % (b"/read", 2 << 20, b"") + b"x" * (900 << 10)
        for _ in range(5):
            assert (await trio.to_thread.run_sync(told, port, data)).startswith(b"HTTP/1.1 413 ")


async def test_a_body_is_read_no_faster_than_it_is_used() -> None:
    async with served.served(reading()) as (_, port):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            await stream.send_all(POST % (b"/little", 1 << 30, b""))
            sent = 0
            with trio.move_on_after(1):
                while True:
                    sent += await stream.socket.send(b"x" * 65_536)
            assert 1 << 16 < sent < 24 << 20, "the kernel holds what nobody reads"
            with trio.fail_after(60):
                assert (await stream.receive_some()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("path", [b"/read", b"/little", b"/none"])
async def test_who_leaves_with_half_a_body_sent_is_gone(path: bytes) -> None:
    """hypercorn's news of it used to wait behind the body that nobody read, forever."""
    made = reading()
    async with served.served(made) as (_, port):
        for number in range(24):
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            data = POST % (path, 4 << 20, b"") + b"x" * (8 << number % 16)
            with trio.move_on_after(0.01 * (number % 3)):
                await stream.send_all(data)
            if number % 2:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            await trio.aclose_forcefully(stream)
        with trio.fail_after(60):
            while made.edge.open:
                await trio.sleep(0.02)
    assert made.edge.failed == 0 and made.edge.budget.held == 0


async def test_an_answer_for_which_there_is_no_memory_is_a_503_and_the_next_one_goes_out() -> None:
    made = kit()
    made.edge.budget.size = 1 << 20
    ask = b"GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with served.served(made) as (_, port):
        with made.edge.budget.charge("another") as charge:
            charge.add(1)
            got = await trio.to_thread.run_sync(told, port, ask)
        head, _, body = got.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ") and b"retry-after: 1" in head and b"connection: close" in head
        assert msgspec.json.decode(body)["error"]["code"] == Code.TOO_MANY.code
        got = await trio.to_thread.run_sync(told, port, ask, 60.0, lambda got: len(got) > 6 << 20)
        assert got.startswith(b"HTTP/1.1 200 ")
    assert made.edge.budget.held == 0 == made.edge.failed
    assert b'reason="memory"} 1.0' in generate_latest(made.registry)


async def test_a_body_that_brings_nothing_is_a_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "BODY_STALLED_S", 0.1)
    async with served.served(reading()) as (_, port):
        got = await trio.to_thread.run_sync(told, port, POST % (b"/read", 9, b"") + b"half")
        assert got.startswith(b"HTTP/1.1 408 ") and b"connection: close" in got


async def test_a_body_of_chunks_that_cannot_be_is_a_400() -> None:
    chunked = b"POST /read HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with served.served(reading()) as (_, port):
        for rest in (b"zz\r\n", b"5\r\nhelloXX", b"-1\r\n", b"ffffffffffffffffffffff\r\n"):
            got = await trio.to_thread.run_sync(told, port, chunked + rest)
            assert got.startswith(b"HTTP/1.1 400 ") and got.count(b"HTTP/1.1") == 1, rest
