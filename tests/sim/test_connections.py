"""Reliable transport: order, no loss but by the end of a connection, waiting at cuts, redialing, downlinks."""

from __future__ import annotations

from collections import Counter
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.machines.effects import PeerJoined, Received
from sim.clock import VirtualClock
from sim.connections import BACKOFF_US, HANDSHAKE_DELAYS, HANDSHAKE_US, LEAST_TIMEOUT_US, STALLED_US, Connections
from sim.faults.loss import Loss
from sim.latency import PROFILES, base_latency_us, region_names
from sim.links import MEGABIT, AccessLink, symmetric
from sim.network import Network
from sim.trace import Trace
from tests.runs import passed, scenario

if TYPE_CHECKING:
    from sim.world import World

SECOND = 1_000_000
ONE_WAY_US = 100_000


class Wire:
    """Four nodes that run, each 100 ms from each other; what arrived as (us, sender, receiver, mark)."""

    def __init__(
        self, profile: str = "constant", nodes: int = 4, link: AccessLink | None = None, slow: bool = False
    ) -> None:
        self.clock = VirtualClock()
        base_us = base_latency_us(PROFILES[profile], [region_names()[index % 10] for index in range(nodes)])
        links = [link or symmetric(100 * MEGABIT)] * nodes
        self.network = Network(self.clock, base_us, PROFILES[profile], links, Random(1), Trace())
        self.connections = Connections(self.network, [bytes([index]) for index in range(nodes)], Random(2), slow)
        self.network.connections = self.connections
        self.arrived: list[tuple[int, int, int, int]] = []
        self.joined: list[tuple[int, int]] = []
        """(peer, receiver) of each connection that came about after the first moment."""
        self.network.receivers += [partial(self._receive, index) for index in range(nodes)]
        self.connections.begin(range(nodes))

    def _receive(self, receiver: int, event: Received | PeerJoined) -> None:
        if isinstance(event, PeerJoined):
            self.joined.append((event.peer[0], receiver))
            return
        self.arrived.append((self.clock.now_us, event.peer[0], receiver, int.from_bytes(event.data[2:6], "big")))

    def send(self, sender: int, *receivers: int, mark: int = 0, size: int = 100) -> None:
        """Send a message."""
        data = bytes([0x92, 5]) + mark.to_bytes(4, "big") + bytes(size - 6)
        self.network.send(sender, bytes([sender]), receivers, data)

    def wait(self, us: int) -> None:
        """Let time pass."""
        self.clock.run_until(self.clock.now_us + us)

    def cut(self, *pairs: tuple[int, int]) -> None:
        """Let nothing pass between these, both ways."""
        self.network.set_cut({*pairs, *((b, a) for a, b in pairs)})

    def marks(self, receiver: int, sender: int = 0) -> list[int]:
        """What a receiver has of a sender, in order."""
        return [mark for _, source, target, mark in self.arrived if (source, target) == (sender, receiver)]


@given(st.sampled_from(["regions", "lan", "tor"]), st.lists(st.integers(0, 50_000), max_size=40), st.booleans())
def test_what_one_node_sends_another_comes_in_order_and_whole(profile: str, pauses_us: list[int], slow: bool) -> None:
    wire = Wire(profile, slow=slow)
    for mark, pause_us in enumerate(pauses_us):
        wire.send(0, 1, 2, 3, mark=mark, size=100 + 3_000 * (mark % 3))
        wire.wait(pause_us)
    wire.wait(600 * SECOND)
    for receiver in (1, 2, 3):
        assert wire.marks(receiver) == list(range(len(pauses_us)))
    assert wire.connections.dropped == 0


@given(st.floats(0.1, 15), st.integers(1, 40), st.integers(0, 2**32))
def test_loss_delays_and_keeps_the_order(percent: float, count: int, seed: int) -> None:
    wire = Wire()
    world = cast("World", SimpleNamespace(stream=lambda _: Random(seed), network=wire.network))
    hook = Loss(percent=percent).begin(world).send
    assert hook is not None
    wire.network.on_send = (hook,)
    for mark in range(count):
        wire.send(0, 1, mark=mark)
    wire.wait(1_000 * SECOND)
    assert wire.marks(1) == list(range(count))[: len(wire.marks(1))], "in order, until a connection gives up"
    assert len(wire.marks(1)) == count or wire.connections.dropped or wire.connections.down


def test_a_lost_segment_comes_with_the_probe_then_with_timeouts() -> None:
    wire = Wire()
    assert wire.connections.retransmission_us(0, 1, 0) == 0
    assert wire.connections.retransmission_us(0, 1, 1) == 4 * ONE_WAY_US
    assert wire.connections.retransmission_us(0, 1, 2) == 4 * ONE_WAY_US + 8 * ONE_WAY_US
    near = Wire("lan")
    assert near.connections.retransmission_us(0, 1, 1) == 20_000
    assert near.connections.retransmission_us(0, 1, 2) == 20_000 + LEAST_TIMEOUT_US + 400


def test_where_nothing_gets_through_connections_end_and_cannot_be_made() -> None:
    wire = Wire()
    world = cast("World", SimpleNamespace(stream=lambda _: Random(1), network=wire.network))
    hooks = Loss(percent=100).begin(world)
    assert hooks.send is not None
    wire.network.on_send = (hooks.send,)
    wire.send(0, 1)
    wire.wait(STALLED_US + 60 * SECOND)
    assert wire.marks(1) == [] and wire.connections.down == {(0, 1), (1, 0)}
    wire.network.on_send = ()
    hooks.end()
    wire.wait(HANDSHAKE_US + BACKOFF_US[1] + SECOND)
    assert not wire.connections.down


