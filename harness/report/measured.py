"""What the pictures draw of a run's result, in their order."""

from __future__ import annotations

from harness.report.faults import DrawnFault
from harness.result import RunResult


def drawn_faults(result: RunResult, end_ms: float) -> list[DrawnFault]:
    """The faults by time. One that nothing ends lasts to the end of the run."""
    return sorted(
        DrawnFault(
            at_ms=each.at_ms,
            until_ms=max(each.at_ms, end_ms if each.until_ms is None else each.until_ms),
            kind=each.kind,
            what=each.what,
            color=each.color,
        )
        for each in result.faults
    )


def end_ms_of(result: RunResult) -> float:
    """The end of the run, or what happened last should the figures disagree with each other."""
    series = result.series
    final = [*(block.final_ms for block in series.chain), *(row.final_ms for row in series.finality)]
    left = [*(skip.at_ms for skip in series.skips), *(fork.at_ms for fork in series.forks)]
    return max([result.duration_ms, *final, *left])
