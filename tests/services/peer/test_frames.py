"""Frames on a stream: whatever pieces the bytes come in, and not a byte more than a frame may have is taken in."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import memory_stream_pair

from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.frames import LENGTH_BYTES, FrameStream
from tests.services.peer.acquainted import framed

LIMIT = 100


@settings(max_examples=30)
@given(st.lists(st.binary(min_size=1, max_size=LIMIT), max_size=5), st.lists(st.integers(0, 600), max_size=8))
def test_frames_come_out_as_they_went_in_whatever_pieces_they_come_in(frames: list[bytes], cuts: list[int]) -> None:
    async def main() -> None:
        near, far = memory_stream_pair()
        sender, receiver = FrameStream(near, LIMIT), FrameStream(far, LIMIT)
        for data in frames:
            await sender.send(data)
        sent = bytes(await far.receive_some()) if frames else b""
        assert sent == b"".join(map(framed, frames))
        got = []

        async def receive() -> None:
            got.extend([await receiver.receive() for _ in frames])

        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive)
            for first, last in pairwise(sorted({0, len(sent), *(cut for cut in cuts if cut < len(sent))})):
                await near.send_all(sent[first:last])
                await trio.testing.wait_all_tasks_blocked()
        assert got == frames

    trio.run(main)


@settings(max_examples=50)
@given(st.binary(max_size=4 * LIMIT))
def test_any_bytes_are_frames_and_then_a_lost_connection(data: bytes) -> None:
    async def main() -> None:
        near, far = memory_stream_pair()
        await near.send_all(data)
        await near.send_eof()
        got, receiver = b"", FrameStream(far, LIMIT)
        with pytest.raises(ConnectionLost):
            while True:
                frame = await receiver.receive()
                assert 0 < len(frame) <= LIMIT
                got += framed(frame)
        assert data.startswith(got)

    trio.run(main)


@pytest.mark.parametrize("size", [0, LIMIT + 1, 2**32 - 1])
async def test_a_frame_of_a_size_that_may_not_be_is_refused_by_its_head(size: int) -> None:
    near, far = memory_stream_pair()
    await near.send_all(size.to_bytes(LENGTH_BYTES, "big"))
    with trio.fail_after(60), pytest.raises(ConnectionLost, match=f"a frame of {size} bytes; within 1..{LIMIT}"):
        await FrameStream(far, LIMIT).receive()


async def test_a_stranger_has_no_more_taken_in_than_a_frame_may_have() -> None:
    near, far = memory_stream_pair()
    await near.send_all(framed(b"x") + bytes(1 << 20))
    frames = FrameStream(far, LIMIT)
    assert await frames.receive() == b"x"
    assert len(frames._held) < LIMIT + LENGTH_BYTES, "the rest stays with the kernel, which holds the sender back"


async def test_the_limit_grows_once_it_is_known_who_sends() -> None:
    near, far = memory_stream_pair()
    frames = FrameStream(far, LIMIT)
    for size in (LIMIT, LIMIT + 1):
        await near.send_all(framed(bytes(size)))
    assert await frames.receive() == bytes(LIMIT)
    frames.limit = LIMIT + 1
    assert await frames.receive() == bytes(LIMIT + 1)


@pytest.mark.parametrize("half", [b"", b"\0", b"\0\0\0\5", b"\0\0\0\5hell"])
async def test_a_stream_that_ends_within_a_frame_is_a_lost_connection(half: bytes) -> None:
    near, far = memory_stream_pair()
    await near.send_all(framed(b"whole") + half)
    await near.send_eof()
    frames = FrameStream(far, LIMIT)
    assert await frames.receive() == b"whole"
    with pytest.raises(ConnectionLost, match="the peer closed the connection"):
        await frames.receive()


async def test_both_ends_of_a_closed_stream_learn_it() -> None:
    near, far = memory_stream_pair()
    one, other = FrameStream(near, LIMIT), FrameStream(far, LIMIT)
    await one.close()
    for call in (one.receive(), one.send(b"x"), other.receive(), other.send(b"x")):
        with pytest.raises(ConnectionLost, match="the peer"):
            await call
