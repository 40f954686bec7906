"""The report of a sweep: for each measure, its median over seeds along the first axis, with its confidence interval."""

from __future__ import annotations

from collections.abc import Sequence

from harness.estimate import CONFIDENCE, Estimate
from harness.grid import Cell
from harness.measures import MEASURES, Measure
from harness.report import svg, text
from harness.report.document import document, heading
from harness.sweep import Sweep

SERIES = ("block", "partition", "disturbance", "fork", "crash", "skip")
"""Colors of the curves in order; further ones begin again, and every mark says what it is of."""
WIDTH, BOTTOM = 560.0, 250.0


def page(title: str, sweep: Sweep) -> str:
    """The page of a sweep; it needs nothing but itself, and a sweep that was interrupted says so."""
    figures = [drawn for measure in MEASURES if (drawn := figure(measure, sweep))]
    done, waiting = len(sweep.results), len(sweep.waiting)
    missing = f" <b>{waiting} runs were not made: this is a part of the sweep.</b>" if waiting else ""
    failed = sum(not each.passed for cell in sweep.cells for each in sweep.of(cell))
    verdicts = f" {failed} did not pass." if failed else " All passed."
    about = (
        f"{done} runs: {len(sweep.cells)} cells, {len(sweep.seeds)} seeds each.{verdicts}{missing} Points are medians "
        f"over seeds; bars hold the true median with {CONFIDENCE:.0%} confidence, or as much as so few seeds allow."
    )
    content = heading("Lucid, a sweep", title, about) + "\n".join(figures) + _table(sweep)
    return document(title, content, _colors())


def figure(measure: Measure, sweep: Sweep) -> str:
    """One measure as HTML: a curve for each combination of the axes after the first; empty where no run has it."""
    first, *others = sweep.axes
    found = {cell.values: sweep.estimate(cell, measure) for cell in sweep.cells}
    known = [each for each in found.values() if each is not None]
    if not known or not any(each.high for each in known):
        return ""
    left, right, top = 66.0, WIDTH - 10, 20.0
    most = max(each.high for each in known)
    y = svg.Scale(0, most * 1.08 or 1, BOTTOM, top)
    shapes = svg.grid_across(y, y.ticks(5), left, right, lambda value: spell(measure, value))
    step = (right - left) / max(1, len(first.values))
    places = {value: left + step * (index + 0.5) for index, value in enumerate(first.values)}
    shapes += [svg.text(x, BOTTOM + 16, text.shorten(value, 12), "mid") for value, x in places.items()]
    shapes.append(svg.text(right, BOTTOM + 34, first.key, "end"))
    curves: dict[tuple[str, ...], list[tuple[str, Estimate]]] = {}
    for values, each in found.items():
        if each is not None:
            curves.setdefault(values[1:], []).append((values[0], each))
    for number, (rest, points) in enumerate(curves.items()):
        color = SERIES[number % len(SERIES)]
        named = ", ".join(f"{axis.key} {value}" for axis, value in zip(others, rest, strict=True))
        aside = (number - (len(curves) - 1) / 2) * min(7.0, step / (len(curves) + 1))
        line = [(places[value] + aside, y(each.median)) for value, each in points]
        shapes.append(svg.path(svg.polyline(line), f"c-{color}"))
        for (x, height), (value, each) in zip(line, points, strict=True):
            shapes.append(svg.line(x, y(each.low), x, y(each.high), f"c-{color}"))
            tip = f"{first.key} {value}\n{named}\n{interval_text(measure, each)}\n{each.n} seeds, {each.confidence:.0%}"
            shapes.append(svg.circle(x, height, 4, f"d-{color}", tip=tip.replace("\n\n", "\n")))
    keys = "".join(
        f'<li><i style="background:var(--{SERIES[number % len(SERIES)]})"></i>'
        + text.escape(", ".join(f"{axis.key} {value}" for axis, value in zip(others, rest, strict=True)))
        + "</li>"
        for number, rest in enumerate(curves)
    )
    name = measure.path.replace(".", "-").replace("_", "-")
    legend = f'<ul class="legend">{keys}</ul>' if others else ""
    drawing = svg.drawing(name, WIDTH, BOTTOM + 42, shapes)
    return (
        f'<figure class="card half"><h2 id="{name}-title">{text.escape(measure.name.capitalize())}</h2>'
        f'<p class="note" id="{name}-note">By {text.escape(first.key)}.</p>{legend}<div class="plot">{drawing}</div>'
        "</figure>"
    )


def spell(measure: Measure, value: float | None) -> str:
    """A measure's value with its unit."""
    if value is None:
        return text.NONE
    if measure.unit == "ms":
        return text.duration(value)
    return text.size(value) if measure.unit == "B" else f"{text.decimal(value)}{measure.unit}"


def interval_text(measure: Measure, found: Estimate | None) -> str:
    """A median with its interval."""
    if found is None:
        return text.NONE
    return f"{spell(measure, found.median)} ({spell(measure, found.low)} to {spell(measure, found.high)})"


def _colors() -> str:
    return "".join(
        f".c-{name}{{stroke:var(--{name});fill:none;stroke-width:2}}.d-{name}{{fill:var(--{name})}}" for name in SERIES
    )


def _table(sweep: Sweep) -> str:
    """Every cell with the measures that decide most often."""
    shown = [measure for measure in MEASURES if measure.name in ("finality p50", "finality p99", "longest halt")]
    heads = [*(axis.key for axis in sweep.axes), "runs", "passed", *(measure.name for measure in shown)]
    head = "".join(f"<th>{text.escape(each)}</th>" for each in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{text.escape(each)}</td>" for each in _row(cell, sweep, shown)) + "</tr>"
        for cell in sweep.cells
    )
    return (
        f'<section class="card"><h2>Cells</h2><div class="plot"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div></section>"
    )


def _row(cell: Cell, sweep: Sweep, shown: Sequence[Measure]) -> list[str]:
    results = sweep.of(cell)
    passed = sum(each.passed for each in results)
    return [
        *cell.values,
        str(len(results)),
        str(passed),
        *(interval_text(measure, sweep.estimate(cell, measure)) for measure in shown),
    ]
