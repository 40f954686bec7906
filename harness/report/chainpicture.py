"""The chain as it grew, as one picture. Times are simulated milliseconds from the start of the run."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from harness.report import svg, text
from harness.report.faults import DrawnFault, Point, merged
from harness.result import RunResult
from sim.figures import ChainRow, Fork, Skip

WIDTH = 1112.0
"""Pixels, as the page lays the picture out."""
SINGLE_BLOCKS, _LINKED_BLOCKS = 480, 60
"""Up to so many are drawn one by one, and linked to their parents; beyond, they are counted in bins."""
_FAULT_LANES, _FAULT_STEP = 6, 20.0


@dataclass
class ChainPicture:
    """The chain as it grew: height and views, who led which block, skipped views, forks and faults over one time axis.

    Blocks come in the order of their proposals, the rest by time; `names` holds a name for each node, by index.
    Bands are drawn from the top down. Marks that can be pointed at are kept apart, to lie above everything else.
    """

    blocks: list[ChainRow]
    skips: list[Skip]
    forks: list[Fork]
    faults: list[DrawnFault]
    names: list[str]
    end_ms: float

    left, right, raster_top = 104.0, WIDTH - 6, 148.0

    def __post_init__(self) -> None:
        self.x = svg.Scale(0, max(self.end_ms, 1), self.left, self.right)
        self.row_height = max(16.0 if len(self.names) <= 12 else min(12.0, 420 / len(self.names)), 0.5)
        self.raster_bottom = self.raster_top + self.row_height * max(1, len(self.names))
        self.shapes: list[str] = []
        self.marks: list[str] = []

    def draw(self) -> str:
        if not (self.blocks or self.skips or self.forks or self.faults):
            return ""
        lanes = self._fault_lanes()
        bottom = self.raster_bottom + 68 + _FAULT_STEP * max(1, len(lanes))
        self.shapes += svg.time_axis(self.x, 22, bottom, 12)
        self._shade_faults()
        self._epochs()
        self._growth(28, 128)
        self._raster()
        skips = [(s.at_ms, f"Epoch {s.epoch}, view {s.view}: skipped") for s in self.skips]
        forks = [(f.at_ms, f"Epoch {f.epoch}, view {f.view}: block {f.height}, never final") for f in self.forks]
        self._lane(self.raster_bottom + 12, "skipped views", skips, "skip")
        self._lane(self.raster_bottom + 36, "forked blocks", forks, "fork")
        self._faults(self.raster_bottom + 64, lanes)
        return svg.drawing("chain", WIDTH, bottom + 24, self.shapes + self.marks)

    def _epochs(self) -> None:
        """A dashed edge where an epoch begins, and as many labels as fit."""
        starts: dict[int, float] = {}
        for block in self.blocks:
            starts.setdefault(block.epoch, block.proposed_ms if starts else 0)
        each = (self.right - self.left) / max(1, len(starts))
        for index, (epoch, at_ms) in enumerate(starts.items()):
            if index and each >= 5:
                self.shapes.append(svg.line(self.x(at_ms), 6, self.x(at_ms), self.raster_bottom, "edge"))
            if index % math.ceil(80 / each) == 0 and self.x(at_ms) + 70 < self.right:
                self.shapes.append(svg.text(self.x(at_ms) + 5, 15, f"epoch {epoch}", "strong"))

    def _growth(self, top: float, bottom: float) -> None:
        """Final height as stairs over time; dashed above it, the views it took where some were skipped."""
        finals = _rising([(block.final_ms, block.height) for block in self.blocks])
        views = _rising(self._views()) if self.skips else []
        y = svg.Scale(0, max([1, *(value for _, value in finals + views)]), bottom, top)
        ticks = [tick for tick in y.ticks(4) if tick == int(tick)]
        self.shapes += svg.grid_across(y, ticks, self.left, self.right, text.count)
        self.shapes.append(svg.text(0, top + 4, "height", "strong"))
        if views:
            self.shapes.append(svg.path(svg.polyline(self._thin(views, y), stairs=True), "second"))
        if finals:
            stairs = svg.polyline(self._thin(finals, y), stairs=True)
            self.shapes += [svg.path(f"{stairs}V{bottom}H{self.left}Z", "area"), svg.path(stairs, "trend")]

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

    def _thin(self, points: list[Point], y: svg.Scale) -> list[Point]:
        """One point for each column of pixels, its last, from the origin to the end of the run."""
        columns = {round(self.x(at_ms)): y(value) for at_ms, value in points}
        return [(self.left, y(0)), *columns.items(), (self.right, y(points[-1][1]))]

    def _row(self, node: int) -> float:
        return self.raster_top + self.row_height * node

    def _raster(self) -> None:
        """A row for each node: the blocks it led."""
        every = math.ceil(13 / self.row_height)
        self.shapes.append(svg.text(0, self.raster_top - 6, "leader", "strong"))
        for node, name in enumerate(self.names):
            middle = self._row(node) + self.row_height / 2
            if node % every == 0:
                self.shapes.append(svg.text(self.left - 8, middle + 4, text.shorten(name, 13), "end"))
            if self.row_height >= 10:
                self.shapes.append(svg.line(self.left, middle, self.right, middle, "gridline"))
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
            self.shapes.append(svg.rect(x - width / 2, y - height / 2, width, height, kind, radius=min(3, width / 3)))
            if width >= 9 + 7 * len(str(block.height)) and height >= 11:
                self.shapes.append(svg.text(x, y + 4, block.height, f"in{kind} mid"))
            self._hit(start, end, self._describe(block))

    def _links(self, places: list[Point]) -> None:
        """Lines from each block to the next, and from the parent of a forked block to its tick below."""
        if places:
            self.shapes.append(svg.path(svg.polyline(places), "link"))
        place_of = {block.height: place for block, place in zip(self.blocks, places, strict=True)}
        for fork in self.forks:
            x, y = place_of.get(fork.height - 1, (self.left, self.raster_top))
            self.shapes.append(svg.line(x, y, self.x(fork.at_ms), self.raster_bottom + 38, "forklink"))

    def _describe(self, block: ChainRow) -> str:
        return (
            f"Block {text.count(block.height)}, transactions: {text.count(block.transactions)}\n"
            f"epoch {block.epoch}, view {block.view}, led by {text.shorten(self.names[block.leader], 40)}\n"
            f"proposed at {text.moment(block.proposed_ms)}, "
            f"{text.duration(block.proposed_ms - block.tick_ms)} after its tick\n"
            f"final {text.duration(block.final_ms - block.proposed_ms)} later"
        )

    def _binned_blocks(self, width: float) -> None:
        """A cell for each node and `width` pixels of time, the darker the more of that column's blocks it led."""
        columns: dict[int, list[ChainRow]] = defaultdict(list)
        for block in self.blocks:
            columns[int((self.x(block.proposed_ms) - self.left) / width)].append(block)
        cells: dict[int, list[str]] = defaultdict(list)
        usual = sorted(map(len, columns.values()))[len(columns) // 2]
        height = svg.pixel(self.row_height * (0.8 if self.row_height > 3 else 1))
        for column, blocks in columns.items():
            left = self.left + column * width
            led = Counter(block.leader for block in blocks)
            for leader, blocks_led in led.items():
                corner = f"M{svg.pixel(left)} {svg.pixel(self._row(leader) + self.row_height * 0.1)}"
                cells[min(4, math.ceil(4 * blocks_led / usual))].append(f"{corner}h{width}v{height}h-{width}z")
            some = ", ".join(text.shorten(self.names[leader], 24) for leader in list(led)[:6])
            named = some + (f" and {len(led) - 6} more" if len(led) > 6 else "")
            heights = f"{text.count(blocks[0].height)} to {text.count(blocks[-1].height)}"
            self._hit(
                left, left + width, f"Blocks {heights}, from {text.moment(blocks[0].proposed_ms)}\nled by {named}"
            )
        self.shapes += [svg.path("".join(found), f"heat{level}") for level, found in sorted(cells.items())]

    def _hit(self, left: float, right: float, tip: str) -> None:
        self.marks.append(svg.rect(left, 22, right - left, self.raster_bottom - 22, "hit", tip=tip))

    def _lane(self, top: float, label: str, events: Sequence[tuple[float, str]], kind: str) -> None:
        """A strip of ticks; where several fall into one, it is the taller the more they are."""
        self.shapes.append(svg.rect(self.left, top, self.right - self.left, 18, "lane", radius=3))
        self.shapes.append(svg.text(self.left - 8, top + 13, label, "end strong"))
        if not events:
            self.shapes.append(svg.text(self.left + 8, top + 13, "none"))
        width = 3.0 if len(events) <= 200 else 2.0
        bins: dict[int, list[tuple[float, str]]] = defaultdict(list)
        for at_ms, words in events:
            bins[int((self.x(at_ms) - self.left) / width)].append((at_ms, words))
        fullest = max(map(len, bins.values()), default=1)
        for column, found in bins.items():
            height = 18 * max(0.35, len(found) / fullest)
            first, more = found[0], f", and {len(found) - 1} more" if len(found) > 1 else ""
            left = min(self.left + column * width, self.right - width)
            tip = f"{first[1]}\nat {text.moment(first[0])}{more}"
            self.marks.append(svg.rect(left, top + 18 - height, width, height, kind, tip=tip))

    def _fault_lanes(self) -> list[list[DrawnFault]]:
        """Faults packed so that neither bars nor labels overlap; those that do not fit are left to the table."""
        lanes: list[list[DrawnFault]] = []
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

    def _faults(self, top: float, lanes: list[list[DrawnFault]]) -> None:
        self.shapes.append(svg.text(self.left - 8, top + 11, "faults", "end strong"))
        if not lanes:
            self.shapes.append(svg.text(self.left + 8, top + 11, "none"))
        for y, lane in zip((top + _FAULT_STEP * index for index in range(len(lanes))), lanes, strict=True):
            for fault in lane:
                start, end = self.x(fault.at_ms), self.x(fault.until_ms)
                until = f" until {text.moment(fault.until_ms)}" if fault.until_ms > fault.at_ms else ""
                tip = f"{text.shorten(fault, 200)}\nfrom {text.moment(fault.at_ms)}{until}"
                self.marks.append(svg.rect(start, y, max(4.0, end - start), 5, fault.color, tip=tip, radius=2))
                label = self._label(fault)
                fits = start + 7.5 * len(label) < self.right
                self.shapes.append(svg.text(start if fits else self.right, y + 16, label, "" if fits else "end"))

    def _label(self, fault: DrawnFault) -> str:
        """As long as the bar that it names, where that is long."""
        return text.shorten(fault, max(18, int((self.x(fault.until_ms) - self.x(fault.at_ms)) / 7.5)))

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
            self.shapes += [svg.rect(start, top, end - start, height, kind) for start, end in merged(found)]


def _rising(points: list[Point]) -> list[Point]:
    """The points by time, each value at least the one before."""
    points = sorted(points)
    return list(zip((at for at, _ in points), accumulate((value for _, value in points), max), strict=True))


def end_ms_of(result: RunResult) -> float:
    """The end of the run, or what happened last should the figures disagree with each other."""
    series = result.series
    final = [*(block.final_ms for block in series.chain), *(row.final_ms for row in series.finality)]
    left = [*(skip.at_ms for skip in series.skips), *(fork.at_ms for fork in series.forks)]
    return max([result.duration_ms, *final, *left])
