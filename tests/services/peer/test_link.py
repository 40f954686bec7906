"""The engine's link: each side takes what the other may say, and ends the connection on anything else."""

from __future__ import annotations

import time

import httpx
import pytest
import trio

from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Refusal
from lucid.machines.effects import BlockBuilt, Finalized, Offer, Retransmit, TimerFired, Verdict
from lucid.services.devnet import Devnet
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.link import (
    FROM_ENGINE,
    FROM_MANAGER,
    LINK_VERSION,
    PATH,
    CertificateWanted,
    Direction,
    Farewell,
    Greeting,
    Link,
    LinkVersion,
    read_greeting,
)
from lucid.services.web.websocket import open_websocket

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


def await_own_engine(network: Devnet) -> None:
    """Wait until the node's own engine is connected again, and the chain goes on."""
    node = network.nodes[0]

    def height() -> int:
        # A chain that has only begun has no block yet, and says so.
        return int(httpx.get(f"{node.url('manager')}/blocks/latest", timeout=30.0).json().get("height", 0))

    began, deadline = height(), time.monotonic() + 90
    while height() < began + 2:
        assert time.monotonic() < deadline, httpx.get(f"{node.url('manager')}/health", timeout=30.0).text
        time.sleep(0.2)


# -- releases ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fields", "version"), [((b"c" * 32, b"k" * 32), 1), ((b"c" * 32, b"k" * 32, 9, "more"), 9)])
def test_the_greeting_of_another_release_is_one_sentence(fields: tuple[object, ...], version: int) -> None:
    with pytest.raises(LinkVersion) as lost:
        read_greeting(encode(fields))
    said = f"the engine speaks version {version} of their link, this manager version {LINK_VERSION}"
    assert str(lost.value) == f"{said}: run both from one release"


@pytest.mark.parametrize("data", [b"", b"\x00", encode(("c",)), encode((b"c", b"k", "2"))])
def test_what_is_no_greeting_is_refused(data: bytes) -> None:
    with pytest.raises(Refusal):
        read_greeting(data)


def test_an_engine_of_another_release_is_told_why_and_the_node_goes_on(lone: Devnet) -> None:
    node = lone.nodes[0]

    async def greet() -> Record:
        bearer = {"Authorization": f"Bearer {node.token}"}
        async with open_websocket(node.url("manager").replace("http", "ws", 1) + PATH, bearer) as frames:
            await frames.send(encode((lone.genesis.chain_id, node.key)))
            with trio.fail_after(20):
                return decode(await frames.receive(), FROM_MANAGER.says)  # type: ignore[no-any-return]

    parting = trio.run(greet)
    assert isinstance(parting, Farewell) and "version 1 of their link" in parting.why
    await_own_engine(lone)
