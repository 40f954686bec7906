"""The plots of a run: each function draws one inline SVG, or gives "" when there is nothing to show.

Times are simulated milliseconds from the start of the run. Colors and fonts come from the page's stylesheet.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from harness.report import svg, text
from harness.report.faults import DrawnFault, Point, merged

_FINALITY_WIDTH, _PROPAGATION_WIDTH, _HALF_WIDTH = 623.0, 433.0, 528.0
"""Pixels, as the page lays the plots out."""
SINGLE_POINTS = 600
"""Up to so many are drawn one by one; beyond, they are counted in bins."""


def _bands(faults: Sequence[DrawnFault], x: svg.Scale, top: float, height: float) -> list[str]:
    """A band over the whole height while faults are on; those of one color merge."""
    spans: dict[str, list[Point]] = defaultdict(list)
    for fault in faults:
        spans[fault.color].append((x(fault.at_ms), x(fault.until_ms)))
    return [
        svg.rect(start, top, end - start, height, f"{color} shade")
        for color, found in spans.items()
        for start, end in merged(found)
    ]


def finality(points: list[Point], best: list[Point], end_ms: float, faults: Sequence[DrawnFault] = ()) -> str:
    """Latency over time, (at ms, latency ms), against the `best` at the same times, shaded while faults are on.

    Shown are points, or the spread in bins when they are many.
    """
    if not points:
        return ""
    left, right, top, bottom = 62.0, _FINALITY_WIDTH - 6, 20.0, 232.0
    values = sorted(value for _, value in points + best if value > 0) or [1e-3]
    least, most = min(values), max(*values, 1e-3)
    log = least > 0 and most > 8 * values[(len(values) - 1) // 2]
    y = svg.Scale(least * 0.8 if log else 0, most * (1.3 if log else 1.06), bottom, top, log)
    x = svg.Scale(0, max(end_ms, 1), left, right)
    shapes = _bands(faults, x, top, bottom - top)
    shapes += svg.grid_across(y, y.ticks(5), left, right, text.seconds) + svg.time_axis(x, top, bottom, 6)
    shapes.append(svg.text(0, 10, "latency, logarithmic" if log else "latency", "strong"))
    if len(points) > SINGLE_POINTS:
        shapes += _spread(points, x, y)
    else:
        size = 4 if len(points) < 80 else 2.6
        for at, ms in points:
            shapes.append(svg.circle(x(at), y(ms), size, "point", tip=f"{text.duration(ms)}\nat {text.moment(at)}"))
    guide = _medians(best, x)
    if any(ms for _, ms in guide):
        shapes.append(svg.path(svg.polyline([(at, y(ms)) for at, ms in guide]), "guide"))
        shapes += svg.guide_key(right, "the leader's quorum path")
    return svg.drawing("finality", _FINALITY_WIDTH, bottom + 24, shapes)


def _medians(points: list[Point], x: svg.Scale, step: float = 6.0) -> list[Point]:
    """(pixels, median) of the values in each `step` pixels of time, or each value where there are few."""
    if len(points) <= SINGLE_POINTS:
        return [(x(at_ms), value) for at_ms, value in points]
    columns: dict[int, list[float]] = defaultdict(list)
    for at_ms, value in points:
        columns[int((x(at_ms) - x.start) / step)].append(value)
    return [
        (min(x.start + (column + 0.5) * step, x.end), sorted(found)[(len(found) - 1) // 2])
        for column, found in sorted(columns.items())
    ]


def _spread(points: list[Point], x: svg.Scale, y: svg.Scale, step: float = 6.0) -> list[str]:
    """For each `step` pixels of time: the median as a line, the band from it to p90, the largest as a point."""
    columns: dict[int, list[float]] = defaultdict(list)
    for at_ms, value in points:
        columns[int((x(at_ms) - x.start) / step)].append(value)
    runs: list[tuple[list[Point], list[Point]]] = []
    peaks, hits, before = [], [], -9
    for column, found in sorted(columns.items()):
        found.sort()
        half, ninety = (found[math.ceil(part * len(found)) - 1] for part in (0.5, 0.9))
        middle = min(x.start + (column + 0.5) * step, x.end)
        # A pause longer than a bin breaks the line: nothing was final there.
        if column - before > 2:
            runs.append(([], []))
        before = column
        runs[-1][0].append((middle, y(half)))
        runs[-1][1].append((middle, y(ninety)))
        peaks.append(svg.circle(middle, y(found[-1]), 1.7, "peak"))
        at_ms = x.lo + (middle - x.start) / (x.end - x.start) * (x.hi - x.lo)
        figures = f"p50 {text.duration(half)}\np90 {text.duration(ninety)}\nlargest {text.duration(found[-1])}"
        tip = f"{figures}\n{text.count(len(found))} figures around {text.moment(at_ms)[:-4]}"
        hits.append(svg.rect(middle - step / 2, y.end, step, y.start - y.end, "hit", tip=tip))
    bands = [svg.path(svg.polyline(high + low[::-1]) + "Z", "band") for low, high in runs]
    return bands + peaks + [svg.path(svg.polyline(low), "trend") for low, _ in runs] + hits


def propagation(points: list[Point], percentiles: dict[str, float]) -> str:
    """The part of deliveries, 0 to 1, that took at most so many ms; a log axis when the times span a factor over 20.

    `percentiles` are marked on the curve: "p90" at 0.9.
    """
    if not points:
        return ""
    left, right, top, bottom = 48.0, _PROPAGATION_WIDTH - 10, 20.0, 232.0
    least, most = min((ms for ms, _ in points if ms > 0), default=1.0), max(1e-3, points[-1][0])
    log = most > 20 * least
    x = svg.Scale(least if log else 0, most if log else most * 1.02, left, right, log)
    y = svg.Scale(0, 1, bottom, top)
    shapes = svg.grid_across(y, [0, 0.25, 0.5, 0.75, 1], left, right, lambda part: f"{part:.0%}")
    shapes += svg.grid_down(x, x.ticks(5), top, bottom, text.duration)
    shapes.append(svg.text(0, 10, "deliveries", "strong"))
    thin = [points[round(i * (len(points) - 1) / 299)] for i in range(300)] if len(points) > 300 else points
    curve = svg.polyline([(x(thin[0][0]), y(0)), *((x(ms), y(part)) for ms, part in thin)])
    shapes += [svg.path(f"{curve}V{bottom}Z", "area"), svg.path(curve, "trend")]
    for name, ms in percentiles.items():
        at, level, words = x(ms), y(int(name[1:]) / 100), f"{name} {text.duration(ms)}"
        shapes.append(svg.circle(at, level, 4.5, "ring"))
        # There is room to the right below the curve, to the left above it, and for the uppermost mark above them all.
        if name == "p99":
            shapes.append(svg.text(min(right, at + 36), 10, words, "strong end"))
        elif at + 12 + 7.5 * len(words) < right:
            shapes.append(svg.text(at + 8, level + 17, words, "strong"))
        else:
            shapes.append(svg.text(at - 9, level + 4, words, "strong end"))
    return svg.drawing("propagation", _PROPAGATION_WIDTH, bottom + 24, shapes)


def leaders(shares: list[tuple[str, float, float]]) -> str:
    """The part of the final blocks that each node led, against the fair share: (name, blocks, ppm) by node."""
    if not any(blocks for _, blocks, _ in shares):
        return ""
    left, right, top, bottom = 48.0, _HALF_WIDTH - 6, 20.0, 214.0
    fair, each = 1e6 / len(shares), (right - left) / len(shares)
    y = svg.Scale(0, max(fair, *(ppm for _, _, ppm in shares)) * 1.12, bottom, top)
    shapes = svg.grid_across(y, y.ticks(4), left, right, lambda ppm: f"{text.decimal(ppm / 1e4)}%")
    shapes.append(svg.text(0, 10, "of final blocks", "strong"))
    bar, every = min(56.0, each * 0.8), math.ceil(26 / each)
    for index, (name, blocks, ppm) in enumerate(shares):
        middle = left + each * (index + 0.5)
        if ppm > 0:
            shapes.append(svg.rect(middle - bar / 2, y(ppm), bar, bottom - y(ppm), "bar", radius=min(3, bar / 4)))
        tip = f"{text.shorten(name, 40)}: {text.count(blocks)} blocks, {text.decimal(ppm / 1e4)}%"
        shapes.append(svg.rect(middle - each / 2, top, each, bottom - top, "hit", tip=tip))
        if index % every == 0:
            shapes.append(svg.text(middle, bottom + 16, text.shorten(name, max(3, int(each * every / 7.5))), "mid"))
    shapes += [svg.line(left, bottom, right, bottom, "axis"), svg.line(left, y(fair), right, y(fair), "guide")]
    shapes += svg.guide_key(right, f"fair share: {text.decimal(fair / 1e4)}%")
    return svg.drawing("leaders", _HALF_WIDTH, bottom + 26, shapes)


def traffic(kinds: list[tuple[str, int, int]]) -> str:
    """Messages and bytes side by side, a row for each (kind, messages, bytes); the least of many are added up."""
    kinds = sorted(kinds, key=lambda kind: (-kind[2], -kind[1], kind[0]))
    if len(kinds) > 13:
        rest = kinds[12:]
        kinds[12:] = [(f"{len(rest)} others", sum(row[1] for row in rest), sum(row[2] for row in rest))]
    if not kinds:
        return ""
    label, top, step, shapes = 132.0, 26.0, 26.0 if len(kinds) > 6 else 30.0, []
    room = (_HALF_WIDTH - label) / 2
    columns = (("messages", text.count, [row[1] for row in kinds]), ("bytes", text.size, [row[2] for row in kinds]))
    for left, (title, spell, figures) in zip((label, label + room), columns, strict=True):
        longest = room - 14 - 7.2 * max(len(spell(figure)) for figure in figures)
        shapes.append(svg.text(left, 12, f"{title}: {spell(sum(figures))}", "strong"))
        for index, figure in enumerate(figures):
            middle, bar = top + step * (index + 0.5), max(1.5, longest * figure / max(1, *figures))
            part = f"{text.decimal(100 * figure / max(1, sum(figures)))}% of {title}"
            tip = f"{text.shorten(kinds[index][0], 60)}: {spell(figure)}, {part}"
            shapes.append(svg.rect(left, middle - 6, bar, 12, "bar", tip=tip, radius=2))
            shapes.append(svg.text(left + bar + 6, middle + 4, spell(figure)))
    for index, (name, *_) in enumerate(kinds):
        words = text.shorten(name.replace("_", " "), 17)
        shapes.append(svg.text(label - 10, top + step * (index + 0.5) + 4, words, "end"))
    return svg.drawing("traffic", _HALF_WIDTH, top + step * len(kinds) + 6, shapes)
