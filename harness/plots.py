"""The pictures of a run: each function draws one inline SVG, or gives "" when there is nothing to show.

Times are simulated milliseconds from the start of the run. Colors and fonts come from `palette`'s stylesheet.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

from harness import palette as p

Point = tuple[float, float]

# Pixels, as the page lays the pictures out.
_CHAIN_WIDTH, _FINALITY_WIDTH, _PROPAGATION_WIDTH, _HALF_WIDTH = 1112.0, 623.0, 433.0, 528.0

# Up to so many are drawn one by one, and linked to their parents; beyond, they are counted in bins.
SINGLE_BLOCKS, _LINKED_BLOCKS, SINGLE_POINTS = 480, 60, 600
_FAULT_LANES, _FAULT_STEP = 6, 20.0


class Block(NamedTuple):
    """One final block; `leader` is a node's index."""

    height: int
    epoch: int
    view: int
    tick_ms: float
    proposed_ms: float
    final_ms: float
    leader: int
    transactions: int


class Skip(NamedTuple):
    """A view that ended without a block."""

    epoch: int
    view: int
    at_ms: float


class Fork(NamedTuple):
    """A block that was notarized but is not in the final chain."""

    epoch: int
    view: int
    height: int
    at_ms: float


class Fault(NamedTuple):
    """What was done to whom; an instant when it ends as it starts."""

    at_ms: float
    until_ms: float
    kind: str
    what: str
    color: str = "disturbance"

    def __str__(self) -> str:
        return f"{self.kind} {self.what}".strip()


