"""What a run measured: latencies, intervals, leaders, traffic; one JSON document at the end."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from lucid import __version__
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
from sim.network import PROFILES
from sim.node import Node
from sim.scenario import Fault
from sim.world import World

QUANTILES = (("p50", 500), ("p90", 900), ("p99", 990), ("max", 1000))
MAX_CDF_POINTS = 200
MESSAGE_NAMES = {kind.__struct_config__.tag: kind.__name__ for kind in Message.__args__}


class Metrics:
    """A watcher that keeps what the report needs; samples are microseconds."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.facts: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.finality_us = array("q")
        self.propagation_us = array("q")
        self.inclusion_us = array("q")
        self.finality: list[tuple[int, int]] = []
        self.chain: list[list[int]] = []
        self.skips: list[list[int]] = []
        self.faults: list[dict[str, Any]] = []
        self.height = 0
        self.epoch = 0
        self.last_final_us = 0
        self._proposed: dict[bytes, tuple[int, int]] = {}
        self._seen: dict[bytes, tuple[int, int, int, int]] = {}
        self._final: set[bytes] = set()
        self._skipped: set[tuple[int, int]] = set()
        self._up_since_us = [0] * len(world.nodes)
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

    def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
        """See `Watcher`."""
        handler = self._handlers.get(type(fact))
        if handler is not None:
            handler(now_us, node, fact)

    def on_accepted(self, now_us: int, node: Node, transaction: bytes) -> None:
        """See `Watcher`."""

    def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
        """See `Watcher`."""
        if fault.kind == "crash" and fault.node is not None and not begins:
            self._up_since_us[fault.node] = now_us
        if begins:
            self.faults.append(
                {"at_ms": fault.at_ms, "until_ms": fault.until_ms, "kind": fault.kind, "what": fault_text(fault)}
            )

    def _on_counted(self, now_us: int, node: Node, fact: TimedOut | Evicted) -> None:
        self.facts[type(fact).__name__] += 1

    def _on_caught_up(self, now_us: int, node: Node, fact: CaughtUp) -> None:
        self.facts["snapshot" if fact.snapshot else "page"] += 1

    def _on_refused(self, now_us: int, node: Node, fact: Refused) -> None:
        self.refusals[fact.code.code] += 1

    def _on_entered(self, now_us: int, node: Node, fact: EnteredView) -> None:
        left = (fact.epoch, fact.view - 1)
        if fact.skipped and left not in self._skipped:
            self._skipped.add(left)
            self.skips.append([*left, now_us // 1000])

    def _on_proposed(self, now_us: int, node: Node, fact: Proposed) -> None:
        self._proposed.setdefault(fact.hash, (now_us, node.index))

    def _on_valid(self, now_us: int, node: Node, fact: BlockValid) -> None:
        self._seen.setdefault(fact.hash, (fact.epoch, fact.view, fact.height, now_us))
        proposed = self._proposed.get(fact.hash)
        if proposed is not None and proposed[1] != node.index and fact.height > self.height:
            # What a node fetches later, to catch up, is no propagation.
            self.propagation_us.append(now_us - proposed[0])

    def _on_final(self, now_us: int, node: Node, fact: BlockFinal) -> None:
        proposed = self._proposed.get(fact.hash)
        if proposed is None:
            return
        latency_us = now_us - proposed[0]
        if proposed[0] >= self._up_since_us[node.index]:
            # What a node catches up on after a crash says nothing of how long finality takes.
            self.finality_us.append(latency_us)
        if fact.height != self.height + 1:
            return
        self.height, self.epoch = fact.height, fact.epoch
        self.last_final_us = now_us
        self.finality.append((now_us, latency_us))
        self._final.add(fact.hash)
        block = self.world.block(node, fact.hash)
        accepted = self.world.workload.accepted
        for transaction in block.transactions:
            entry = accepted.pop(transaction.id, None)
            if entry is not None:
                self.inclusion_us.append(now_us - entry[1])
        self.chain.append(
            [
                fact.height,
                fact.epoch,
                fact.view,
                block.header.tick * self.world.genesis.parameters.block_interval_ms,
                proposed[0] // 1000,
                now_us // 1000,
                self.world.index[block.header.proposer],
                len(block.transactions),
            ]
        )

    def document(self, wall_seconds: float) -> dict[str, Any]:
        """The run's figures, without verdict, invariants and hashes; times in ms of virtual time."""
        world, scenario = self.world, self.world.scenario
        network = world.network
        blocks = len(self.chain)
        per = max(1, blocks * scenario.nodes)
        intervals = [after[4] - before[4] for before, after in zip(self.chain, self.chain[1:], strict=False)]
        one_way_ms = _one_way_ms(world)
        finality = _quantiles(self.finality_us)
        finality["mean"] = round(sum(self.finality_us) / 1000 / max(1, len(self.finality_us)), 3)
        forks = [
            [epoch, view, height, at_us // 1000]
            for hash_, (epoch, view, height, at_us) in self._seen.items()
            if hash_ not in self._final and height <= self.height
        ]
        shares = leader_shares(self.chain, scenario.nodes)
        return {
            "lucid": __version__,
            "scenario": scenario.name,
            "description": scenario.description,
            "seed": scenario.seed,
            "nodes": scenario.nodes,
            "crypto": scenario.crypto,
            "profile": scenario.profile,
            "profile_about": PROFILES[scenario.profile].about,
            "duration_ms": world.clock.now_us // 1000,
            "wall_seconds": round(wall_seconds, 3),
            "chain_id": world.genesis.chain_id.hex(),
            "blocks": {"final": blocks, "height": self.height, "forked": len(forks), "epoch": self.epoch},
            "finality_ms": finality,
            "one_way_delay_ms": one_way_ms,
            "finality_ratio": round(finality["p50"] / (3 * one_way_ms), 4) if blocks and one_way_ms else None,
            "interval_ms": _mean_deviation(intervals),
            "propagation_ms": _quantiles(self.propagation_us),
            "missed_views": len(self.skips),
            "timeouts": self.facts["TimedOut"],
            "leaders": {"gini": _gini([each["blocks"] for each in shares]), "shares": shares},
            "traffic": {
                "messages": sum(network.messages),
                "bytes": sum(network.bytes),
                "messages_per_node_block": round(sum(network.messages) / per, 2),
                "bytes_per_node_block": round(sum(network.bytes) / per, 1),
                "by_kind": [
                    {"kind": MESSAGE_NAMES[kind], "messages": network.messages[kind], "bytes": network.bytes[kind]}
                    for kind in sorted(MESSAGE_NAMES)
                    if network.messages[kind]
                ],
            },
            "events": network.deliveries,
            "events_per_second": round(network.deliveries / max(wall_seconds, 1e-9)),
            "messages_per_second": round(network.deliveries / max(wall_seconds, 1e-9)),
            "sessions": {
                "submitted": world.workload.submitted,
                "refused": world.workload.refused,
                "final": len(self.inclusion_us),
                "waiting": len(world.workload.accepted),
                "latency_ms": _quantiles(self.inclusion_us),
            },
            "evicted": self.facts["Evicted"],
            "caught_up": {"pages": self.facts["page"], "snapshots": self.facts["snapshot"]},
            "refusals": dict(sorted(self.refusals.items())),
            "faults": self.faults,
            "series": {
                "chain": self.chain,
                "skips": self.skips,
                "forks": forks,
                "finality": [[at_us // 1000, round(latency_us / 1000, 3)] for at_us, latency_us in self.finality],
                "propagation_cdf": _cdf(self.propagation_us),
            },
        }


def fault_text(fault: Fault) -> str:
    """What a fault touches, for people."""
    if fault.kind == "partition":
        return " | ".join(" ".join(f"n{index:02}" for index in group) for group in fault.groups)
    if fault.kind == "loss":
        return f"{fault.percent:g} % of messages"
    offset = f" {fault.offset_ms:+} ms" if fault.kind == "clock" else ""
    return f"n{fault.node:02}{offset}"


def leader_shares(chain: Sequence[Sequence[int]], nodes: int) -> list[dict[str, Any]]:
    """Final blocks by the node that made them."""
    made = Counter(row[6] for row in chain)
    total = max(1, len(chain))
    return [
        {"node": index, "name": f"n{index:02}", "blocks": made[index], "ppm": made[index] * 1_000_000 // total}
        for index in range(nodes)
    ]


def _one_way_ms(world: World) -> float:
    """Median one-way latency over the ordered pairs of nodes."""
    pairs = sorted(each for index, row in enumerate(world.base_us) for other, each in enumerate(row) if index != other)
    return pairs[len(pairs) // 2] / 1000 if pairs else 0.0


def _quantiles(samples: Sequence[int]) -> dict[str, float]:
    """Nearest-rank quantiles in ms of samples in microseconds; zeros of none."""
    ordered = sorted(samples)
    return {
        name: ordered[max(1, -(-len(ordered) * per // 1000)) - 1] / 1000 if ordered else 0.0 for name, per in QUANTILES
    }


def _mean_deviation(values: Sequence[int]) -> dict[str, float]:
    if not values:
        return {"mean": 0.0, "deviation": 0.0}
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    return {"mean": round(mean, 3), "deviation": round(variance**0.5, 3)}


def _gini(counts: Sequence[int]) -> float:
    """Gini coefficient: 0 when all have the same, towards 1 when one has everything."""
    ordered = sorted(counts)
    total = sum(ordered)
    if not total:
        return 0.0
    weighted = sum(place * count for place, count in enumerate(ordered, 1))
    return round(2 * weighted / (len(ordered) * total) - (len(ordered) + 1) / len(ordered), 4)


def _cdf(samples: Sequence[int]) -> list[list[float]]:
    ordered = sorted(samples)
    count = len(ordered)
    places = sorted({count * step // MAX_CDF_POINTS for step in range(1, MAX_CDF_POINTS + 1)} - {0})
    return [[ordered[place - 1] / 1000, round(place / count, 5)] for place in places]
