"""The WebSocket client: whatever the other side answers or says is a message or a lost connection."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import memory_stream_pair

from lucid.services.peer.addresses import Address
from lucid.services.peer.dialing import ConnectionLost, dial
from lucid.services.web import websocket
from lucid.services.web.websocket import WebSocket, open_websocket
from tests.services.peer.answering import ANSWERS, answering
from tests.services.web import served


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
async def test_whatever_answers_an_upgrade_is_a_lost_connection(answer: bytes) -> None:
    async with answering(answer) as port:
        with trio.fail_after(60), pytest.raises(ConnectionLost) as lost:
            async with open_websocket(f"ws://127.0.0.1:{port}/node/engine"):
                pass
        assert str(lost.value).isprintable()
        assert "127.0.0.1" not in lost.value.plain and "Error" not in lost.value.plain, "it is for /health"


@pytest.mark.parametrize("frames", [b"\xff" * 20, b"\x81\x01x", b"\x82\x7f" + b"\xff" * 8, b"\x88\x03\x03\xe8\xff"])
async def test_whatever_an_open_websocket_says_is_a_lost_connection(frames: bytes) -> None:
    """The accept that a client wants depends on its key, so a server of wsproto's says it, and then the odd frames."""
    from wsproto import ConnectionType, WSConnection  # noqa: PLC0415
    from wsproto.events import AcceptConnection  # noqa: PLC0415

    async def serve(stream: trio.SocketStream) -> None:
        server = WSConnection(ConnectionType.SERVER)
        server.receive_data(bytes(await stream.receive_some(4_096)))
        list(server.events())
        with suppress(trio.BrokenResourceError):
            await stream.send_all(server.send(AcceptConnection()) + frames)
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(
            lambda task_status: trio.serve_tcp(serve, 0, host="127.0.0.1", task_status=task_status)
        )
        port = listener.socket.getsockname()[1]
        with trio.fail_after(60), pytest.raises(ConnectionLost) as lost:
            async with open_websocket(f"ws://127.0.0.1:{port}/") as opened:
                while True:
                    await opened.receive()
        assert str(lost.value).isprintable()
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    "url",
    [
        "ws://127.0.0.1:1/peer",
        "ftp://127.0.0.1/",
        "ws:///x",
        "ws://[::1",
        "ws://h:99999/",
        "ws://h:x/",
        f"ws://{'a' * 64}.example/",
        "ws://a..b/",
        "ws://\udcff/",
        "ws://a\x00b/",
        "ws://user@h/",
        "",
    ],
)
async def test_what_can_not_be_dialed_is_lost(url: str) -> None:
    with trio.fail_after(60), pytest.raises(ConnectionLost):
        async with open_websocket(url):
            pass


async def test_being_cancelled_stays_what_it_is() -> None:
    async with answering(b"HTTP/1.1 ", wait_s=60) as port:
        with trio.move_on_after(0.2) as scope:
            async with open_websocket(f"ws://127.0.0.1:{port}/") as opened:
                await opened.receive()
        assert scope.cancelled_caught
    with trio.CancelScope() as gone:
        gone.cancel()
        await dial(Address("127.0.0.1", 1, False))
    assert gone.cancelled_caught


async def test_an_answer_that_is_no_websocket_is_lost() -> None:
    async with served.served(served.web()) as (_, port):
        for path in ("/health", "/nothing"):
            with pytest.raises(ConnectionLost):
                async with open_websocket(f"ws://127.0.0.1:{port}{path}"):
                    pass


# -- an open connection ------------------------------------------------------------------------------------------------


async def opened() -> tuple[WebSocket, trio.StapledStream[Any, Any]]:
    """The serving end of a connection, and the bare stream of the other."""
    near, far = memory_stream_pair()
    return WebSocket.accepted(near, b""), far


def frame(data: bytes, opcode: int = 2, last: bool = True) -> bytes:
    """A frame as a client sends it, under a mask of zeros."""
    size = len(data)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return (
        bytes([0x80 * last | opcode])
        + (length if size < 1 << 16 else b"\xff" + size.to_bytes(8, "big"))
        + bytes(4)
        + data
    )


@settings(max_examples=30)
@given(st.lists(st.lists(st.binary(max_size=300), min_size=1, max_size=4), max_size=4), st.integers(1, 400))
def test_messages_come_out_as_they_went_in_whatever_pieces_they_come_in(sent: list[list[bytes]], size: int) -> None:
    async def main() -> None:
        ours, theirs = await opened()
        wire = b""
        for parts in sent:
            for number, part in enumerate(parts):
                wire += frame(b"", 9) + frame(part, 2 if number == 0 else 0, number == len(parts) - 1)
        got = []

        async def receive() -> None:
            got.extend([await ours.receive() for _ in sent])

        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive)
            for start in range(0, len(wire), size):
                await theirs.send_all(wire[start : start + size])
                await trio.lowlevel.checkpoint()
        assert got == [b"".join(parts) for parts in sent]

    trio.run(main)


async def test_what_was_said_before_the_end_is_received_first() -> None:
    ours, theirs = await opened()
    await theirs.send_all(frame(b"one") + frame(b"two") + frame(b"\x03\xe9gone", 8))
    assert [await ours.receive(), await ours.receive()] == [b"one", b"two"]
    for _ in range(2):
        with pytest.raises(ConnectionLost, match="the other side closed: 1001 gone"):
            await ours.receive()


async def test_a_message_without_an_end_is_bounded_and_so_are_parts_without_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "MAX_FRAME_BYTES", 100_000)
    ours, theirs = await opened()
    await theirs.send_all(frame(b"x", 2, False) + frame(b"", 0, False) * 50_000 + frame(b"y", 0))
    assert await ours.receive() == b"xy"
    await theirs.send_all(frame(b"x", 2, False) + frame(b"", 0, False) * 50_000)
    with trio.move_on_after(0.5):
        await ours.receive()
    assert len(ours._parts) == 1, "nothing is kept for a part that brings nothing"
    await theirs.send_all(frame(bytes(50_000), 0, False) * 3)
    with pytest.raises(ConnectionLost, match="a message exceeds 100000 bytes"):
        await ours.receive()


async def test_a_ping_is_answered_and_text_is_none_of_it() -> None:
    ours, theirs = await opened()
    await theirs.send_all(frame(b"alive?", 9) + frame(b"x"))
    assert await ours.receive() == b"x"
    assert bytes(await theirs.receive_some()) == b"\x8a\x06alive?"
    await theirs.send_all(frame(b"text", 1))
    with pytest.raises(ConnectionLost, match="a message of text"):
        await ours.receive()


async def test_goodbye_waits_for_nobody(autojump_clock: object) -> None:
    ours, theirs = await opened()
    ours._stream.send_stream.send_all_hook = trio.sleep_forever  # type: ignore[attr-defined]
    with trio.fail_after(5), trio.CancelScope() as scope:
        scope.cancel()
        await ours.close()
    assert bytes(await theirs.receive_some()).startswith(b"\x88\x02\x03\xe8")
    with pytest.raises(ConnectionLost):
        await ours.send(b"x")
