"""The world: builds a network from a scenario, runs it in virtual time, and tells its watchers what happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from lucid.chain.blocks import Block
from lucid.chain.codec import decode
from lucid.chain.placement import REPLICATION_FACTOR
from lucid.machines.chain import BLOCK_TABLE, FINALITY_TABLE
from lucid.machines.effects import Fact, Respond
from lucid.machines.journal import header
from lucid.machines.limits import Limits
from lucid.storage.journal import JournalWriter
from sim.capacityload import CapacityLoad
from sim.chunkclients import ChunkClients
from sim.clock import Moment, VirtualClock
from sim.connections import Connections
from sim.costs import Costs
from sim.cpus import CPUS, FREE
from sim.datachain import DataChain
from sim.disk import Disk
from sim.disktime import DISKS, DiskTime
from sim.execution import SharedValidator
from sim.faulthooks import Hooks
from sim.faults.fault import Fault
from sim.holdingload import HoldingLoad
from sim.latency import PROFILES, base_latency_us, region_names
from sim.links import LINKS, MEGABIT, symmetric
from sim.machinepace import Draws
from sim.meteredcrypto import MeteredCrypto
from sim.network import Network
from sim.node import Node
from sim.queuing import Queuing
from sim.relayload import RelayLoad
from sim.scenario import Scenario
from sim.sharedrows import SharedRows
from sim.trace import Trace
from sim.watcher import Tap, Watcher
from sim.wirelength import wire_length
from sim.workload import Workload

EPOCH_MS = 1_790_000_000_000
"""The genesis time of every simulated network: a date in 2026, so that clocks look like clocks."""


Meter = Callable[[Node, Any, int], None]


class NodeJournal(NamedTuple):
    """A journal being written, and of which machine of which node."""

    node: tuple[int, str]
    writer: JournalWriter


class World:
    """A simulated network. Times are microseconds since genesis on `clock`, milliseconds elsewhere."""

    def __init__(
        self, scenario: Scenario, trace: Trace, journals: Path | None = None, costs: Costs | None = None
    ) -> None:
        self.scenario = scenario
        self.costs = costs
        """What a machine was measured to take, in place of the scenario's core and disk."""
        self.trace = trace
        self.epoch_ms = EPOCH_MS
        self.clock = VirtualClock()
        self.crypto = MeteredCrypto(scenario.crypto, CPUS[scenario.cpu] if costs is None else FREE)
        self.limits = Limits(snapshot_blocks=scenario.snapshot_blocks, **scenario.limits)
        self.clients = MeteredCrypto(scenario.crypto, CPUS[scenario.cpu])
        self.rows = SharedRows(frozenset((BLOCK_TABLE, FINALITY_TABLE)))
        self.watchers: list[Watcher] = []
        self.meters: list[Meter] = []
        """Called with each event that cost signatures, and how many microseconds of a core."""
        self.taps: list[Tap] = []
        self.journals: list[NodeJournal] = []
        self._journal_folder = journals
        self.faults = list(scenario.fault)
        """The scenario's faults; those that name a role name a node once they have begun."""
        self.missed: set[int] = set()
        """The faults, by place, that had nobody to begin with: nobody had the role that they name."""
        self.active: dict[int, Hooks] = {}
        """The faults that are on, by their place in the scenario."""
        self._seen: tuple[bytes, Block] | None = None
        """The block that was looked at last, as it is stored: all who watch look at the same."""
        self.started = self.calm = False
        """Whether nodes run; whether the scenario's calm has begun."""
        twins = sorted({index for fault in scenario.fault for index in fault.twins})
        places = scenario.regions or region_names()
        where = [places[index % len(places)] for index in [*range(scenario.nodes), *twins]]
        self.base_us, self.network = self._network(where, twins)
        self._populate(where, twins)
        self._join()
        trace.network([node.name for node in self.nodes])
        self.workload = self._load()
        self.replication_factor = REPLICATION_FACTOR
        self.chunks = self._load_chunks()
        self._schedule_faults()

    def _populate(self, where: list[str], twins: list[int]) -> None:
        """Keys, the genesis that names them, and a node for each; behind these a second one for each twin."""
        scenario = self.scenario
        secrets = self.stream("keys")
        seeds = [secrets.randbytes(32) for _ in range(scenario.nodes)]
        self.administrators = administrators = [secrets.randbytes(32) for _ in range(3)]
        keys = [self.crypto.public_key(seed) for seed in seeds]
        self.genesis = scenario.genesis(
            keys, EPOCH_MS, tuple([self.crypto.public_key(each) for each in administrators])
        )
        self.validator = SharedValidator(self.genesis, self.crypto) if scenario.share_execution else None
        self.index = {key: index for index, key in enumerate(keys)}
        """The validator of each key by its place in the scenario; a twin has the key, and so the place, of another."""
        self.nodes = [Node(self, index, seed, f"n{index:02}", where[index]) for index, seed in enumerate(seeds)]
        for twin in twins:
            index = len(self.nodes)
            self.nodes.append(Node(self, index, seeds[twin], f"n{twin:02}-twin", where[index]))
        self.places = {key: tuple([node.index for node in self.nodes if node.key == key]) for key in keys}
        """The nodes that run with each key: one, or twins."""
        traitors = {index for fault in scenario.fault for index in fault.byzantine}
        self.byzantine = frozenset(body for index in traitors for body in self.places[keys[index]])

    def _load(self) -> Workload:
        scenario = self.scenario
        self.relays = RelayLoad(self, scenario.relays_every_ms * 1000, self.stream("relays"))
        CapacityLoad(self, scenario.capacities)
        HoldingLoad(self, scenario.holdings_every_ms * 1000, self.stream("holdings"))
        return Workload(
            self, scenario.anchor_every_ms * 1000, scenario.anchor_arrivals == "fixed", self.stream("workload")
        )

    def _load_chunks(self) -> ChunkClients | None:
        load = self.scenario.workload
        if load is None:
            return None
        self.network.length = wire_length
        clients = ChunkClients(self, load, self.stream("chunks"))
        for node in self.nodes:
            node.data = DataChain(node, clients)
        return clients

    def _network(self, where: list[str], twins: list[int]) -> tuple[list[list[int]], Network]:
        """The links of nodes at these places, and the network that they make."""
        scenario, profile = self.scenario, PROFILES[self.scenario.profile]
        kinds = {index: LINKS[kind] for kind, members in scenario.links.items() for index in members}
        plain = symmetric(scenario.bandwidth_mbps * MEGABIT)
        links = [kinds.get(index, plain) for index in [*range(scenario.nodes), *twins]]
        base_us = base_latency_us(profile, where, [link.access_us for link in links])
        return base_us, Network(self.clock, base_us, profile, links, self.stream("network"), self.trace)

    def _join(self) -> None:
        """Give each node its disk, and let it join the network."""
        scenario, costs = self.scenario, self.costs
        for node in self.nodes:
            if scenario.disk != "constant":
                node.disk_time = DiskTime(DISKS[scenario.disk], self.stream(f"disk/{node.index}"))
            node.connect()
        if scenario.transport == "reliable":
            self.network.connections = Connections(
                self.network, [node.key for node in self.nodes], self.stream("connections"), scenario.slow_start
            )
        if scenario.queuing_ms:
            self.network.queuing = Queuing(self.clock, scenario.queuing_ms * 1000, self.stream("queuing"))
        if costs is not None:
            self.network.handling_us = Draws(costs.of_message, self.stream("costs"))

    def stream(self, name: str) -> Random:
        """A random stream of its own, so that one more use of chance somewhere shifts nothing elsewhere."""
        return Random(f"{self.scenario.seed}/{name}")

    def journal(self, node: Node, machine: str, disk: Disk, peers: tuple[bytes, ...]) -> JournalWriter | None:
        """Where a starting machine's events are kept, if they are: one file each time that it starts."""
        if self._journal_folder is None:
            return None
        scenario = self.scenario
        head = header(
            machine=machine,
            crypto=scenario.crypto,
            genesis=self.genesis,
            key=node.key,
            secret=node.secret,
            peers=peers,
            limits=self.limits,
            store=disk,
            rules=node.rules_known,
        )
        name = f"{node.name}-{machine}-{sum(each.node == (node.index, machine) for each in self.journals)}.journal"
        writer = JournalWriter(self._journal_folder / name, head)
        self.journals.append(NodeJournal((node.index, machine), writer))
        return writer

    def start(self) -> None:
        """Begin the faults that are there from the beginning, then start every node that they do not keep down."""
        for place, fault in enumerate(self.scenario.fault):
            if fault.at_ms == 0:
                self._begin(place)
        self.started = True
        if self.network.connections is not None:
            self.network.connections.begin([node.index for node in self.nodes if not node.held])
        for node in self.nodes:
            if not node.held:
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
        data = node.manager_disk.peek(BLOCK_TABLE, hash_)
        assert data is not None, "an observed block is stored"
        if self._seen is None or self._seen[0] != data:
            self._seen = data, decode(data, Block)
        return self._seen[1]

    def connected(self) -> list[Node]:
        """The most honest nodes that are up and connected to one of them, clocks within the drift of its own."""
        cut = self.network.apart().union(*(hooks.held for hooks in self.active.values()))
        drift_us = self.genesis.parameters.max_clock_drift_ms * 1000
        up = [node for node in self.nodes if node.up and not node.outdated and node.index not in self.byzantine]
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
        """Whether a quorum of the genesis validators, all of them honest, can talk."""
        return len(self.connected()) >= self.quorum

    @property
    def quorum(self) -> int:
        """How many of the genesis validators make a certificate."""
        return 2 * self.scenario.nodes // 3 + 1

    def leader(self) -> int | None:
        """Who leads the view of now, by its place in the scenario; None while no node is in a view.

        The view is the latest, by epoch and number, that an honest node which runs is in; of nodes in it, the first by
        index says who leads it. That node is the next to propose, or has done so and its block is not notarized yet.
        """
        views = [
            node.engine.machine.context  # type: ignore[union-attr]
            for node in self.nodes
            if node.up and node.engine is not None and node.index not in self.byzantine
        ]
        known = [each for each in views if each is not None]
        latest = max(known, key=lambda each: (each.epoch, each.view), default=None)
        return None if latest is None else self.index.get(latest.leader)

    def bodies(self, index: int) -> tuple[int, ...]:
        """The nodes that run with the key of a validator, by its place: itself, and its twin if it has one."""
        return self.places[self.nodes[index].key]

    def _schedule_faults(self) -> None:
        for place, fault in enumerate(self.scenario.fault):
            if fault.at_ms > 0:
                self.clock.after(fault.at_ms * 1000, partial(self._begin, place))
            if fault.until_ms is not None:
                self.clock.after(fault.until_ms * 1000, partial(self._end, place))
        if self.scenario.calm_ms:
            self.clock.after(self.scenario.calm_ms * 1000, self._calm)

    def _begin(self, place: int, _: Moment | None = None) -> None:
        if self.calm and not self.faults[place].stays:
            return
        fault = self.faults[place].aimed(self)
        if fault is None:
            self.missed.add(place)
            return
        self.faults[place] = fault
        self._tell(place, True)
        self.active[place] = fault.begin(self)
        self._changed(place, True)

    def _end(self, place: int, _: Moment | None = None) -> None:
        hooks = self.active.pop(place, None)
        if hooks is None:
            return
        self._tell(place, False)
        self._rehook()
        hooks.end()
        self._changed(place, False)

    def _calm(self, _: Moment) -> None:
        """From now on there are no faults but those that stay, and the Byzantine are silent."""
        self.calm = True
        for place in list(self.active):
            if not self.faults[place].stays:
                self._end(place)
        for index in sorted(self.byzantine):
            self.nodes[index].crash()

    def _tell(self, place: int, begins: bool) -> None:
        """Write to the trace's file that a fault begins or ends, before what it does at once."""
        fault = self.faults[place]
        self.trace.tell_fault(self.clock.now_us, _told(fault, begins), place, fault.lane, fault.color)

    def _changed(self, place: int, begins: bool) -> None:
        """A fault began or ended. Those of one kind may overlap: what holds follows from all that are on."""
        self._rehook()
        now, fault = self.clock.now_us, self.faults[place]
        self.trace.fault(now, _told(fault, begins))
        for watcher in self.watchers:
            watcher.on_fault(now, fault, begins)

    def recut(self, fault: Fault, cut: frozenset[tuple[int, int]]) -> None:
        """A fault that is on cuts these pairs from now on, and no others."""
        for place, hooks in self.active.items():
            if self.faults[place] is fault:
                self.active[place] = replace(hooks, cut=cut)
        self._rehook()

    def _rehook(self) -> None:
        """Put the hooks of all faults that are on where they act."""
        hooks = list(self.active.values())
        network = self.network
        network.set_cut({pair for each in hooks for pair in each.cut})
        network.on_send = tuple([each.send for each in hooks if each.send is not None])
        network.on_deliver = tuple([each.deliver for each in hooks if each.deliver is not None])
        for node in self.nodes:
            mine = [each for each in hooks if node.index in each.nodes]
            node.on_effect = tuple([each.effect for each in mine if each.effect is not None])
            node.on_start = tuple([each.start for each in mine if each.start is not None])


def _told(fault: Fault, begins: bool) -> str:
    return f"{fault.kind} {'begins' if begins else 'ends'}: {fault.text()}"
