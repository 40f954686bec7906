"""The report of a comparison: figures of two runs or sweeps before and after, with the intervals of their changes."""

from __future__ import annotations

from collections.abc import Sequence

from harness.compare import MeasureDifference
from harness.estimate import CONFIDENCE
from harness.measures import MEASURES
from harness.report import svg, text
from harness.report.curves import spell
from harness.report.document import document, heading

HEADS = ("cell", "figure", "before", "after", "change", "interval", "")
WIDTH, LINE, LEFT = 1_120.0, 22.0, 330.0
DRAWN = 40
"""Changes that are drawn, the worst; the table has all."""
WIDEST = 2.0
"""A change beyond this share either way stands at the edge of the picture, which says so."""
_BY_NAME = {measure.name: measure for measure in MEASURES}


def page(title: str, differences: Sequence[MeasureDifference], allowed: float) -> str:
    """The page of a comparison, the worst first; it needs nothing but itself."""
    worse = sum(_direction(each, allowed) == "worse" for each in differences)
    about = (
        f"{worse} of {len(differences)} figures are worse by more than {allowed:.0%}. Changes of sweeps are medians "
        f"of the differences seed by seed; bars hold the true one with {CONFIDENCE:.0%} confidence, and a question "
        "mark is where they do not tell."
    )
    content = heading("Lucid, a comparison", title, about) + _picture(differences[:DRAWN], allowed)
    return document(title, content + _table(differences, allowed), _COLORS)


def row(each: MeasureDifference, allowed: float) -> tuple[str, ...]:
    """A difference in words, in the order of `HEADS`."""
    measure = _BY_NAME[each.measure]
    interval = text.NONE
    if each.least is not None and each.most is not None:
        interval = f"{each.least:+.1%} to {each.most:+.1%}"
    before, after = spell(measure, each.before), spell(measure, each.after)
    return each.cell, each.measure, before, after, f"{each.change:+.1%}", interval, _direction(each, allowed)


def _direction(each: MeasureDifference, allowed: float) -> str:
    """Whether a figure got worse, better or neither, or that this cannot be told."""
    if not each.sure:
        return "?"
    return "worse" if each.worse_by > allowed else "better" if each.worse_by < -allowed else ""


_COLORS = "".join(
    f".c-{name}{{stroke:var(--{color});stroke-width:2}}.d-{name}{{fill:var(--{color})}}"
    for name, color in (("worse", "fork"), ("better", "block"), ("same", "skip"))
)


def _picture(differences: Sequence[MeasureDifference], allowed: float) -> str:
    """A line for each figure: the change as a point, its interval as a bar, around nothing changed."""
    if not differences:
        return ""
    ends = [abs(end) for each in differences for end in (each.change, each.least or 0, each.most or 0)]
    reach = min(WIDEST, max(allowed, *ends) * 1.05)
    bottom = 20 + LINE * len(differences)
    x = svg.Scale(-reach, reach, LEFT, WIDTH - 20)
    shapes = svg.grid_down(x, x.ticks(8), 12, bottom, lambda value: f"{value:+.0%}")
    shapes.append(svg.line(x(0), 12, x(0), bottom, "axis"))
    for number, each in enumerate(differences):
        height = 20 + LINE * (number + 0.5)
        kind = _direction(each, allowed)
        kind = kind if kind in ("worse", "better") else "same"
        shapes.append(svg.text(LEFT - 8, height + 4, text.shorten(f"{each.cell} {each.measure}".strip(), 46), "end"))
        least, most, at = (x(max(-reach, min(reach, end))) for end in _ends(each))
        shapes.append(svg.line(least, height, most, height, f"c-{kind}"))
        shapes.append(svg.circle(at, height, 4, f"d-{kind}", tip="\n".join(filter(None, row(each, allowed)))))
    drawing = svg.drawing("changes", WIDTH, bottom + 24, shapes)
    note = f"The {len(differences)} worst." if len(differences) == DRAWN else "The worst first."
    return (
        '<figure class="card"><h2 id="changes-title">Changes</h2>'
        f'<p class="note" id="changes-note">{note} Beyond {reach:.0%} a point stands at the edge.</p>'
        f'<div class="plot">{drawing}</div></figure>'
    )


def _ends(each: MeasureDifference) -> tuple[float, float, float]:
    if each.least is None or each.most is None:
        return each.change, each.change, each.change
    return each.least, each.most, each.change


def _table(differences: Sequence[MeasureDifference], allowed: float) -> str:
    head = "".join(f"<th>{text.escape(each)}</th>" for each in HEADS)
    body = "".join(
        "<tr>" + "".join(f"<td>{text.escape(cell)}</td>" for cell in row(each, allowed)) + "</tr>"
        for each in differences
    )
    return (
        f'<section class="card"><h2>Figures</h2><div class="plot"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div></section>"
    )
