"""The tiles of a report: the figures that runs are compared by."""

from __future__ import annotations

from typing import Any

from harness.report import text
from harness.report.measured import section


def tiles(metrics: dict[str, Any]) -> str:
    """The figures that runs are compared by."""
    drawn = [*_chain_tiles(metrics), *_session_tiles(metrics), *_cost_tiles(metrics)]
    return f'<dl class="tiles">{"".join(drawn)}</dl>'


def _chain_tiles(metrics: dict[str, Any]) -> list[str]:
    blocks, interval = section(metrics, "blocks"), section(metrics, "interval_ms")
    finality, spread = section(metrics, "finality_ms"), section(metrics, "propagation_ms")
    best, halts = section(metrics, "finality_at_best_ms"), section(metrics, "halts")
    ratio, waits = text.number(metrics.get("finality_ratio")), section(halts, "wait_ms")
    height = f"height {text.count(blocks.get('height'))}, epoch {text.count(blocks.get('epoch'))}"
    return [
        _tile(
            "Final blocks", text.count(blocks.get("final")), height, f"{text.count(blocks.get('forked'))} forked off"
        ),
        _tile("Finality, p50", text.duration(finality.get("p50")), *_percentiles(finality, "p90", "p99", "max")),
        _tile(
            "Finality ratio, p50",
            text.NONE if ratio is None else f"{ratio:.2f}",
            "to the leader's quorum path",
            f"p50 {text.duration(best.get('p50'))}",
        ),
        _tile("Propagation, p50", text.duration(spread.get("p50")), *_percentiles(spread, "p90", "p99", "max")),
        _tile(
            "Block interval, mean",
            text.duration(interval.get("mean")),
            f"deviation {text.duration(interval.get('deviation'))}",
        ),
        _tile(
            "Missed views", text.count(metrics.get("missed_views")), text.number_of(metrics.get("timeouts"), "timeout")
        ),
        _tile(
            "Longest halt",
            text.duration(halts.get("longest_ms")),
            "without a new final block",
            f"from {text.moment(text.number(halts.get('longest_at_ms')) or 0)}",
        ),
        _tile("Tick to finality, p50", text.duration(waits.get("p50")), *_percentiles(waits, "p90", "p99", "max")),
    ]


def _session_tiles(metrics: dict[str, Any]) -> list[str]:
    sessions = section(metrics, "sessions")
    latency = section(sessions, "latency_ms")
    failed = sum(text.number(sessions.get(name)) or 0 for name in ("unreachable", "refused", "unanswered"))
    return [
        _tile(
            "Final sessions",
            text.count(sessions.get("final")),
            f"of {text.number_of(sessions.get('attempts'), 'attempt')}",
            f"{text.count(sessions.get('waiting'))} waiting, {text.count(failed)} not accepted",
        ),
        _tile("Session latency, p50", text.duration(latency.get("p50")), *_percentiles(latency, "p90", "p99", "max")),
    ]


def _cost_tiles(metrics: dict[str, Any]) -> list[str]:
    refusals = section(metrics, "refusals")
    traffic, leaders, speed = (section(metrics, name) for name in ("traffic", "leaders", "speed"))
    refused = sum(text.number(times) or 0 for times in refusals.values())
    codes = f"with {text.number_of(len(refusals), 'code')}" if refused else "nothing was refused"
    return [
        _tile(
            "Leader Gini",
            text.decimal(leaders.get("gini"), 3),
            f"{text.decimal(leaders.get('gini_floor'), 3)} if fair",
            f"in {text.number_of(leaders.get('slots'), 'slot')}",
        ),
        _tile(
            "Traffic",
            text.size(traffic.get("bytes_per_node_block")),
            "per node per block",
            f"{text.size(traffic.get('bytes'))} payload",
            f"{text.size(traffic.get('wire_bytes'))} on the wire",
        ),
        _tile(
            "Messages",
            text.decimal(traffic.get("messages_per_node_block"), 1),
            "per node per block",
            f"{text.count(traffic.get('messages'))} in all",
        ),
        _tile(
            "Throughput", text.decimal(metrics.get("transactions_per_second"), 2), "final transactions", "per second"
        ),
        _tile(
            "Events per second",
            text.count(speed.get("events_per_second")),
            "of wall time",
            f"{text.count(speed.get('delivered_per_second'))} messages/s",
            f"{text.count(speed.get('events'))} events",
        ),
        _tile("Refusals", text.count(refused), codes),
    ]


def _tile(label: str, big: str, *below: str) -> str:
    under = "".join(f'<dd class="sub">{words}</dd>' for words in below)
    return f'<div class="tile"><dt>{label}</dt><dd class="big">{big}</dd>{under}</div>'


def _percentiles(found: dict[str, Any], *names: str) -> list[str]:
    """Percentiles as lines, those left out that the sample is too small for; last how many samples there are."""
    known = [f"{name} {text.duration(found[name])}" for name in names if text.number(found.get(name)) is not None]
    return [*known, f"of {text.number_of(found.get('n'), 'sample')}"]
