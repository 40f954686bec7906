"""The simulated network: its shipped latencies, jitter, uplinks that queue, loss, partitions, and what it counts."""

from __future__ import annotations

from functools import partial
from importlib import resources
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.machines.effects import PeerJoined, Received
from sim.clock import VirtualClock
from sim.disktime import quantile_table
from sim.faults.fault import Fault
from sim.faults.loss import Loss
from sim.faults.withhold import PROPOSAL_KIND, Withhold
from sim.latency import PPM, PROFILES, base_latency_us, region_names
from sim.links import MEGABIT, symmetric
from sim.network import Network
from sim.segments import wire_bytes
from sim.trace import Trace

if TYPE_CHECKING:
    from sim.world import World

KIND = 5
measured = PROFILES["regions"]


class Wire:
    """A network of deaf nodes, and what arrived: (us, receiver, data)."""

    def __init__(self, profile: str = "constant", nodes: int = 4, mbps: int = 100, seed: int = 1) -> None:
        self.clock = VirtualClock()
        places = [region_names()[index % 10] for index in range(nodes)]
        self.base_us = base_latency_us(PROFILES[profile], places)
        links = [symmetric(mbps * MEGABIT)] * nodes
        self.network = Network(self.clock, self.base_us, PROFILES[profile], links, Random(seed), Trace())
        self.arrived: list[tuple[int, int, bytes]] = []
        self.network.receivers += [partial(self._receive, index) for index in range(nodes)]

    def _receive(self, index: int, event: Received) -> None:
        self.arrived.append((self.clock.now_us, index, event.data))

    def hook(self, *faults: Fault) -> None:
        """Begin faults."""
        world = cast("World", SimpleNamespace(stream=Random, network=self.network))
        self.network.on_send = tuple([hook for fault in faults if (hook := fault.begin(world).send) is not None])

    def send(self, sender: int, *receivers: int, size: int = 434, mark: int = 0) -> bytes:
        """Send a message of a size."""
        data = bytes([0x92, KIND]) + mark.to_bytes(4, "big") + bytes(size - 6)
        self.network.send(sender, bytes([sender]) * 32, receivers, data)
        return data

    def run(self, us: int = 100_000_000) -> list[tuple[int, int, bytes]]:
        """Let everything arrive that does within a while."""
        self.clock.run_until(self.clock.now_us + us)
        return self.arrived


# -- the shipped table -------------------------------------------------------------------------------------------


def test_the_table_of_regions_names_its_source_and_is_square() -> None:
    text = resources.files("sim").joinpath("data/regions.csv").read_text("utf-8")
    comments = [line for line in text.splitlines() if line.startswith("#")]
    rows = [line.split(",") for line in text.splitlines() if not line.startswith("#")]
    assert any("Source:" in line for line in comments)
    head, *body = rows
    assert head[1:] == [row[0] for row in body] == region_names()
    assert len(set(head)) == len(head) == 11
    for place, row in enumerate(body, 1):
        assert len(row) == len(head)
        assert [index for index, cell in enumerate(row) if not cell] == [place], "only the diagonal is empty"


def test_measured_latencies_are_plausible_and_nearly_the_same_both_ways() -> None:
    names = region_names()
    table = base_latency_us(measured, names)
    for a in range(len(names)):
        assert table[a][a] == measured.local_us
        for b in range(a):
            there, back = table[a][b], table[b][a]
            assert 1_000 < there < 200_000 and 1_000 < back < 200_000
            assert abs(there - back) <= 5_000, (names[a], names[b])


def test_one_way_is_half_of_the_measured_round_trip() -> None:
    assert base_latency_us(measured, ["west-europe", "japan-east", "west-europe"]) == [
        [500, 117_500, 500],
        [117_000, 500, 117_000],
        [500, 117_500, 500],
    ]


@pytest.mark.parametrize("name", [name for name, profile in PROFILES.items() if not profile.measured])
def test_other_profiles_are_the_same_between_all_places(name: str) -> None:
    profile = PROFILES[name]
    assert base_latency_us(profile, ["west-europe", "japan-east"]) == [[profile.local_us] * 2] * 2


@pytest.mark.parametrize("name", PROFILES)
def test_a_jitter_table_has_1024_quantiles_that_rise_through_the_median(name: str) -> None:
    table = quantile_table(PROFILES[name].jitter)
    assert len(table) == 1_024
    assert table == sorted(table) and table[0] > 0
    assert table[512] == PPM
    assert all(table[place] == factor for place, factor in PROFILES[name].jitter)


