"""The page of a saturation: latency over throughput, and a row for each load."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report import svg, text
from harness.report.document import document, heading
from harness.saturate import Load, knee

WIDTH, BOTTOM = 760.0, 300.0


def page(title: str, found: Sequence[Load], partial: bool) -> str:
    """The report: the curve of latency over throughput, and a row for each load; it needs nothing but itself."""
    ordered = sorted(found, key=lambda each: each.offered_per_s)
    top = knee(ordered)
    about = (
        "It kept up with no load that was tried."
        if top is None
        else f"It kept up with {text.decimal(top.offered_per_s, 2)} anchors a second."
    )
    if partial:
        about += " Interrupted: larger loads were not tried."
    content = heading("Lucid, a saturation", title, text.escape(about)) + _curve(ordered) + _table(ordered)
    return document(title, content)


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
    x = svg.Scale(0, max(each.final_per_s for each in ordered) * 1.05 or 1, left, right)
    y = svg.Scale(0, max(values) * 1.08, BOTTOM, top)
    shapes = svg.grid_across(y, y.ticks(5), left, right, text.duration)
    shapes += svg.grid_down(x, x.ticks(6), top, BOTTOM, lambda value: text.decimal(value, 1))
    shapes.append(svg.text(right, BOTTOM + 34, "final anchors a second", "end"))
    for (name, points), kind in zip(lines.items(), ("block", "partition"), strict=True):
        if not points:
            continue
        pixels = [(x(each.final_per_s), y(ms)) for each, ms in points]
        shapes.append(f'<path d="{svg.polyline(pixels)}" style="stroke:var(--{kind});fill:none;stroke-width:2"/>')
        for (at, height), (each, ms) in zip(pixels, points, strict=True):
            state = "kept up" if each.kept_up else "did not keep up"
            rates = f"{each.offered_per_s:g} offered, {each.final_per_s:g} final a second"
            tip = f"{name} {text.duration(ms)}\n{rates}\n{state}"
            shapes.append(svg.circle(at, height, 4, "point" if kind == "block" else kind, tip=tip))
    keys = "".join(
        f'<li><i style="background:var(--{kind})"></i>{name}</li>'
        for name, kind in zip(lines, ("block", "partition"), strict=True)
    )
    return (
        '<figure class="card wide"><h2 id="curve-title">Session latency over throughput</h2>'
        '<p class="note" id="curve-note">Each point is a run; the load grows along the curve.</p>'
        f'<ul class="legend">{keys}</ul><div class="plot">{svg.drawing("curve", WIDTH, BOTTOM + 42, shapes)}</div>'
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
            text.duration(each.latency_p50_ms),
            text.duration(each.latency_p99_ms),
            text.count(each.waiting),
            text.count(each.refused),
            each.verdict.replace("_", " "),
            "yes" if each.kept_up else "no",
        ]
        rows.append("<tr>" + "".join(f"<td>{text.escape(cell)}</td>" for cell in cells) + "</tr>")
    return (
        f'<section class="card"><h2>Loads</h2><div class="plot"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )
