"""What the pictures of a report are drawn with: SVG shapes, scales, axes and grids."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from harness.report.text import duration, escape

_ROUND_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


@dataclass(frozen=True)
class Scale:
    """Maps values lo ... hi to pixels start ... end, values beyond to the nearer end; `log` wants lo > 0."""

    lo: float
    hi: float
    start: float
    end: float
    log: bool = False

    def __post_init__(self) -> None:
        assert self.lo < self.hi and (self.lo > 0 or not self.log)

    def __call__(self, value: float) -> float:
        value = min(max(value, self.lo), self.hi)
        if self.log:
            part = math.log(value / self.lo) / math.log(self.hi / self.lo)
        else:
            part = (value - self.lo) / (self.hi - self.lo)
        return self.start + part * (self.end - self.start)

    def ticks(self, wanted: int = 5) -> list[float]:
        """About `wanted` round values within the scale, ascending."""
        if self.log:
            decades = range(math.floor(math.log10(self.lo)), math.ceil(math.log10(self.hi)) + 1)
            steps = (1, 2, 5) if len(decades) <= wanted - 1 else (1,)
            values = [step * 10.0**decade for decade in decades for step in steps]
            return [value for value in values if self.lo <= value <= self.hi]
        step = round_up((self.hi - self.lo) / wanted)
        return [step * k for k in range(math.ceil(self.lo / step), math.floor(self.hi / step + 1e-9) + 1)]

    def time_ticks(self, wanted: int) -> list[float]:
        """About `wanted` values that are round as milliseconds, seconds, minutes, hours or days."""
        least, day = (self.hi - self.lo) / wanted, 86_400_000.0
        if least < 1000:
            step = round_up(least)
        else:
            step = next((1000.0 * s for s in _ROUND_SECONDS if s * 1000 >= least), None) or day * round_up(least / day)
        return [step * k for k in range(math.ceil(self.lo / step), math.floor(self.hi / step + 1e-9) + 1)]


def round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten at or above a positive value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))


def pixel(value: float) -> str:
    """A coordinate in as few characters as a tenth of a pixel needs."""
    return f"{value:.1f}".removesuffix(".0")


def rect(x: float, y: float, width: float, height: float, kind: str, *, tip: str = "", radius: float = 0) -> str:
    corner = f' rx="{pixel(radius)}"' if radius else ""
    return (
        f'<rect class="{kind}" x="{pixel(x)}" y="{pixel(y)}" width="{pixel(max(width, 0.5))}" '
        f'height="{pixel(max(height, 0.5))}"{corner}{_tip(tip)}/>'
    )


def circle(x: float, y: float, radius: float, kind: str, *, tip: str = "") -> str:
    return f'<circle class="{kind}" cx="{pixel(x)}" cy="{pixel(y)}" r="{pixel(radius)}"{_tip(tip)}/>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return path(f"M{pixel(x1)} {pixel(y1)}L{pixel(x2)} {pixel(y2)}", kind)


def path(data: str, kind: str) -> str:
    return f'<path class="{kind}" d="{data}"/>'


def text(x: float, y: float, words: object, kind: str = "") -> str:
    return f'<text class="{kind}" x="{pixel(x)}" y="{pixel(y)}">{escape(words)}</text>'


def polyline(points: list[tuple[float, float]], stairs: bool = False) -> str:
    """Path data through pixel points; with `stairs`, level until the next point, then straight to it."""
    steps = [f"M{pixel(points[0][0])} {pixel(points[0][1])}"]
    for x, y in points[1:]:
        steps.append(f"H{pixel(x)}V{pixel(y)}" if stairs else f"L{pixel(x)} {pixel(y)}")
    return "".join(steps)


def drawing(name: str, width: float, height: float, shapes: list[str]) -> str:
    """An SVG image, named and described by the elements `name-title` and `name-note` of the page around it."""
    return (
        f'<svg viewBox="0 0 {pixel(width)} {pixel(height)}" role="img" aria-labelledby="{name}-title" '
        f'aria-describedby="{name}-note">{"".join(shapes)}</svg>'
    )


def time_axis(x: Scale, top: float, bottom: float, wanted: int) -> list[str]:
    """Vertical grid lines at round times, and their labels below `bottom`."""
    return grid_down(x, x.time_ticks(wanted), top, bottom, lambda ms: duration(ms) if ms else "0")


def grid_down(x: Scale, ticks: list[float], top: float, bottom: float, spell: Callable[[float], str]) -> list[str]:
    """A vertical grid line for each tick, and its label below; labels at the rims stay inside the picture."""
    shapes = []
    for value in ticks:
        at = x(value)
        kind = "end" if at > x.end - 24 else "" if at < x.start + 6 else "mid"
        shapes += [line(at, top, at, bottom, "gridline"), text(at, bottom + 16, spell(value), kind)]
    return shapes


def grid_across(y: Scale, ticks: list[float], left: float, right: float, spell: Callable[[float], str]) -> list[str]:
    """A horizontal grid line for each tick, and its label left of it."""
    shapes = []
    for value in ticks:
        at = y(value)
        shapes += [line(left, at, right, at, "gridline"), text(left - 8, at + 4, spell(value), "end")]
    return shapes


def guide_key(right: float, words: str) -> list[str]:
    """What the dashed line of a picture means, at its upper right."""
    return [text(right - 30, 10, words, "end"), line(right - 24, 6, right, 6, "guide")]


def _tip(words: str) -> str:
    return f' data-tip="{escape(words)}"' if words else ""
