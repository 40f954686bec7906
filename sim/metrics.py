"""What a run measures while it goes: latencies, halts, leaders, traffic; typed figures at the end."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, get_args

from lucid.machines.effects import (
    BlockFinal,
    BlockValid,
    CaughtUp,
    EnteredView,
    Evicted,
    Fact,
    Proposed,
    Refused,
    TimedOut,
)
from lucid.machines.messages import Message
from lucid.machines.replicamessages import ReplicaMessage
from lucid.provenance import provenance
from sim.faults.fault import Fault
from sim.figures import (
    BlockFigures,
    ChainRow,
    CurvePoint,
    FaultRecord,
    Figures,
    FinalityRow,
    Fork,
    HaltFigures,
    Interval,
    KindTraffic,
    Leaders,
    Recovery,
    Series,
    SessionFigures,
    Share,
    Skip,
    Speed,
    Traffic,
    Waits,
)
from sim.halts import Halts
from sim.network import PROFILES
from sim.node import Node
from sim.quorum_path import earliest_final_us
from sim.samples import cumulative, gini, gini_floor, mean_deviation, median, spread
from sim.world import World

MESSAGE_NAMES = {kind.__struct_config__.tag: kind.__name__ for kind in Message.__args__}
REPLICA_NAMES = {kind.__struct_config__.tag: kind.__name__ for kind in get_args(ReplicaMessage)}
"""What data chains say to each other, where there are chunks."""


class ProposalTimes(NamedTuple):
    """When a block was first put forward, by which node, and from which nodes that one was cut off then."""

    at_us: int
    node: int
    cut: frozenset[int]


class PendingAnchor(NamedTuple):
    """An anchor in a final block that the node which accepted it does not know to be final yet."""

    height: int
    transaction: bytes
    attempted_us: int


class Metrics:
    """A watcher that keeps what the figures need; samples are microseconds."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.facts: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.finality_us = array("q")
        self.at_best_us = array("q")
        self.propagation_us = array("q")
        self.late_us = array("q")
        self.session_us = array("q")
        self.chain: list[ChainRow] = []
        self.skips: list[Skip] = []
        self.faults: list[tuple[int, Fault, bool]] = []
        self.halts = Halts()
        self.height = 0
        self.epoch = 0
        self._slots: Counter[tuple[int, int]] = Counter()
        self._proposed: dict[bytes, ProposalTimes] = {}
        self._seen: dict[bytes, tuple[int, int, int, int]] = {}
        self._arrived: dict[bytes, set[int]] = {}
        self._final: dict[bytes, list[int]] = {}
        self._hashes: list[bytes] = []
        self._anchored: list[list[PendingAnchor]] = [[] for _ in world.nodes]
        self._skipped: set[tuple[int, int]] = set()
        self._best_us: dict[int, list[int]] = {}
        self._handlers: dict[type, Callable[[int, Node, Any], None]] = {
            BlockFinal: self._on_final,
            BlockValid: self._on_valid,
            EnteredView: self._on_entered,
            Proposed: self._on_proposed,
            Refused: self._on_refused,
            TimedOut: self._on_counted,
            Evicted: self._on_counted,
            CaughtUp: self._on_caught_up,
        }

    @property
    def last_final_us(self) -> int:
        """When a height last became final for the first time; 0 before any did."""
        return self.halts.final_us[-1] if self.halts.final_us else 0

    def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
        """See `Watcher`."""
        handler = self._handlers.get(type(fact))
        if handler is not None:
            handler(now_us, node, fact)

    def on_accepted(self, now_us: int, node: Node, transaction: bytes) -> None:
        """See `Watcher`."""

    def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
        """See `Watcher`."""
        self.faults.append((now_us, fault, begins))

    def _on_counted(self, now_us: int, node: Node, fact: TimedOut | Evicted) -> None:
        self.facts[type(fact).__name__] += 1

    def _on_caught_up(self, now_us: int, node: Node, fact: CaughtUp) -> None:
        self.facts["snapshot" if fact.snapshot else "page"] += 1
        if fact.snapshot:
            self._settle(now_us, node.index, fact.height)

    def _on_refused(self, now_us: int, node: Node, fact: Refused) -> None:
        self.refusals[fact.code.code] += 1

    def _on_entered(self, now_us: int, node: Node, fact: EnteredView) -> None:
        left = (fact.epoch, fact.view - 1)
        if fact.skipped and left not in self._skipped:
            self._skipped.add(left)
            self.skips.append(Skip(*left, now_us // 1000))

    def _on_proposed(self, now_us: int, node: Node, fact: Proposed) -> None:
        if fact.hash not in self._proposed:
            cut = frozenset(receiver for sender, receiver in self.world.network.apart() if sender == node.index)
            self._proposed[fact.hash] = ProposalTimes(now_us, node.index, cut)

    def _on_valid(self, now_us: int, node: Node, fact: BlockValid) -> None:
        self._seen.setdefault(fact.hash, (fact.epoch, fact.view, fact.height, now_us))
        proposed = self._proposed.get(fact.hash)
        if proposed is None or proposed.node == node.index:
            return
        arrived = self._arrived.setdefault(fact.hash, set())
        if node.index in arrived:
            return  # judged again after a restart
        arrived.add(node.index)
        # Whoever was down or cut off when the block was proposed catches up, which says nothing of how blocks spread.
        late = proposed.at_us < node.up_since_us or node.index in proposed.cut
        (self.late_us if late else self.propagation_us).append(now_us - proposed.at_us)

    def _on_final(self, now_us: int, node: Node, fact: BlockFinal) -> None:
        proposed = self._proposed.get(fact.hash)
        if proposed is not None and proposed.at_us >= node.up_since_us:
            # What a node catches up on after a crash says nothing of how long finality takes.
            latency_us = now_us - proposed.at_us
            self.finality_us.append(latency_us)
            self.at_best_us.append(self._at_best(proposed.node)[node.index])
            self._final.setdefault(fact.hash, []).append(latency_us)
        if fact.height == self.height + 1:
            self._on_height(now_us, node, fact, proposed)
        self._settle(now_us, node.index, fact.height)

    def _on_height(self, now_us: int, node: Node, fact: BlockFinal, proposed: ProposalTimes | None) -> None:
        """A height is final for the first time."""
        self.height, self.epoch = fact.height, fact.epoch
        block = self.world.block(node, fact.hash)
        parameters = self.world.genesis.parameters
        self.halts.on_final(now_us, block.header.tick)
        self._slots[fact.epoch, (fact.view - 1) // parameters.slot_views] += 1
        self._final.setdefault(fact.hash, [])
        self._hashes.append(fact.hash)
        accepted = self.world.workload.accepted
        for transaction in block.transactions:
            entry = accepted.get(transaction.id)
            if entry is not None:
                index, attempted_us = entry
                self._anchored[index].append(PendingAnchor(fact.height, transaction.id, attempted_us))
        self.chain.append(
            ChainRow(
                height=fact.height,
                epoch=fact.epoch,
                view=fact.view,
                tick_ms=block.header.tick * parameters.block_interval_ms,
                proposed_ms=(now_us if proposed is None else proposed.at_us) // 1000,
                final_ms=now_us // 1000,
                leader=self.world.index[block.header.proposer],
                transactions=len(block.transactions),
            )
        )

    def _settle(self, now_us: int, index: int, height: int) -> None:
        """A node knows a height to be final: those whose anchors it accepted can have their receipts."""
        accepted, waiting = self.world.workload.accepted, self._anchored[index]
        if not waiting:
            return
        for each in waiting:
            if each.height <= height and accepted.pop(each.transaction, None) is not None:
                self.session_us.append(now_us - each.attempted_us)
        self._anchored[index] = [each for each in waiting if each.height > height]

    def _at_best(self, leader: int) -> list[int]:
        found = self._best_us.get(leader)
        if found is None:
            found = self._best_us[leader] = earliest_final_us(self.world.base_us, leader)
        return found

    def figures(self, wall_seconds: float) -> Figures:
        """The run's figures; see docs/simulator.md for what each means."""
        world, scenario = self.world, self.world.scenario
        made, seconds = provenance(), max(world.clock.now_us / 1_000_000, 1e-9)
        mean, deviation = mean_deviation(
            [after.proposed_ms - before.proposed_ms for before, after in zip(self.chain, self.chain[1:], strict=False)]
        )
        forks = [
            Fork(epoch, view, height, at_us // 1000)
            for hash_, (epoch, view, height, at_us) in self._seen.items()
            if hash_ not in self._final and height <= self.height
        ]
        ratios = [took / best for took, best in zip(self.finality_us, self.at_best_us, strict=True) if best]
        ratio = median(ratios)
        return Figures(
            lucid=made.lucid,
            commit=made.commit,
            python=made.python,
            scenario=scenario.name,
            description=scenario.description,
            seed=scenario.seed,
            nodes=scenario.nodes,
            crypto=scenario.crypto,
            profile=scenario.profile,
            profile_about=PROFILES[scenario.profile].about,
            duration_ms=world.clock.now_us // 1000,
            chain_id=world.genesis.chain_id.hex(),
            blocks=BlockFigures(final=len(self.chain), height=self.height, forked=len(forks), epoch=self.epoch),
            finality_ms=spread(self.finality_us),
            finality_at_best_ms=spread(self.at_best_us),
            finality_ratio=None if ratio is None else round(ratio, 4),
            one_way_delay_ms=_one_way_ms(world),
            interval_ms=Interval(mean=mean, deviation=deviation),
            tick_to_proposal_ms=spread([1000 * (row.proposed_ms - row.tick_ms) for row in self.chain]),
            propagation_ms=spread(self.propagation_us),
            late_ms=spread(self.late_us),
            waits=self._waits(),
            halts=self._halts(),
            missed_views=len(self.skips),
            timeouts=self.facts["TimedOut"],
            leaders=self._leaders(),
            traffic=self._traffic(),
            speed=self._speed(wall_seconds),
            sessions=self._sessions(),
            transactions_per_second=round(sum(row.transactions for row in self.chain) / seconds, 3),
            evicted=self.facts["Evicted"],
            caught_up={"pages": self.facts["page"], "snapshots": self.facts["snapshot"]},
            refusals=dict(sorted(self.refusals.items())),
            faults=[
                FaultRecord(
                    at_ms=fault.at_ms,
                    until_ms=fault.until_ms,
                    kind=fault.kind,
                    what=fault.text(),
                    lane=fault.lane,
                    color=fault.color,
                )
                for _, fault, begins in self.faults
                if begins
            ],
            series=Series(
                chain=self.chain,
                skips=self.skips,
                forks=forks,
                finality=self._finality_series(),
                propagation_cdf=[CurvePoint(ms, share) for ms, share in cumulative(self.propagation_us)],
            ),
        )

    def _finality_series(self) -> list[FinalityRow]:
        rows = []
        for row, hash_ in zip(self.chain, self._hashes, strict=True):
            latencies = self._final[hash_]
            if latencies:
                best = median(self._at_best(row.leader)) or 0
                rows.append(
                    FinalityRow(
                        final_ms=row.final_ms,
                        median_ms=round((median(latencies) or 0) / 1000, 3),
                        largest_ms=round(max(latencies) / 1000, 3),
                        best_ms=round(best / 1000, 3),
                    )
                )
        return rows

    def _halts(self) -> HaltFigures:
        end_us = self.world.clock.now_us
        longest_us, began_us = self.halts.longest_us(end_us)
        waits_us, waiting = self.halts.waits_us(self.world.genesis.parameters.block_interval_ms * 1000, end_us)
        recoveries = []
        for at_us, fault, begins in self.faults:
            after_us = self.halts.next_final_us(at_us)
            recoveries.append(
                Recovery(
                    at_ms=at_us // 1000,
                    kind=fault.kind,
                    what=fault.text(),
                    begins=begins,
                    ms=None if after_us is None else after_us / 1000,
                )
            )
        return HaltFigures(
            longest_ms=longest_us / 1000,
            longest_at_ms=began_us / 1000,
            wait_ms=spread(waits_us),
            waiting=waiting,
            recoveries=recoveries,
        )

    def _waits(self) -> Waits:
        nodes, per = self.world.nodes, len(self.chain) * self.world.scenario.nodes

        def share(total: float) -> float | None:
            return round(total / per, 3) if per else None

        return Waits(
            cpu_ms=share(sum(node.cpu_wait_us for node in nodes) / 1000),
            disk_ms=share(sum(node.disk_wait_us for node in nodes) / 1000),
            stores=share(sum(node.stores for node in nodes)),
        )

    def _leaders(self) -> Leaders:
        nodes = self.world.scenario.nodes
        shares = leader_shares(self.chain, nodes)
        found = gini([each.blocks for each in shares])
        return Leaders(
            gini=found,
            # Where a view failed, a slot has blocks of two leaders, which can be more even than any dealing of slots.
            gini_floor=min(found, gini_floor(list(self._slots.values()), nodes)),
            slots=len(self._slots),
            shares=shares,
        )

    def _traffic(self) -> Traffic:
        network = self.world.network
        per = len(self.chain) * self.world.scenario.nodes
        messages, payload = sum(network.messages), sum(network.bytes)
        return Traffic(
            messages=messages,
            bytes=payload,
            wire_bytes=network.wire_bytes,
            messages_per_node_block=round(messages / per, 2) if per else None,
            bytes_per_node_block=round(payload / per, 1) if per else None,
            by_kind=[
                KindTraffic(kind=name, messages=network.messages[kind], bytes=network.bytes[kind])
                for kind, name in sorted((MESSAGE_NAMES | REPLICA_NAMES).items())
                if kind in MESSAGE_NAMES or network.messages[kind]
                if network.messages[kind]
            ],
        )

    def _speed(self, wall_seconds: float) -> Speed:
        events, delivered = self.world.clock.events, self.world.network.deliveries
        return Speed(
            wall_seconds=round(wall_seconds, 3),
            events=events,
            events_per_second=round(events / max(wall_seconds, 1e-9)),
            delivered=delivered,
            delivered_per_second=round(delivered / max(wall_seconds, 1e-9)),
        )

    def _sessions(self) -> SessionFigures:
        load, now_us = self.world.workload, self.world.clock.now_us
        accepted = len(self.session_us) + len(load.accepted)
        return SessionFigures(
            attempts=load.attempts,
            unreachable=load.attempts - load.submitted,
            submitted=load.submitted,
            refused=load.refused,
            unanswered=load.submitted - load.refused - accepted,
            accepted=accepted,
            final=len(self.session_us),
            waiting=len(load.accepted),
            most_waiting=load.most_waiting,
            final_per_second=round(len(self.session_us) / max(now_us / 1_000_000, 1e-9), 3),
            latency_ms=spread(self.session_us),
            waiting_ms=spread([now_us - attempted_us for _, attempted_us in load.accepted.values()]),
        )


def leader_shares(chain: Sequence[ChainRow], nodes: int) -> list[Share]:
    """Final blocks by the node that proposed them."""
    made = Counter(row.leader for row in chain)
    total = max(1, len(chain))
    return [
        Share(node=index, name=f"n{index:02}", blocks=made[index], ppm=made[index] * 1_000_000 // total)
        for index in range(nodes)
    ]


def _one_way_ms(world: World) -> float:
    """Median one-way latency over the ordered pairs of nodes."""
    pairs = [each for index, row in enumerate(world.base_us) for other, each in enumerate(row) if index != other]
    return (median(pairs) or 0) / 1000
