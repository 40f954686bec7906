"""Saturation: the same scenario under more and more load, up to the knee, and what latency costs on the way there."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Generator, Sequence

from msgspec import Struct

from harness import palette as p
from harness.run import run
from harness.verdict import RunVerdict
from sim.scenario import Scenario, changed

SLACK_BLOCKS = 2
"""What came within so many block intervals of the end may still wait without being a backlog."""
REFUSED_PERCENT = 1
"""More refused or unanswered attempts than this, and the network does not keep up."""
WIDTH, BOTTOM = 760.0, 300.0


class Load(Struct, frozen=True, kw_only=True):
    """One load: anchors a second that came and that became final, how long they took, and whether it kept up."""

    every_ms: int
    offered_per_s: float
    final_per_s: float
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    waiting: int
    refused: int
    verdict: RunVerdict
    kept_up: bool


def loads(base: Scenario, first_ms: int, bisections: int = 3) -> Generator[Load]:
    """Run a scenario with an anchor every `first_ms`, then twice as many, until it does not keep up; then in between.

    Between the largest load that was kept up with and the smallest that was not, so many more are tried.
    """
    every_ms, kept_ms = first_ms, None
    while True:
        load = measured(base, every_ms)
        yield load
        if not load.kept_up:
            break
        kept_ms = every_ms
        if every_ms == 1:
            return
        every_ms //= 2
    if kept_ms is None:
        return
    for _ in range(bisections):
        middle_ms = (kept_ms + every_ms) // 2
        if middle_ms in (kept_ms, every_ms):
            return
        load = measured(base, middle_ms)
        yield load
        if load.kept_up:
            kept_ms = middle_ms
        else:
            every_ms = middle_ms


def knee(found: Sequence[Load]) -> Load | None:
    """The largest load that was kept up with; None if there was none."""
    return max((each for each in found if each.kept_up), key=lambda each: each.offered_per_s, default=None)


def measured(base: Scenario, every_ms: int) -> Load:
    """Run a scenario under one load."""
    scenario = changed(base, anchor_every_ms=every_ms)
    result = run(scenario)
    sessions, seconds = result.sessions, max(result.duration_ms / 1000, 1e-9)
    interval_ms = scenario.parameters.get("block_interval_ms", 10_000)
    refused = sessions.refused + sessions.unanswered
    kept_up = (
        result.passed
        and sessions.waiting <= SLACK_BLOCKS * interval_ms / every_ms
        and refused * 100 <= REFUSED_PERCENT * sessions.attempts
    )
    return Load(
        every_ms=every_ms,
        offered_per_s=round(sessions.attempts / seconds, 3),
        final_per_s=sessions.final_per_second,
        latency_p50_ms=sessions.latency_ms.p50,
        latency_p99_ms=sessions.latency_ms.p99,
        waiting=sessions.waiting,
        refused=refused,
        verdict=result.verdict,
        kept_up=kept_up,
    )


def page(title: str, found: Sequence[Load], partial: bool) -> str:
    """The report: the curve of latency over throughput, and a row for each load; it needs nothing but itself."""
    ordered = sorted(found, key=lambda each: each.offered_per_s)
    top = knee(ordered)
    about = (
        "It kept up with no load that was tried."
        if top is None
        else f"It kept up with {p.decimal(top.offered_per_s, 2)} anchors a second."
    )
    if partial:
        about += " Interrupted: larger loads were not tried."
    script = base64.b64encode(hashlib.sha256(p.SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{script}'"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/><link rel="icon" href="data:,"/>'
        f"<title>{p.escape(title)}</title><style>{p.stylesheet()}</style></head>\n<body><main>\n"
        '<header class="card hero" style="--verdict:var(--pass)"><div class="top"><div class="name">'
        f'<p class="brand">Lucid, a saturation</p><h1>{p.escape(title)}</h1><p class="about">{p.escape(about)}</p>'
        f"</div></div></header>{_curve(ordered)}{_table(ordered)}"
        f'\n</main><div id="tip" aria-hidden="true" hidden="hidden"></div><script>{p.SCRIPT}</script></body></html>\n'
    )


def _curve(ordered: Sequence[Load]) -> str:
    """Median and p99 latency over throughput, in the order of the load."""
    lines = {
        "p50": [(each, each.latency_p50_ms) for each in ordered if each.latency_p50_ms is not None],
        "p99": [(each, each.latency_p99_ms) for each in ordered if each.latency_p99_ms is not None],
    }
    values = [ms for points in lines.values() for _, ms in points]
    if not values:
        return ""
    left, right, top = 70.0, WIDTH - 10, 24.0
    x = p.Scale(0, max(each.final_per_s for each in ordered) * 1.05 or 1, left, right)
    y = p.Scale(0, max(values) * 1.08, BOTTOM, top)
    shapes = p.grid_across(y, y.ticks(5), left, right, p.duration)
    shapes += p.grid_down(x, x.ticks(6), top, BOTTOM, lambda value: p.decimal(value, 1))
    shapes.append(p.text(right, BOTTOM + 34, "final anchors a second", "end"))
    for (name, points), kind in zip(lines.items(), ("block", "partition"), strict=True):
        if not points:
            continue
        pixels = [(x(each.final_per_s), y(ms)) for each, ms in points]
        shapes.append(f'<path d="{p.polyline(pixels)}" style="stroke:var(--{kind});fill:none;stroke-width:2"/>')
        for (at, height), (each, ms) in zip(pixels, points, strict=True):
            state = "kept up" if each.kept_up else "did not keep up"
            tip = (
                f"{name} {p.duration(ms)}\n{each.offered_per_s:g} offered, {each.final_per_s:g} final a second\n{state}"
            )
            shapes.append(p.circle(at, height, 4, "point" if kind == "block" else kind, tip=tip))
    keys = "".join(
        f'<li><i style="background:var(--{kind})"></i>{name}</li>'
        for name, kind in zip(lines, ("block", "partition"), strict=True)
    )
    return (
        '<figure class="card wide"><h2 id="curve-title">Session latency over throughput</h2>'
        '<p class="note" id="curve-note">Each point is a run; the load grows along the curve.</p>'
        f'<ul class="legend">{keys}</ul><div class="plot">{p.drawing("curve", WIDTH, BOTTOM + 42, shapes)}</div>'
        "</figure>"
    )


def _table(ordered: Sequence[Load]) -> str:
    heads = ("offered /s", "final /s", "latency p50", "latency p99", "waiting", "refused", "verdict", "kept up")
    head = "".join(f"<th>{each}</th>" for each in heads)
    rows = []
    for each in ordered:
        cells = [
            f"{each.offered_per_s:g}",
            f"{each.final_per_s:g}",
            p.duration(each.latency_p50_ms),
            p.duration(each.latency_p99_ms),
            p.count(each.waiting),
            p.count(each.refused),
            each.verdict.replace("_", " "),
            "yes" if each.kept_up else "no",
        ]
        rows.append("<tr>" + "".join(f"<td>{p.escape(cell)}</td>" for cell in cells) + "</tr>")
    return (
        f'<section class="card"><h2>Loads</h2><div class="plot"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )
