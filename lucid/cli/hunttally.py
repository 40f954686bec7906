"""What a hunt has come to so far: seeds, verdicts, coverage marks, and how fast."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.hunt.record import Judged


class HuntTally:
    """What a hunt has come to so far."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.verdicts: Counter[str] = Counter()
        self.marks: Counter[str] = Counter()

    def add(self, judged: Judged) -> None:
        """Count one more seed."""
        self.verdicts[str(judged.outcome.verdict)] += 1
        self.marks.update(judged.outcome.marks.keys())

    @property
    def seconds(self) -> float:
        """Wall time so far."""
        return time.perf_counter() - self.began

    @property
    def speed(self) -> float:
        """Seeds a second."""
        return sum(self.verdicts.values()) / max(self.seconds, 1e-9)
