"""The tiles of a report: the figures that runs are compared by."""

from __future__ import annotations

from harness.report import text
from harness.result import RunResult
from sim.samples import Spread


def tiles(result: RunResult) -> str:
    """The figures that runs are compared by."""
    drawn = [*_chain_tiles(result), *_session_tiles(result), *_cost_tiles(result)]
    return f'<dl class="tiles">{"".join(drawn)}</dl>'


def _chain_tiles(result: RunResult) -> list[str]:
    blocks, halts, ratio = result.blocks, result.halts, result.finality_ratio
    height = f"height {text.count(blocks.height)}, epoch {text.count(blocks.epoch)}"
    return [
        _tile("Final blocks", text.count(blocks.final), height, f"{text.count(blocks.forked)} forked off"),
        _spread_tile("Finality, p50", result.finality_ms),
        _tile(
            "Finality ratio, p50",
            text.NONE if ratio is None else f"{ratio:.2f}",
            "to the leader's quorum path",
            f"p50 {text.duration(result.finality_at_best_ms.p50)}",
        ),
        _spread_tile("Propagation, p50", result.propagation_ms),
        _tile(
            "Block interval, mean",
            text.duration(result.interval_ms.mean),
            f"deviation {text.duration(result.interval_ms.deviation)}",
        ),
        _tile("Missed views", text.count(result.missed_views), text.number_of(result.timeouts, "timeout")),
        _tile(
            "Longest halt",
            text.duration(halts.longest_ms),
            "without a new final block",
            f"from {text.moment(halts.longest_at_ms)}",
        ),
        _spread_tile("Tick to finality, p50", halts.wait_ms),
    ]


def _session_tiles(result: RunResult) -> list[str]:
    sessions = result.sessions
    failed = sessions.unreachable + sessions.refused + sessions.unanswered
    return [
        _tile(
            "Final sessions",
            text.count(sessions.final),
            f"of {text.number_of(sessions.attempts, 'attempt')}",
            f"{text.count(sessions.waiting)} waiting, {text.count(failed)} not accepted",
        ),
        _spread_tile("Session latency, p50", sessions.latency_ms),
    ]


def _cost_tiles(result: RunResult) -> list[str]:
    refusals, traffic, leaders, speed = result.refusals, result.traffic, result.leaders, result.speed
    refused = sum(refusals.values())
    codes = f"with {text.number_of(len(refusals), 'code')}" if refused else "nothing was refused"
    return [
        _tile(
            "Leader Gini",
            text.decimal(leaders.gini, 3),
            f"{text.decimal(leaders.gini_floor, 3)} if fair",
            f"in {text.number_of(leaders.slots, 'slot')}",
        ),
        _tile(
            "Traffic",
            text.size(traffic.bytes_per_node_block),
            "per node per block",
            f"{text.size(traffic.bytes)} payload",
            f"{text.size(traffic.wire_bytes)} on the wire",
        ),
        _tile(
            "Messages",
            text.decimal(traffic.messages_per_node_block, 1),
            "per node per block",
            f"{text.count(traffic.messages)} in all",
        ),
        _tile("Throughput", text.decimal(result.transactions_per_second, 2), "final transactions", "per second"),
        _tile(
            "Events per second",
            text.count(speed.events_per_second),
            "of wall time",
            f"{text.count(speed.delivered_per_second)} messages/s",
            f"{text.count(speed.events)} events",
        ),
        _tile("Refusals", text.count(refused), codes),
    ]


def _tile(label: str, big: str, *below: str) -> str:
    under = "".join(f'<dd class="sub">{words}</dd>' for words in below)
    return f'<div class="tile"><dt>{label}</dt><dd class="big">{big}</dd>{under}</div>'


def _spread_tile(label: str, found: Spread) -> str:
    """The median, and percentiles as lines, without those that the sample is too small for; last its size."""
    beyond = (("p90", found.p90), ("p99", found.p99), ("max", found.max))
    known = [f"{name} {text.duration(value)}" for name, value in beyond if value is not None]
    return _tile(label, text.duration(found.p50), *known, f"of {text.number_of(found.n, 'sample')}")
