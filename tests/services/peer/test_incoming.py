"""Memory of what comes from peers: one bound for all, and who holds most loses first."""

from __future__ import annotations

import trio
import trio.testing

from lucid.services.peer.incoming import Incoming
from tests.services.peer.cut import Cut


def test_the_longest_message_that_is_half_here_goes_first() -> None:
    incoming = Incoming(100)
    hog, honest = Cut(), Cut()
    large, small = incoming.open(hog), incoming.open(honest)
    for _ in range(9):
        large.add(bytes(10))
    small.add(bytes(20))
    assert hog.times == 1 and not honest.times
    assert incoming.partial == 20
    large.add(bytes(10))
    assert incoming.partial == 20, "nothing is kept for a connection that is over"
    assert small.whole() == bytes(20) and incoming.partial == 0


async def test_whole_messages_wait_until_the_machine_has_room() -> None:
    incoming = Incoming(100)
    await incoming.enter(90)
    entered = trio.Event()

    async def second() -> None:
        await incoming.enter(90)
        entered.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(second)
        await trio.testing.wait_all_tasks_blocked()
        assert not entered.is_set()
        incoming.leave(90)
        await entered.wait()
    assert incoming.whole == 90
    incoming.leave(90)
    with trio.fail_after(60):
        await incoming.enter(1_000)  # alone, any message goes through