@dataclass
class ChainPicture:
    """The chain as it grew: height and views, who led which block, skipped views, forks and faults over one time axis.

    Blocks come in the order of their proposals, the rest by time; `names` holds a name for each node, by index.
    Bands are drawn from the top down. Marks that can be pointed at are kept apart, to lie above everything else.
    """

    blocks: list[Block]
    skips: list[Skip]
    forks: list[Fork]
    faults: list[Fault]
    names: list[str]
    end_ms: float

    left, right, raster_top = 104.0, _CHAIN_WIDTH - 6, 148.0

    def __post_init__(self) -> None:
        self.x = p.Scale(0, max(self.end_ms, 1), self.left, self.right)
        self.row_height = max(16.0 if len(self.names) <= 12 else min(12.0, 420 / len(self.names)), 0.5)
        self.raster_bottom = self.raster_top + self.row_height * max(1, len(self.names))
        self.shapes: list[str] = []
        self.marks: list[str] = []

    def draw(self) -> str:
        if not (self.blocks or self.skips or self.forks or self.faults):
            return ""
        lanes = self._fault_lanes()
        bottom = self.raster_bottom + 68 + _FAULT_STEP * max(1, len(lanes))
        self.shapes += p.time_axis(self.x, 22, bottom, 12)
        self._shade_faults()
        self._epochs()
        self._growth(28, 128)
        self._raster()
        skips = [(s.at_ms, f"Epoch {s.epoch}, view {s.view}: skipped") for s in self.skips]
        forks = [(f.at_ms, f"Epoch {f.epoch}, view {f.view}: block {f.height}, never final") for f in self.forks]
        self._lane(self.raster_bottom + 12, "skipped views", skips, "skip")
        self._lane(self.raster_bottom + 36, "forked blocks", forks, "fork")
        self._faults(self.raster_bottom + 64, lanes)
        return p.drawing("chain", _CHAIN_WIDTH, bottom + 24, self.shapes + self.marks)

    def _epochs(self) -> None:
        """A dashed edge where an epoch begins, and as many labels as fit."""
        starts: dict[int, float] = {}
        for block in self.blocks:
            starts.setdefault(block.epoch, block.proposed_ms if starts else 0)
        each = (self.right - self.left) / max(1, len(starts))
        for index, (epoch, at_ms) in enumerate(starts.items()):
            if index and each >= 5:
                self.shapes.append(p.line(self.x(at_ms), 6, self.x(at_ms), self.raster_bottom, "edge"))
            if index % math.ceil(80 / each) == 0 and self.x(at_ms) + 70 < self.right:
                self.shapes.append(p.text(self.x(at_ms) + 5, 15, f"epoch {epoch}", "strong"))

    def _growth(self, top: float, bottom: float) -> None:
        """Final height as stairs over time; dashed above it, the views it took where some were skipped."""
        finals = _rising([(block.final_ms, block.height) for block in self.blocks])
        views = _rising(self._views()) if self.skips else []
        y = p.Scale(0, max([1, *(value for _, value in finals + views)]), bottom, top)
        ticks = [tick for tick in y.ticks(4) if tick == int(tick)]
        self.shapes += p.grid_across(y, ticks, self.left, self.right, p.count)
        self.shapes.append(p.text(0, top + 4, "height", "strong"))
        if views:
            self.shapes.append(p.path(p.polyline(self._thin(views, y), stairs=True), "second"))
        if finals:
            stairs = p.polyline(self._thin(finals, y), stairs=True)
            self.shapes += [p.path(f"{stairs}V{bottom}H{self.left}Z", "area"), p.path(stairs, "trend")]

    def _views(self) -> list[Point]:
        """Views used since the start, by a block or by a skip, counted on over the epochs."""
        used = [(block.proposed_ms, block.epoch, block.view) for block in self.blocks]
        used += [(skip.at_ms, skip.epoch, skip.view) for skip in self.skips]
        lengths: dict[int, int] = defaultdict(int)
        for _, epoch, view in used:
            lengths[epoch] = max(lengths[epoch], view)
        epochs = sorted(lengths)
        before = dict(zip(epochs, accumulate((lengths[epoch] for epoch in epochs), initial=0), strict=False))
        return [(at_ms, before[epoch] + view) for at_ms, epoch, view in used]

    def _thin(self, points: list[Point], y: p.Scale) -> list[Point]:
        """One point for each column of pixels, its last, from the origin to the end of the run."""
        columns = {round(self.x(at_ms)): y(value) for at_ms, value in points}
        return [(self.left, y(0)), *columns.items(), (self.right, y(points[-1][1]))]

    def _row(self, node: int) -> float:
        return self.raster_top + self.row_height * node

    def _raster(self) -> None:
        """A row for each node: the blocks it led."""
        every = math.ceil(13 / self.row_height)
        self.shapes.append(p.text(0, self.raster_top - 6, "leader", "strong"))
        for node, name in enumerate(self.names):
            middle = self._row(node) + self.row_height / 2
            if node % every == 0:
                self.shapes.append(p.text(self.left - 8, middle + 4, p.shorten(name, 13), "end"))
            if self.row_height >= 10:
                self.shapes.append(p.line(self.left, middle, self.right, middle, "gridline"))
        if len(self.blocks) <= SINGLE_BLOCKS:
            self._single_blocks()
        else:
            self._binned_blocks(3.0)

    def _single_blocks(self) -> None:
        """Every block a mark in its leader's row, linked to its parent and numbered where there is room."""
        gap = (self.right - self.left) / max(1, len(self.blocks))
        width, height = min(34.0, max(1.8, gap * 0.62)), min(14.0, max(1.5, self.row_height * 0.75))
        places = [
            (min(self.x(block.proposed_ms), self.right - width / 2), self._row(block.leader) + self.row_height / 2)
            for block in self.blocks
        ]
        if len(self.blocks) <= _LINKED_BLOCKS:
            self._links(places)
        edges = [self.left, *((a + b) / 2 for (a, _), (b, _) in pairwise(places)), self.right]
        for block, (x, y), (start, end) in zip(self.blocks, places, pairwise(edges), strict=False):
            kind = "tx" if block.transactions else "blank"
            self.shapes.append(p.rect(x - width / 2, y - height / 2, width, height, kind, radius=min(3, width / 3)))
            if width >= 9 + 7 * len(str(block.height)) and height >= 11:
                self.shapes.append(p.text(x, y + 4, block.height, f"in{kind} mid"))
            self._hit(start, end, self._describe(block))

    def _links(self, places: list[Point]) -> None:
        """Lines from each block to the next, and from the parent of a forked block to its tick below."""
        if places:
            self.shapes.append(p.path(p.polyline(places), "link"))
        place_of = {block.height: place for block, place in zip(self.blocks, places, strict=True)}
        for fork in self.forks:
            x, y = place_of.get(fork.height - 1, (self.left, self.raster_top))
            self.shapes.append(p.line(x, y, self.x(fork.at_ms), self.raster_bottom + 38, "forklink"))

    def _describe(self, block: Block) -> str:
        return (
            f"Block {p.count(block.height)}, transactions: {p.count(block.transactions)}\n"
            f"epoch {block.epoch}, view {block.view}, led by {p.shorten(self.names[block.leader], 40)}\n"
            f"proposed at {p.moment(block.proposed_ms)}, "
            f"{p.duration(block.proposed_ms - block.tick_ms)} after its tick\n"
            f"final {p.duration(block.final_ms - block.proposed_ms)} later"
        )

    def _binned_blocks(self, width: float) -> None:
        """A cell for each node and `width` pixels of time, the darker the more of that column's blocks it led."""
        columns: dict[int, list[Block]] = defaultdict(list)
        for block in self.blocks:
            columns[int((self.x(block.proposed_ms) - self.left) / width)].append(block)
        cells: dict[int, list[str]] = defaultdict(list)
        usual = sorted(map(len, columns.values()))[len(columns) // 2]
        height = p.pixel(self.row_height * (0.8 if self.row_height > 3 else 1))
        for column, blocks in columns.items():
            left = self.left + column * width
            led = Counter(block.leader for block in blocks)
            for leader, blocks_led in led.items():
                corner = f"M{p.pixel(left)} {p.pixel(self._row(leader) + self.row_height * 0.1)}"
                cells[min(4, math.ceil(4 * blocks_led / usual))].append(f"{corner}h{width}v{height}h-{width}z")
            some = ", ".join(p.shorten(self.names[leader], 24) for leader in list(led)[:6])
            named = some + (f" and {len(led) - 6} more" if len(led) > 6 else "")
            heights = f"{p.count(blocks[0].height)} to {p.count(blocks[-1].height)}"
            self._hit(left, left + width, f"Blocks {heights}, from {p.moment(blocks[0].proposed_ms)}\nled by {named}")
        self.shapes += [p.path("".join(found), f"heat{level}") for level, found in sorted(cells.items())]

    def _hit(self, left: float, right: float, tip: str) -> None:
        self.marks.append(p.rect(left, 22, right - left, self.raster_bottom - 22, "hit", tip=tip))

    def _lane(self, top: float, label: str, events: list[tuple[float, str]], kind: str) -> None:
        """A strip of ticks; where several fall into one, it is the taller the more they are."""
        self.shapes.append(p.rect(self.left, top, self.right - self.left, 18, "lane", radius=3))
        self.shapes.append(p.text(self.left - 8, top + 13, label, "end strong"))
        if not events:
            self.shapes.append(p.text(self.left + 8, top + 13, "none"))
        width = 3.0 if len(events) <= 200 else 2.0
        bins: dict[int, list[tuple[float, str]]] = defaultdict(list)
        for at_ms, words in events:
            bins[int((self.x(at_ms) - self.left) / width)].append((at_ms, words))
        fullest = max(map(len, bins.values()), default=1)
        for column, found in bins.items():
            height = 18 * max(0.35, len(found) / fullest)
            first, more = found[0], f", and {len(found) - 1} more" if len(found) > 1 else ""
            left = min(self.left + column * width, self.right - width)
            tip = f"{first[1]}\nat {p.moment(first[0])}{more}"
            self.marks.append(p.rect(left, top + 18 - height, width, height, kind, tip=tip))

    def _fault_lanes(self) -> list[list[Fault]]:
        """Faults packed so that neither bars nor labels overlap; those that do not fit are left to the table."""
        lanes: list[list[Fault]] = []
        taken: list[float] = []
        for fault in self.faults:
            width = 7.5 * len(self._label(fault)) + 10
            start = min(self.x(fault.at_ms), self.right - width)
            lane = next((index for index, until in enumerate(taken) if until <= start), len(lanes))
            if lane == _FAULT_LANES:
                continue
            if lane == len(lanes):
                lanes.append([])
                taken.append(0)
            lanes[lane].append(fault)
            taken[lane] = max(self.x(fault.until_ms) + 3, start + width)
        return lanes

    def _faults(self, top: float, lanes: list[list[Fault]]) -> None:
        self.shapes.append(p.text(self.left - 8, top + 11, "faults", "end strong"))
        if not lanes:
            self.shapes.append(p.text(self.left + 8, top + 11, "none"))
        for y, lane in zip((top + _FAULT_STEP * index for index in range(len(lanes))), lanes, strict=True):
            for fault in lane:
                start, end = self.x(fault.at_ms), self.x(fault.until_ms)
                until = f" until {p.moment(fault.until_ms)}" if fault.until_ms > fault.at_ms else ""
                tip = f"{p.shorten(fault, 200)}\nfrom {p.moment(fault.at_ms)}{until}"
                self.marks.append(p.rect(start, y, max(4.0, end - start), 5, fault.color, tip=tip, radius=2))
                label = self._label(fault)
                fits = start + 7.5 * len(label) < self.right
                self.shapes.append(p.text(start if fits else self.right, y + 16, label, "" if fits else "end"))

    def _label(self, fault: Fault) -> str:
        """As long as the bar that it names, where that is long."""
        return p.shorten(fault, max(18, int((self.x(fault.until_ms) - self.x(fault.at_ms)) / 7.5)))

    def _shade_faults(self) -> None:
        """A fault of named nodes shades their rows, any other the whole height; those of one color merge."""
        node_of = {name: node for node, name in enumerate(self.names)}
        spans: dict[tuple[str, float, float], list[Point]] = defaultdict(list)
        for fault in self.faults:
            words = [fault.what, *re.split(r"[\s,;|/]+", fault.what)] if fault.color != "partition" else []
            struck = sorted({node_of[word] for word in words if word in node_of})
            rows = [(f"{fault.color} row", self._row(node), self.row_height) for node in struck]
            for place in rows or [(f"{fault.color} shade", 22.0, self.raster_bottom - 22)]:
                spans[place].append((self.x(fault.at_ms), self.x(fault.until_ms)))
        for (kind, top, height), found in spans.items():
            self.shapes += [p.rect(start, top, end - start, height, kind) for start, end in _merged(found)]


def _bands(faults: Sequence[Fault], x: p.Scale, top: float, height: float) -> list[str]:
    """A band over the whole height while faults are on; those of one color merge."""
    spans: dict[str, list[Point]] = defaultdict(list)
    for fault in faults:
        spans[fault.color].append((x(fault.at_ms), x(fault.until_ms)))
    return [
        p.rect(start, top, end - start, height, f"{color} shade")
        for color, found in spans.items()
        for start, end in _merged(found)
    ]


def _merged(spans: list[Point]) -> list[Point]:
    """The same stretch as disjoint spans, ascending; an instant is not a stretch."""
    merged: list[Point] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged


def _rising(points: list[Point]) -> list[Point]:
    """The points by time, each value at least the one before."""
    points = sorted(points)
    return list(zip((at for at, _ in points), accumulate((value for _, value in points), max), strict=True))


def finality(points: list[Point], best: list[Point], end_ms: float, faults: Sequence[Fault] = ()) -> str:
    """Latency over time, (at ms, latency ms), against the `best` at the same times, shaded while faults are on.

    Shown are points, or the spread in bins when they are many.
    """
    if not points:
        return ""
    left, right, top, bottom = 62.0, _FINALITY_WIDTH - 6, 20.0, 232.0
    values = sorted(value for _, value in points + best if value > 0) or [1e-3]
    least, most = min(values), max(*values, 1e-3)
    log = least > 0 and most > 8 * values[(len(values) - 1) // 2]
    y = p.Scale(least * 0.8 if log else 0, most * (1.3 if log else 1.06), bottom, top, log)
    x = p.Scale(0, max(end_ms, 1), left, right)
    shapes = _bands(faults, x, top, bottom - top)
    shapes += p.grid_across(y, y.ticks(5), left, right, p.seconds) + p.time_axis(x, top, bottom, 6)
    shapes.append(p.text(0, 10, "latency, logarithmic" if log else "latency", "strong"))
    if len(points) > SINGLE_POINTS:
        shapes += _spread(points, x, y)
    else:
        size = 4 if len(points) < 80 else 2.6
        for at, ms in points:
            shapes.append(p.circle(x(at), y(ms), size, "point", tip=f"{p.duration(ms)}\nat {p.moment(at)}"))
    guide = _medians(best, x)
    if any(ms for _, ms in guide):
        shapes.append(p.path(p.polyline([(at, y(ms)) for at, ms in guide]), "guide"))
        shapes += p.guide_key(right, "the leader's quorum path")
    return p.drawing("finality", _FINALITY_WIDTH, bottom + 24, shapes)


def _medians(points: list[Point], x: p.Scale, step: float = 6.0) -> list[Point]:
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


def _spread(points: list[Point], x: p.Scale, y: p.Scale, step: float = 6.0) -> list[str]:
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
        peaks.append(p.circle(middle, y(found[-1]), 1.7, "peak"))
        at_ms = x.lo + (middle - x.start) / (x.end - x.start) * (x.hi - x.lo)
        figures = f"p50 {p.duration(half)}\np90 {p.duration(ninety)}\nlargest {p.duration(found[-1])}"
        tip = f"{figures}\n{p.count(len(found))} figures around {p.moment(at_ms)[:-4]}"
        hits.append(p.rect(middle - step / 2, y.end, step, y.start - y.end, "hit", tip=tip))
    bands = [p.path(p.polyline(high + low[::-1]) + "Z", "band") for low, high in runs]
    return bands + peaks + [p.path(p.polyline(low), "trend") for low, _ in runs] + hits


def propagation(points: list[Point], percentiles: dict[str, float]) -> str:
    """The part of deliveries, 0 to 1, that took at most so many ms; a log axis when the times span a factor over 20.

    `percentiles` are marked on the curve: "p90" at 0.9.
    """
    if not points:
        return ""
    left, right, top, bottom = 48.0, _PROPAGATION_WIDTH - 10, 20.0, 232.0
    least, most = min((ms for ms, _ in points if ms > 0), default=1.0), max(1e-3, points[-1][0])
    log = most > 20 * least
    x = p.Scale(least if log else 0, most if log else most * 1.02, left, right, log)
    y = p.Scale(0, 1, bottom, top)
    shapes = p.grid_across(y, [0, 0.25, 0.5, 0.75, 1], left, right, lambda part: f"{part:.0%}")
    shapes += p.grid_down(x, x.ticks(5), top, bottom, p.duration)
    shapes.append(p.text(0, 10, "deliveries", "strong"))
    thin = [points[round(i * (len(points) - 1) / 299)] for i in range(300)] if len(points) > 300 else points
    curve = p.polyline([(x(thin[0][0]), y(0)), *((x(ms), y(part)) for ms, part in thin)])
    shapes += [p.path(f"{curve}V{bottom}Z", "area"), p.path(curve, "trend")]
    for name, ms in percentiles.items():
        at, level, words = x(ms), y(int(name[1:]) / 100), f"{name} {p.duration(ms)}"
        shapes.append(p.circle(at, level, 4.5, "ring"))
        # There is room to the right below the curve, to the left above it, and for the uppermost mark above them all.
        if name == "p99":
            shapes.append(p.text(min(right, at + 36), 10, words, "strong end"))
        elif at + 12 + 7.5 * len(words) < right:
            shapes.append(p.text(at + 8, level + 17, words, "strong"))
        else:
            shapes.append(p.text(at - 9, level + 4, words, "strong end"))
    return p.drawing("propagation", _PROPAGATION_WIDTH, bottom + 24, shapes)


def leaders(shares: list[tuple[str, float, float]]) -> str:
    """The part of the final blocks that each node led, against the fair share: (name, blocks, ppm) by node."""
    if not any(blocks for _, blocks, _ in shares):
        return ""
    left, right, top, bottom = 48.0, _HALF_WIDTH - 6, 20.0, 214.0
    fair, each = 1e6 / len(shares), (right - left) / len(shares)
    y = p.Scale(0, max(fair, *(ppm for _, _, ppm in shares)) * 1.12, bottom, top)
    shapes = p.grid_across(y, y.ticks(4), left, right, lambda ppm: f"{p.decimal(ppm / 1e4)}%")
    shapes.append(p.text(0, 10, "of final blocks", "strong"))
    bar, every = min(56.0, each * 0.8), math.ceil(26 / each)
    for index, (name, blocks, ppm) in enumerate(shares):
        middle = left + each * (index + 0.5)
        if ppm > 0:
            shapes.append(p.rect(middle - bar / 2, y(ppm), bar, bottom - y(ppm), "bar", radius=min(3, bar / 4)))
        tip = f"{p.shorten(name, 40)}: {p.count(blocks)} blocks, {p.decimal(ppm / 1e4)}%"
        shapes.append(p.rect(middle - each / 2, top, each, bottom - top, "hit", tip=tip))
        if index % every == 0:
            shapes.append(p.text(middle, bottom + 16, p.shorten(name, max(3, int(each * every / 7.5))), "mid"))
    shapes += [p.line(left, bottom, right, bottom, "axis"), p.line(left, y(fair), right, y(fair), "guide")]
    shapes += p.guide_key(right, f"fair share: {p.decimal(fair / 1e4)}%")
    return p.drawing("leaders", _HALF_WIDTH, bottom + 26, shapes)


def traffic(kinds: list[tuple[str, float, float]]) -> str:
    """Messages and bytes side by side, a row for each (kind, messages, bytes); the least of many are added up."""
    kinds = sorted(kinds, key=lambda kind: (-kind[2], -kind[1], kind[0]))
    if len(kinds) > 13:
        rest = kinds[12:]
        kinds[12:] = [(f"{len(rest)} others", sum(row[1] for row in rest), sum(row[2] for row in rest))]
    if not kinds:
        return ""
    label, top, step, shapes = 132.0, 26.0, 26.0 if len(kinds) > 6 else 30.0, []
    room = (_HALF_WIDTH - label) / 2
    columns = (("messages", p.count, [row[1] for row in kinds]), ("bytes", p.size, [row[2] for row in kinds]))
    for left, (title, spell, figures) in zip((label, label + room), columns, strict=True):
        longest = room - 14 - 7.2 * max(len(spell(figure)) for figure in figures)
        shapes.append(p.text(left, 12, f"{title}: {spell(sum(figures))}", "strong"))
        for index, figure in enumerate(figures):
            middle, bar = top + step * (index + 0.5), max(1.5, longest * figure / max(1, *figures))
            part = f"{p.decimal(100 * figure / max(1, sum(figures)))}% of {title}"
            tip = f"{p.shorten(kinds[index][0], 60)}: {spell(figure)}, {part}"
            shapes.append(p.rect(left, middle - 6, bar, 12, "bar", tip=tip, radius=2))
            shapes.append(p.text(left + bar + 6, middle + 4, spell(figure)))
    for index, (name, *_) in enumerate(kinds):
        words = p.shorten(name.replace("_", " "), 17)
        shapes.append(p.text(label - 10, top + step * (index + 0.5) + 4, words, "end"))
    return p.drawing("traffic", _HALF_WIDTH, top + step * len(kinds) + 6, shapes)
