"""What a simulated run came to, as a table for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.result import RunResult
    from sim.samples import Spread


def print_summary(result: RunResult, folder: Path) -> None:
    """Print it, and where the run's folder is."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from harness.verdict import RunVerdict

    color = {RunVerdict.PASS: "green", RunVerdict.DIVERGED: "red"}.get(result.verdict, "yellow")
    table = Table(title=Text(f"{result.scenario}: {nodes_text(result.nodes)}, seed {result.seed}"), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("verdict", Text(result.verdict.replace("_", " "), f"bold {color}"))
    for name, text in summary_rows(result):
        table.add_row(name, Text(text))
    Console().print(table)
    # Outside the table, so that each can be copied whole.
    print(f"trace hash  {result.trace_hash}\nstate root  {result.state_root}\nreport      {folder}/report.html")


def summary_rows(result: RunResult) -> list[tuple[str, str]]:
    """The figures of a run as (name, text)."""
    return [*_chain_rows(result), *_cost_rows(result)]


def _chain_rows(result: RunResult) -> list[tuple[str, str]]:
    """What the chain did, and how fast."""
    blocks, interval, halts = result.blocks, result.interval_ms, result.halts
    ratio, best = result.finality_ratio, result.finality_at_best_ms
    return [
        ("simulated", f"{result.duration_ms / 1000:,.0f} s in {result.speed.wall_seconds:.1f} s"),
        (
            "blocks",
            f"{blocks.final} final, height {blocks.height}, {blocks.forked} forked, epoch {blocks.epoch}",
        ),
        ("finality", spread_text(result.finality_ms)),
        (
            "finality ratio",
            "-" if ratio is None else f"{ratio:.3f} of the leader's quorum path (p50 {_ms(best.p50)})",
        ),
        ("tick to finality", spread_text(halts.wait_ms)),
        (
            "longest halt",
            f"{halts.longest_ms / 1000:,.1f} s without a new final block, from {halts.longest_at_ms / 1000:,.1f} s",
        ),
        ("block interval", f"mean {_ms(interval.mean)}, deviation {_ms(interval.deviation)}"),
        ("propagation", spread_text(result.propagation_ms)),
        ("missed views", f"{result.missed_views}, {result.timeouts} timeouts at nodes"),
    ]


def _cost_rows(result: RunResult) -> list[tuple[str, str]]:
    """Who led, whom it served, and at what cost."""
    leaders, sessions, speed = result.leaders, result.sessions, result.speed
    traffic, waits = result.traffic, result.waits
    largest = sorted(leaders.shares, key=lambda each: -each.blocks)[:3]
    failed = sessions.unreachable + sessions.refused + sessions.unanswered
    return [
        (
            "leaders",
            f"Gini {leaders.gini:.3f} ({leaders.gini_floor:.3f} if its {leaders.slots} slots were even); "
            + ", ".join(f"{each.name} {each.ppm / 10_000:.1f} %" for each in largest),
        ),
        (
            "sessions",
            f"{sessions.final} of {sessions.attempts} attempts final, {sessions.waiting} waiting, "
            f"{failed} not accepted",
        ),
        ("session latency", spread_text(sessions.latency_ms)),
        (
            "traffic",
            "-"
            if traffic.messages_per_node_block is None
            else f"{traffic.messages_per_node_block:,.1f} messages and {traffic.bytes_per_node_block:,.0f} bytes "
            "per node per block",
        ),
        (
            "waits",
            "-"
            if waits.cpu_ms is None
            else f"{waits.cpu_ms:,.1f} ms for a core, {waits.disk_ms:,.1f} ms for a disk "
            f"({waits.stores:,.1f} stores) per node per block",
        ),
        (
            "speed",
            f"{speed.events_per_second:,} events/s, {speed.delivered_per_second:,} messages/s, "
            f"{speed.events:,} events in all",
        ),
    ]


def spread_text(spread: Spread) -> str:
    """A spread of latencies, without the percentiles that so few samples do not have."""
    known = {"p50": spread.p50, "p90": spread.p90, "p99": spread.p99, "max": spread.max}
    named = [f"{name} {_ms(value)}" for name, value in known.items() if value is not None]
    return ", ".join([*named, f"{spread.n:,} samples"])


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f} ms"


def nodes_text(count: int) -> str:
    return f"{count} node" if count == 1 else f"{count} nodes"
