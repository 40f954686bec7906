"""Whether a node's blocks come when they should: the first one, and those that nothing disturbed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from harness.live.chain import height, interval_s
from harness.live.trial import NodeTrial
from smoke.check import Check
from smoke.finding import Finding, Severity

BLOCKS = 4

CADENCE = Check(
    "live.cadence",
    Severity.CRITICAL,
    "blocks come every ten seconds",
    "The chain is slower or faster than every document says.",
    "Look at the engine's timers and the machine's load.",
)


@dataclass(frozen=True)
class IntervalBounds:
    """Within what the time between two blocks must keep, as parts of the chain's interval."""

    low: float
    high: float
    deviation: float


NATIVE = IntervalBounds(0.99, 1.01, 0.05)
EMULATED = IntervalBounds(0.8, 1.2, 0.3)


def first_block(trial: NodeTrial) -> Iterator[Finding]:
    """Whether the first block is one that was due within an interval of all being healthy, by this machine's clock."""
    node, healthy = trial.node, trial.run.healthy_at
    if node.standing:
        return
    interval = interval_s(node.folder)
    while height(node) == 0 and time.time() < healthy + 4 * interval:
        time.sleep(0.1)
    seen = time.time()
    first = node.ask("manager", "/blocks/1")
    if first is None or first.status_code != 200:
        yield CADENCE.fail(f"no block came within {4 * interval:.0f} s after all four were healthy")
        return
    due = first.json()["time_ms"] / 1000 - healthy
    message = f"the first block was due {due:.1f} s after all four were healthy, and there after {seen - healthy:.1f} s"
    yield CADENCE.passed(message) if due <= interval else CADENCE.fail(f"{message}: {interval:.0f} s are allowed")


def intervals(trial: NodeTrial) -> Iterator[Finding]:
    """The times that the blocks carry which came since the last injected failure."""
    node = trial.node
    interval, bounds = interval_s(node.folder), EMULATED if node.emulated else NATIVE
    deadline = time.monotonic() + 1.5 * interval * (trial.blocks + 2)
    while True:
        response = node.ask("manager", "/blocks?limit=100")
        blocks = [] if response is None else response.json()["blocks"]
        times = [block["time_ms"] / 1000 for block in blocks if block["height"] > trial.steady_since]
        if len(times) > trial.blocks or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    # On a node that is in use, another validator that is away slows the chain too.
    severity = Severity.WARNING if node.standing else CADENCE.severity
    gaps = [later - earlier for later, earlier in pairwise(times)][: trial.blocks]
    if len(gaps) < trial.blocks:
        yield CADENCE.fail(f"{len(times)} blocks came, {trial.blocks + 1} were waited for", severity=severity)
        return
    mean, deviation = statistics.fmean(gaps), statistics.pstdev(gaps)
    low, high, most = interval * bounds.low, interval * bounds.high, interval * bounds.deviation
    message = f"{mean:.2f} s on average, deviation {deviation:.2f} s, over {len(gaps)} blocks"
    shown = f"{low:.1f} to {high:.1f} s, deviation below {most:.1f} s"
    if low <= mean <= high and deviation < most:
        yield CADENCE.passed(f"{message} (bounds: {shown})")
    else:
        yield CADENCE.fail(f"{message}, and not {shown}", severity=severity)
