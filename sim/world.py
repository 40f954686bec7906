"""The world: builds a network from a scenario, runs it in virtual time, and tells its watchers what happens."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple, Protocol

from lucid.chain.blocks import Block
from lucid.chain.codec import decode
from lucid.machines.chain import BLOCK_TABLE
from lucid.machines.effects import Fact, Respond
from lucid.machines.journal import header
from lucid.machines.limits import Limits
from lucid.storage.journal import JournalWriter
from sim.clock import Moment, VirtualClock
from sim.crypto import MeteredCrypto
from sim.disk import Disk
from sim.execution import SharedValidator
from sim.network import PROFILES, Network, base_latency_us, region_names
from sim.node import Node
from sim.scenario import Fault, Scenario
from sim.trace import Trace
from sim.workload import Workload

EPOCH_MS = 1_790_000_000_000
"""The genesis time of every simulated network: a date in 2026, so that clocks look like clocks."""

PROPOSAL_KIND = 1


class Watcher(Protocol):
    """Looks on; nothing that it does may change the run, but it may end it by raising."""

    def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
        """A machine observed something."""

    def on_accepted(self, now_us: int, node: Node, transaction: bytes) -> None:
        """A node told a client that its transaction is accepted."""

    def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
        """A fault began or ended."""


class NodeJournal(NamedTuple):
    """A journal being written, and of which machine of which node."""

    node: tuple[int, str]
    writer: JournalWriter


class World:
    """A simulated network. Times are microseconds since genesis on `clock`, milliseconds elsewhere."""

    def __init__(self, scenario: Scenario, trace: Trace, journals: Path | None = None) -> None:
        self.scenario = scenario
        self.trace = trace
        self.epoch_ms = EPOCH_MS
        self.clock = VirtualClock()
        self.crypto = MeteredCrypto(scenario.crypto)
        self.limits = Limits(snapshot_blocks=scenario.snapshot_blocks)
        self.clients = MeteredCrypto(scenario.crypto)
        self.watchers: list[Watcher] = []
        self.journals: list[NodeJournal] = []
        self._journal_folder = journals
        self._active: list[Fault] = []
        profile = PROFILES[scenario.profile]
        places = scenario.regions or region_names()
        where = [places[index % len(places)] for index in range(scenario.nodes)]
        self.base_us = base_latency_us(profile, where)
        self.network = Network(
            self.clock,
            self.base_us,
            profile,
            scenario.bandwidth_mbps * 1_000_000,
            self.stream("network"),
            trace,
        )
        secrets = self.stream("keys")
        seeds = [secrets.randbytes(32) for _ in range(scenario.nodes)]
        administrators = [secrets.randbytes(32) for _ in range(3)]
        keys = [self.crypto.public_key(seed) for seed in seeds]
        self.genesis = scenario.genesis(
            keys, EPOCH_MS, tuple([self.crypto.public_key(each) for each in administrators])
        )
        self.validator = SharedValidator(self.genesis, self.crypto) if scenario.share_execution else None
        self.index = {key: index for index, key in enumerate(keys)}
        self.nodes = [Node(self, index, seed, f"n{index:02}", where[index]) for index, seed in enumerate(seeds)]
        for node in self.nodes:
            node.connect()
        self.workload = Workload(
            self, scenario.anchor_every_ms * 1000, scenario.anchor_arrivals == "fixed", self.stream("workload")
        )
        self._schedule_faults()

    def stream(self, name: str) -> Random:
        """A random stream of its own, so that one more use of chance somewhere shifts nothing elsewhere."""
        return Random(f"{self.scenario.seed}/{name}")

    def journal(self, node: Node, machine: str, disk: Disk, peers: tuple[bytes, ...]) -> JournalWriter | None:
        """Where a starting machine's events are kept, if they are: one file each time that it starts."""
        if self._journal_folder is None:
            return None
        scenario = self.scenario
        head = header(machine, scenario.crypto, self.genesis, node.key, node.secret, peers, self.limits, disk)
        name = f"{node.name}-{machine}-{sum(each.node == (node.index, machine) for each in self.journals)}.journal"
        writer = JournalWriter(self._journal_folder / name, head)
        self.journals.append(NodeJournal((node.index, machine), writer))
        return writer

    def start(self) -> None:
        """Start every node that no fault keeps down from the beginning."""
        down = {fault.node for fault in self.scenario.fault if fault.kind == "crash" and fault.at_ms == 0}
        for node in self.nodes:
            if node.index not in down:
                node.start()

    def run(self, until_ms: int) -> None:
        """Go on to a moment of virtual time."""
        self.clock.run_until(until_ms * 1000)

    def close(self) -> None:
        """Finish the journals."""
        for journal in self.journals:
            journal.writer.close()

    def observed(self, node: Node, fact: Fact) -> None:
        """A machine observed something: trace it and tell the watchers."""
        now = self.clock.now_us
        self.trace.fact(now, node.index, fact)
        for watcher in self.watchers:
            watcher.on_fact(now, node, fact)

    def responded(self, node: Node, effect: Respond) -> None:
        """A node answered a client."""
        accepted = self.workload.responded(node.index, effect)
        if accepted is not None:
            for watcher in self.watchers:
                watcher.on_accepted(self.clock.now_us, node, accepted)

    def block(self, node: Node, hash_: bytes) -> Block:
        """A block that a node has stored."""
        data = node.manager_disk.get(BLOCK_TABLE, hash_)
        assert data is not None, "an observed block is stored"
        return decode(data, Block)

    def connected(self) -> list[Node]:
        """The most nodes that are up and connected to one of them, with clocks within the allowed drift of its own."""
        cut = self.network.cut
        drift_us = self.genesis.parameters.max_clock_drift_ms * 1000
        up = [node for node in self.nodes if node.up]
        if not cut and len({node.clock_us for node in up}) == 1:
            return up
        groups = [
            [
                each
                for each in up
                if (node.index, each.index) not in cut
                and (each.index, node.index) not in cut
                and abs(node.clock_us - each.clock_us) <= drift_us
            ]
            for node in up
        ]
        return max(groups, key=len, default=[])

    def quorum_connected(self) -> bool:
        """Whether a quorum of the genesis validators can talk."""
        return len(self.connected()) > 2 * len(self.nodes) // 3

    def _schedule_faults(self) -> None:
        for fault in self.scenario.fault:
            self.clock.after(fault.at_ms * 1000, partial(self._fault, fault, True))
            if fault.until_ms is not None:
                self.clock.after(fault.until_ms * 1000, partial(self._fault, fault, False))

    def _fault(self, fault: Fault, begins: bool, _: Moment) -> None:
        """A fault begins or ends. Faults of one kind may overlap: what holds follows from those that are on."""
        now = self.clock.now_us
        self.trace.fault(now, f"{fault.kind} {'begins' if begins else 'ends'} node={fault.node} groups={fault.groups}")
        if begins:
            self._active.append(fault)
        else:
            self._active.remove(fault)
        active = [each for each in self._active if each.kind == fault.kind]
        node = None if fault.node is None else self.nodes[fault.node]
        if fault.kind == "crash" and node is not None:
            if begins:
                node.crash()
            elif all(each.node != fault.node for each in active):
                node.start()
        elif fault.kind == "clock" and node is not None:
            node.shift_clock((fault.offset_ms if begins else -fault.offset_ms) * 1000)
        elif fault.kind == "withhold" and node is not None:
            self.network.withheld = {(each.node, PROPOSAL_KIND) for each in active if each.node is not None}
        elif fault.kind == "loss":
            self.network.loss_ppm = max((int(each.percent * 10_000) for each in active), default=0)
        elif fault.kind == "partition":
            self.network.cut = {
                (a, b)
                for each in active
                for group in each.groups
                for other in each.groups
                if other is not group
                for a in group
                for b in other
            }
        for watcher in self.watchers:
            watcher.on_fault(now, fault, begins)
