"""The figures of a run, typed, from what its metrics kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import get_args

from lucid.machines.messages import Message
from lucid.machines.replicamessages import ReplicaMessage
from lucid.provenance import provenance
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
    Speed,
    Traffic,
    Waits,
)
from sim.latency import PROFILES
from sim.metrics import Metrics
from sim.samples import cumulative, gini, gini_floor, mean_deviation, median, spread
from sim.world import World

MESSAGE_NAMES = {kind.__struct_config__.tag: kind.__name__ for kind in Message.__args__}
REPLICA_NAMES = {kind.__struct_config__.tag: kind.__name__ for kind in get_args(ReplicaMessage)}
"""What data chains say to each other, where there are chunks."""


class RunSummary:
    """Sums up the metrics of one run, when it is over."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._world = metrics.world

    def figures(self, wall_seconds: float) -> Figures:
        """The run's figures; see docs/simulator.md for what each means."""
        metrics, world, scenario = self._metrics, self._world, self._world.scenario
        made, seconds = provenance(), max(world.clock.now_us / 1_000_000, 1e-9)
        forks = self._forks()
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
            blocks=BlockFigures(
                final=len(metrics.chain), height=metrics.height, forked=len(forks), epoch=metrics.epoch
            ),
            finality_ms=spread(metrics.finality_us),
            finality_at_best_ms=spread(metrics.at_best_us),
            finality_ratio=self._finality_ratio(),
            one_way_delay_ms=_one_way_ms(world),
            interval_ms=self._interval(),
            tick_to_proposal_ms=spread([1000 * (row.proposed_ms - row.tick_ms) for row in metrics.chain]),
            propagation_ms=spread(metrics.propagation_us),
            late_ms=spread(metrics.late_us),
            waits=self._waits(),
            halts=self._halts(),
            missed_views=len(metrics.skips),
            timeouts=metrics.facts["TimedOut"],
            leaders=self._leaders(),
            traffic=self._traffic(),
            speed=self._speed(wall_seconds),
            sessions=self._sessions(),
            transactions_per_second=round(sum(row.transactions for row in metrics.chain) / seconds, 3),
            evicted=metrics.facts["Evicted"],
            caught_up={"pages": metrics.facts["page"], "snapshots": metrics.facts["snapshot"]},
            refusals=dict(sorted(metrics.refusals.items())),
            faults=self._faults(),
            series=self._series(forks),
        )

    def _forks(self) -> list[Fork]:
        """Blocks that were valid somewhere, and are not those that became final at their height."""
        metrics = self._metrics
        return [
            Fork(epoch, view, height, at_us // 1000)
            for hash_, (epoch, view, height, at_us) in metrics.seen.items()
            if hash_ not in metrics.final and height <= metrics.height
        ]

    def _finality_ratio(self) -> float | None:
        pairs = zip(self._metrics.finality_us, self._metrics.at_best_us, strict=True)
        ratio = median([took / best for took, best in pairs if best])
        return None if ratio is None else round(ratio, 4)

    def _interval(self) -> Interval:
        chain = self._metrics.chain
        mean, deviation = mean_deviation([after.proposed_ms - before.proposed_ms for before, after in pairwise(chain)])
        return Interval(mean=mean, deviation=deviation)

    def _faults(self) -> list[FaultRecord]:
        return [
            FaultRecord(
                at_ms=fault.at_ms,
                until_ms=fault.until_ms,
                kind=fault.kind,
                what=fault.text(),
                lane=fault.lane,
                color=fault.color,
            )
            for _, fault, begins in self._metrics.faults
            if begins
        ]

    def _series(self, forks: list[Fork]) -> Series:
        metrics = self._metrics
        return Series(
            chain=metrics.chain,
            skips=metrics.skips,
            forks=forks,
            finality=self._finality_series(),
            propagation_cdf=[CurvePoint(ms, share) for ms, share in cumulative(metrics.propagation_us)],
        )

    def _finality_series(self) -> list[FinalityRow]:
        rows = []
        for row, hash_ in zip(self._metrics.chain, self._metrics.hashes, strict=True):
            latencies = self._metrics.final[hash_]
            if latencies:
                best = median(self._metrics.at_best(row.leader)) or 0
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
        end_us = self._world.clock.now_us
        longest_us, began_us = self._metrics.halts.longest_us(end_us)
        waits_us, waiting = self._metrics.halts.waits_us(
            self._world.genesis.parameters.block_interval_ms * 1000, end_us
        )
        recoveries = []
        for at_us, fault, begins in self._metrics.faults:
            after_us = self._metrics.halts.next_final_us(at_us)
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
        nodes, per = self._world.nodes, len(self._metrics.chain) * self._world.scenario.nodes

        def share(total: float) -> float | None:
            return round(total / per, 3) if per else None

        return Waits(
            cpu_ms=share(sum(node.cpu_wait_us for node in nodes) / 1000),
            disk_ms=share(sum(node.disk_wait_us for node in nodes) / 1000),
            stores=share(sum(node.stores for node in nodes)),
        )

    def _leaders(self) -> Leaders:
        nodes = self._world.scenario.nodes
        shares = leader_shares(self._metrics.chain, nodes)
        found = gini([each.blocks for each in shares])
        return Leaders(
            gini=found,
            # Where a view failed, a slot has blocks of two leaders, which can be more even than any dealing of slots.
            gini_floor=min(found, gini_floor(list(self._metrics.slots.values()), nodes)),
            slots=len(self._metrics.slots),
            shares=shares,
            lying_pays=self._lying_pays(shares),
        )

    def _lying_pays(self, shares: Sequence[Share]) -> float | None:
        # A twin leads by the key of the node that it is a twin of.
        liars = [each for each in shares if each.node in self._world.byzantine]
        blocks = len(self._metrics.chain)
        if not liars or not blocks:
            return None
        return round(sum(each.blocks for each in liars) / blocks * len(shares) / len(liars), 4)

    def _traffic(self) -> Traffic:
        network = self._world.network
        per = len(self._metrics.chain) * self._world.scenario.nodes
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
                if network.messages[kind]
            ],
        )

    def _speed(self, wall_seconds: float) -> Speed:
        events, delivered = self._world.clock.events, self._world.network.deliveries
        return Speed(
            wall_seconds=round(wall_seconds, 3),
            events=events,
            events_per_second=round(events / max(wall_seconds, 1e-9)),
            delivered=delivered,
            delivered_per_second=round(delivered / max(wall_seconds, 1e-9)),
        )

    def _sessions(self) -> SessionFigures:
        load, now_us = self._world.workload, self._world.clock.now_us
        accepted = len(self._metrics.session_us) + len(load.accepted)
        return SessionFigures(
            attempts=load.attempts,
            unreachable=load.attempts - load.submitted,
            submitted=load.submitted,
            refused=load.refused,
            unanswered=load.submitted - load.refused - accepted,
            accepted=accepted,
            final=len(self._metrics.session_us),
            waiting=len(load.accepted),
            most_waiting=load.most_waiting,
            final_per_second=round(len(self._metrics.session_us) / max(now_us / 1_000_000, 1e-9), 3),
            latency_ms=spread(self._metrics.session_us),
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
