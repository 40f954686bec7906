"""The engine's link: each side takes what the other may say, and ends the connection on anything else."""

from __future__ import annotations

import pytest
import trio

from lucid.chain.codec import Record, encode
from lucid.machines.effects import BlockBuilt, Finalized, Offer, Retransmit, TimerFired, Verdict
from lucid.services.devnet import Devnet
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.link import PATH, Link
from lucid.services.peer.linkgreeting import Greeting
from lucid.services.peer.linkmessages import FROM_ENGINE, FROM_MANAGER, CertificateWanted, Direction
from lucid.services.web.websocket import open_websocket
from tests.services.peer.ownengine import await_own_engine

TO_ENGINE = (
    Finalized(epoch=0, view=1, height=1, transactions=()),
    Verdict(epoch=0, view=1, block=bytes(32), base_view=0, tick=1, fresh=True),
    BlockBuilt(view=1, parent=bytes(32), hash=bytes(32), rejected=()),
    CertificateWanted(transport=bytes(32)),
)
TO_MANAGER = (Offer(transactions=()), Retransmit(epoch=0, view=1, votes=()))
NOBODY_S = TimerFired(timer="view")


class Line:
    """What comes, one frame after the other, and then silence."""

    def __init__(self, *frames: bytes) -> None:
        self._frames = list(frames)

    async def send(self, data: bytes) -> None:
        """See `Frames`."""

    async def receive(self) -> bytes:
        """See `Frames`."""
        if not self._frames:
            await trio.sleep_forever()
        return self._frames.pop(0)


@pytest.mark.parametrize(
    ("comes", "event"),
    [
        *[(FROM_ENGINE, event) for event in (*TO_ENGINE, NOBODY_S)],
        *[(FROM_MANAGER, event) for event in (*TO_MANAGER, NOBODY_S)],
    ],
)
async def test_what_the_other_side_may_not_say_ends_the_link_and_never_reaches_the_machine(
    comes: Direction, event: Record, autojump_clock: object
) -> None:
    got: list[Record] = []

    async def deliver(event: Record) -> None:
        got.append(event)

    with trio.fail_after(60), pytest.raises(ExceptionGroup) as group:
        await Link(Line(encode(event)), comes).run(deliver)
    [lost] = group.value.exceptions
    assert isinstance(lost, ConnectionLost) and f"the {comes.speaker} said what is not for this side" in str(lost)
    assert not got


@pytest.mark.parametrize("event", [TO_ENGINE[0], NOBODY_S])
def test_a_manager_that_is_told_what_is_its_engines_goes_on(lone: Devnet, event: Record) -> None:
    """It used to end, with a `KeyError`."""
    node = lone.nodes[0]
    url = node.url("manager")

    async def mislead() -> None:
        bearer = {"Authorization": f"Bearer {node.token}"}
        async with open_websocket(url.replace("http", "ws", 1) + PATH, bearer) as frames:
            await frames.send(encode(Greeting(lone.genesis.chain_id, node.key)))
            await frames.send(encode(event))
            with trio.fail_after(60), pytest.raises(ConnectionLost):
                while True:
                    await frames.receive()

    trio.run(mislead)
    assert node.processes["manager"].poll() is None
    await_own_engine(lone)


def test_an_engine_that_another_one_displaced_comes_back(lone: Devnet) -> None:
    """Its connection used to stay open, and nobody told it anything any more."""
    node = lone.nodes[0]

    async def displace() -> None:
        bearer = {"Authorization": f"Bearer {node.token}"}
        async with open_websocket(node.url("manager").replace("http", "ws", 1) + PATH, bearer) as frames:
            await frames.send(encode(Greeting(lone.genesis.chain_id, node.key)))
            await frames.receive()

    trio.run(displace)
    await_own_engine(lone)
