"""A connection's stream: who is done with it neither sends nor reads any more, and a head that is late ends it."""

from __future__ import annotations

import pytest
import trio
from trio.testing import memory_stream_pair

from lucid.services.web.wire import Wire


async def test_what_is_ended_neither_sends_nor_reads() -> None:
    ours, theirs = memory_stream_pair()
    wire = Wire(ours)
    await wire.send_all(b"one")
    assert await theirs.receive_some(9) == b"one"
    await wire.aclose()
    for call in (wire.send_all(b"two"), wire.receive_some(9)):
        with pytest.raises(trio.ClosedResourceError):
            await call


async def test_a_head_that_is_late_ends_it() -> None:
    ours, _ = memory_stream_pair()
    wire = Wire(ours)
    wire.deadline = trio.current_time() + 0.05
    with trio.fail_after(60), pytest.raises(trio.ClosedResourceError):
        await wire.receive_some(9)
    assert wire.ended


async def test_the_other_side_s_end_is_known_and_what_it_lost() -> None:
    ours, theirs = memory_stream_pair()
    wire = Wire(ours)
    await theirs.send_eof()
    assert await wire.receive_some(9) == b"" and wire.gone and not wire.lost
    await theirs.aclose()
    with pytest.raises(trio.BrokenResourceError):
        await wire.send_all(b"late")
    assert wire.lost
    with pytest.raises(trio.ClosedResourceError):
        await wire.send_all(b"later")
