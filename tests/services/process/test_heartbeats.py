"""Siblings of a node notice within seconds that one of them hangs, and take nothing amiss that was their own pause."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import trio

from lucid.chain.codec import Record, decode, encode
from lucid.machines.effects import Offer
from lucid.services.devnet import Devnet
from lucid.services.peer import link as link_module
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.link import Link
from lucid.services.peer.linkmessages import FROM_ENGINE, Heartbeat

WITHIN_S = 30.0


@contextmanager
def stopped(network: Devnet, service: str) -> Iterator[None]:
    """One of the node's services hangs, as seen by everybody else."""
    pid = network.nodes[0].processes[service].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def await_reasons(network: Devnet, service: str, holds: bool) -> tuple[str, float]:
    """Wait until a service is unhealthy (or healthy, unless it `holds`); the reasons, and how long it took."""
    began = time.monotonic()
    while True:
        health = httpx.get(f"{network.nodes[0].url(service)}/health", timeout=30.0).json()
        if (health["status"] != "healthy") == holds:
            return str(health.get("reasons")), time.monotonic() - began
        assert time.monotonic() - began < WITHIN_S, health
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("hangs", "notices"),
    [("manager", "engine"), ("engine", "manager"), ("manager", "anchoring"), ("engine", "anchoring")],
)
def test_a_service_that_hangs_makes_its_siblings_unhealthy_within_seconds(
    lone: Devnet, hangs: str, notices: str
) -> None:
    await_reasons(lone, notices, holds=False)
    with stopped(lone, hangs):
        reasons, took_s = await_reasons(lone, notices, holds=True)
    assert hangs in reasons and took_s < 20.0
    await_reasons(lone, notices, holds=False)
    await_reasons(lone, hangs, holds=False)


class Line:
    """Frames to and from the other side, as a test says."""

    def __init__(self) -> None:
        self.sent: list[Record] = []
        self.comes, self._coming = trio.open_memory_channel[bytes](100)

    async def send(self, data: bytes) -> None:
        """See `Frames`."""
        self.sent.append(decode(data, FROM_ENGINE.says))

    async def receive(self) -> bytes:
        """See `Frames`."""
        return await self._coming.receive()


async def ignore(event: Record) -> None:
    """A machine that does nothing."""


async def test_each_side_says_that_it_is_alive_and_machines_hear_nothing_of_it(autojump_clock: object) -> None:
    line, got = Line(), list[Record]()
    link = Link(line, FROM_ENGINE)

    async def deliver(event: Record) -> None:
        got.append(event)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run, deliver)
        for _ in range(10):
            line.comes.send_nowait(encode(Heartbeat()))
            await trio.sleep(1)
        assert not link.silent and len(line.sent) >= 10 and set(line.sent) == {Heartbeat()}
        line.comes.send_nowait(encode(Offer(())))
        await trio.sleep(0.1)
        assert got == [Offer(())]
        nursery.cancel_scope.cancel()


async def test_silence_is_told_first_and_ends_the_link_much_later(autojump_clock: object) -> None:
    line = Line()
    link = Link(line, FROM_ENGINE)
    began = trio.current_time()
    seen: list[float] = []

    async def watch() -> None:
        while not link.silent:
            await trio.sleep(0.1)
        seen.append(trio.current_time() - began)
        line.comes.send_nowait(encode(Heartbeat()))
        await trio.sleep(0.1)
        assert not link.silent, "heard again"

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        with pytest.raises(ExceptionGroup) as group:
            await link.run(ignore)
    assert group.value.subgroup(ConnectionLost)
    assert 2.5 <= seen[0] <= 4.5
    assert trio.current_time() - began >= link_module.GIVEN_UP_S


async def test_a_machine_that_takes_its_time_is_no_silence_of_the_other_side(autojump_clock: object) -> None:
    line = Line()
    link = Link(line, FROM_ENGINE)

    async def slow(event: Record) -> None:
        await trio.sleep(60)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run, slow)
        line.comes.send_nowait(encode(Offer(())))
        await trio.sleep(30)
        assert not link.silent
        nursery.cancel_scope.cancel()