def test_what_is_on_its_way_when_a_link_is_cut_waits_for_it() -> None:
    wire = Wire()
    wire.send(0, 1, mark=1)
    wire.wait(ONE_WAY_US // 2)
    wire.cut((0, 1))
    wire.send(0, 1, 2, mark=2)
    wire.wait(SECOND)
    assert wire.marks(1) == [] and wire.marks(2) == [2]
    wire.cut()
    wire.send(0, 1, mark=3)
    wire.wait(ONE_WAY_US)
    assert wire.marks(1) == [], "not before a retransmission, and nothing overtakes it"
    wire.wait(4 * SECOND)
    assert wire.marks(1) == [1, 2, 3]
    assert wire.connections.dropped == 0


def test_a_connection_that_gets_nothing_through_ends_and_is_dialed_anew() -> None:
    wire = Wire()
    wire.cut((0, 1))
    wire.send(0, 1, mark=1)
    wire.wait(STALLED_US + SECOND)
    assert {(0, 1), (1, 0)} <= wire.network.apart() and wire.connections.down == {(0, 1), (1, 0)}
    wire.send(0, 1, mark=2)
    assert wire.connections.dropped == 2, "what waited, and what found no connection"
    wire.wait(300 * SECOND)
    wire.cut()
    healed_us = wire.clock.now_us
    while wire.connections.down:
        wire.wait(SECOND // 10)
    took_us = wire.clock.now_us - healed_us
    assert took_us <= HANDSHAKE_US + BACKOFF_US[1] + HANDSHAKE_DELAYS * ONE_WAY_US + SECOND
    wire.send(0, 1, mark=3)
    wire.wait(SECOND)
    assert wire.marks(1) == [3]


@pytest.mark.parametrize("dialer", [True, False])
def test_nothing_reaches_the_next_life_of_a_process_over_the_old_connection(dialer: bool) -> None:
    one, other = (0, 1) if dialer else (1, 0)
    wire = Wire()
    wire.send(other, one, mark=1)
    wire.wait(ONE_WAY_US // 2)
    wire.connections.stopped(one)
    wire.connections.started(one)
    wire.wait(10 * SECOND)
    assert wire.marks(one, other) == []
    assert not wire.connections.down
    wire.send(other, one, mark=2)
    wire.wait(SECOND)
    assert wire.marks(one, other) == [2]


def test_what_a_process_sent_before_it_ended_still_arrives_what_it_queued_does_not() -> None:
    wire = Wire(link=symmetric(MEGABIT))
    for mark in range(10):
        wire.send(0, 1, mark=mark, size=12_500)  # 100 ms each on this uplink
    wire.wait(250_000)
    wire.connections.stopped(0)
    wire.wait(10 * SECOND)
    assert wire.marks(1) == [0, 1]


def test_a_node_that_is_down_is_dialed_until_it_answers() -> None:
    wire = Wire()
    wire.connections.stopped(2)
    wire.wait(120 * SECOND)
    assert wire.connections.down == {(2, each) for each in (0, 1, 3)} | {(each, 2) for each in (0, 1, 3)}
    wire.connections.started(2)
    wire.wait(HANDSHAKE_DELAYS * ONE_WAY_US + 1)
    assert (2, 3) not in wire.connections.down, "whom it dials itself"
    wire.wait(BACKOFF_US[1] + SECOND)
    assert not wire.connections.down


def test_senders_share_a_receivers_downlink() -> None:
    wire = Wire(nodes=10, link=symmetric(10 * MEGABIT))
    for sender in range(1, 10):
        wire.send(sender, 0, mark=sender, size=1_000_000)
    wire.wait(60 * SECOND)
    last_us = max(at_us for at_us, *_ in wire.arrived)
    assert 9 * 0.8 * SECOND <= last_us <= 9 * 0.9 * SECOND, "nine megabytes at ten megabits a second"


def test_an_idle_connection_opens_its_window_round_by_round() -> None:
    wire = Wire(slow=True, link=symmetric(1_000 * MEGABIT))
    wire.send(0, 1, mark=1, size=14_000)
    wire.send(0, 2, mark=2, size=100_000)
    wire.wait(10 * SECOND)
    took_ms = {mark: at_us // 1000 for at_us, _, _, mark in wire.arrived}
    assert took_ms[1] == 100, "ten segments at once"
    assert took_ms[2] == 100 + 2 * 200, "70 segments: 10, and two round trips later 20 and 40"


def test_a_run_over_connections_is_reproducible_and_passes() -> None:
    crash = {"kind": "crash", "node": 1, "at": "1m", "until": "2m"}
    cut = {"kind": "partition", "groups": [[0, 1], [2, 3]], "at": "4m", "until": "6m"}
    one, other = (passed(scenario(nodes=4, duration="10m", transport="reliable", fault=[crash, cut])) for _ in range(2))
    assert one.document["trace_hash"] == other.document["trace_hash"]
    one.assert_level()
    kinds = Counter(row["kind"] for row in one.document["halts"]["recoveries"])
    assert kinds == {"crash": 2, "partition": 2}


def test_a_reset_is_forgotten_once_nothing_of_before_can_come() -> None:
    wire = Wire()
    wire.send(0, 1, mark=1)
    wire.connections.reset(0, 1)
    assert wire.connections.resets
    wire.wait(60 * SECOND)
    wire.send(0, 1, 2, mark=2)
    wire.wait(SECOND)
    assert wire.marks(1) == [2] and wire.marks(2) == [2]
    assert not wire.connections.resets
