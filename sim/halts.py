"""How long a chain stood still: its longest halt, its recovery after each fault, what a client would have waited."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import pairwise


class Halts:
    """Keeps when each height first became final, and when faults began and ended; times in microseconds."""

    def __init__(self) -> None:
        self.final_us = array("q")
        self._ticks = array("q")

    def on_final(self, now_us: int, tick: int) -> None:
        """A height became final for the first time; `tick` is its block's."""
        self.final_us.append(now_us)
        self._ticks.append(tick)

    def longest_us(self, end_us: int) -> tuple[int, int]:
        """(length, begin) of the longest time without a new final block, from the start to the end of the run."""
        edges = [0, *self.final_us, end_us]
        return max(((after - before, before) for before, after in pairwise(edges)), key=lambda gap: gap[0])

    def next_final_us(self, after_us: int) -> int | None:
        """How long after a moment the next height became final; None if none did."""
        place = bisect_left(self.final_us, after_us)
        return self.final_us[place] - after_us if place < len(self.final_us) else None

    def waits_us(self, interval_us: int, end_us: int) -> tuple[array[int], int]:
        """For each tick that came due: how long until a block of that tick or a later one was final.

        Every tick counts once, whether a block was made at it or not, so that a halt weighs as much as it lasted (no
        coordinated omission). The second value counts the ticks still waiting at the end; they are in the samples with
        the time that they have waited so far.
        """
        samples, waiting, place = array("q"), 0, 0
        for number in range(1, end_us // interval_us + 1):
            while place < len(self._ticks) and self._ticks[place] < number:
                place += 1
            if place < len(self._ticks):
                samples.append(max(0, self.final_us[place] - number * interval_us))
            else:
                waiting += 1
                samples.append(end_us - number * interval_us)
        return samples, waiting