# -- time on the way ---------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(6, 60_000), st.integers(0, 50_000)), max_size=12))
def test_copies_queue_at_the_senders_uplink(sends: list[tuple[int, int, int]]) -> None:
    wire = Wire(mbps=10)
    free, expected = [0] * 4, []
    for number, (sender, size, pause_us) in enumerate(sends):
        receivers = [each for each in range(4) if each != sender]
        data = wire.send(sender, *receivers, size=size, mark=number)
        copy_us = wire_bytes(size) * 8 * 1_000_000 // (10 * MEGABIT)
        at = max(free[sender], wire.clock.now_us)
        for receiver in receivers:
            at += copy_us
            expected.append((at + 100_000, receiver, data))
        free[sender] = at
        wire.clock.run_until(wire.clock.now_us + pause_us)
    assert sorted(wire.run()) == sorted(expected)
    assert [at for at, _, _ in wire.arrived] == sorted(at for at, _, _ in expected)


def test_an_idle_uplink_owes_nothing() -> None:
    wire = Wire(mbps=1)
    wire.send(0, 1, size=434)
    wire.run(60_000_000)
    wire.send(0, 1, size=434)
    wire.run()
    assert [at for at, _, _ in wire.arrived] == [104_000, 60_104_000]


@pytest.mark.parametrize("name", ["regions", "lan", "tor"])
def test_latency_stays_within_its_jitter_and_its_median_is_the_base(name: str) -> None:
    wire = Wire(name, mbps=100_000)
    table = quantile_table(PROFILES[name].jitter)
    base = wire.base_us[0][2]
    samples = []
    for number in range(3_000):
        before = wire.clock.now_us
        wire.send(0, 2, mark=number)
        wire.run(10 * base + 10)
        samples.append(wire.arrived[-1][0] - before)
    assert len(samples) == len(wire.arrived) == 3_000
    assert min(samples) >= base * table[0] // PPM
    assert max(samples) <= base * table[-1] // PPM + 10
    assert abs(sorted(samples)[1_500] - base) <= base * 5 // 100


def test_order_is_not_promised() -> None:
    wire = Wire("tor")
    sent = [wire.send(0, 1, mark=number) for number in range(200)]
    arrived = [data for _, _, data in wire.run()]
    assert sorted(arrived) == sorted(sent)
    assert arrived != sent


def test_the_same_seed_gives_the_same_network() -> None:
    def arrivals(seed: int) -> list[tuple[int, int, bytes]]:
        wire = Wire("regions", seed=seed)
        for number in range(50):
            wire.send(number % 4, *(each for each in range(4) if each != number % 4), mark=number)
        return wire.run()

    assert arrivals(1) == arrivals(1)
    assert arrivals(1) != arrivals(2)


# -- what goes wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("percent", "low", "high"), [(5, 450, 550), (50, 4_800, 5_200), (100, 10_000, 10_000)])
def test_loss_takes_its_share(percent: int, low: int, high: int) -> None:
    wire = Wire()
    wire.hook(Loss(percent=percent))
    for number in range(5_000):
        wire.send(0, 1, 2, mark=number)
    assert low <= 10_000 - len(wire.run()) <= high


def test_a_partition_cuts_only_what_it_names_and_heals() -> None:
    wire = Wire()
    wire.network.cut = {(0, 2), (0, 3)}
    wire.send(0, 1, 2, 3)
    wire.send(2, 0, 1, 3)
    assert sorted(receiver for _, receiver, _ in wire.run()) == [0, 1, 1, 3]
    wire.network.cut = set()
    wire.arrived.clear()
    wire.send(0, 1, 2, 3)
    assert [receiver for _, receiver, _ in wire.run()] == [1, 2, 3]


def test_what_is_withheld_are_the_proposals_of_one_node() -> None:
    wire = Wire()
    wire.hook(Withhold(node=0))
    for sender in (0, 1):
        for kind in (PROPOSAL_KIND, KIND):
            wire.network.send(sender, bytes(32), (2, 3), bytes([0x92, int(kind), sender]))
    assert sorted({(data[2], data[1]) for _, _, data in wire.run()}) == [(0, KIND), (1, PROPOSAL_KIND), (1, KIND)]


def test_what_never_leaves_takes_no_bandwidth_and_is_not_counted() -> None:
    wire = Wire(mbps=1)
    wire.network.cut = {(0, 1)}
    wire.send(0, 1, size=10_000)
    wire.network.cut = set()
    wire.send(0, 1, size=434)
    assert [at for at, _, _ in wire.run()] == [104_000]
    assert wire.network.messages[KIND] == 1


def test_everything_sent_is_counted_by_kind() -> None:
    wire = Wire()
    wire.send(0, 1, 2, 3, size=100)
    wire.network.send(1, b"key", (0,), bytes([0x92, 7]) + bytes(48))
    wire.run()
    assert (wire.network.messages[KIND], wire.network.bytes[KIND]) == (3, 300)
    assert (wire.network.messages[7], wire.network.bytes[7]) == (1, 50)
    assert wire.network.deliveries == sum(wire.network.messages) == 4


def test_a_receiver_learns_who_sent_and_exactly_what() -> None:
    wire = Wire()
    events: list[Received | PeerJoined] = []
    wire.network.receivers[1] = events.append
    data = wire.send(0, 1)
    wire.run()
    assert events == [Received(bytes(32), data)]
