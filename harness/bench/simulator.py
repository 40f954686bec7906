"""`lucid bench sim`: ratios measured in one run, against bare SimPy, bounds in time and memory, and growth.

All times are those of a core, not of a clock on the wall: other work on the machine makes them a little longer.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import simpy

from harness.bench.row import Row, Say
from harness.result import RunResult
from sim.scenario import Scenario
from sim.words import with_words

PARTS = ("speed", "finality", "growth", "hundred", "day", "week", "thousand", "question")
BARE_SHARES = {25: 0.20, 100: 0.40}
"""What a network of so many nodes is to reach of a bare SimPy broadcast."""
ROUNDS = 3
SEEDS, CORES = 20, 2
"""How the question is asked that a sweep is to answer within three minutes."""
PEER = {25: 145_000, 100: 42_000}
"""Messages/s of a JavaScript PBFT simulator without signatures, faults or checks, as measured for the issue on such a
machine; not measured in this run."""


def bench_sim(only: Sequence[str] | None, say: Say) -> list[Row]:
    """Measure the parts asked for, all by default; `say` is told what is going on."""
    measures: dict[str, Callable[[Say], list[Row]]] = {
        "speed": _speed,
        "finality": _finality,
        "growth": _growth,
        "hundred": _hundred,
        "day": _day,
        "week": _week,
        "thousand": _thousand,
        "question": _question,
    }
    return [row for part in PARTS if not only or part in only for row in measures[part](say)]


def bare_broadcast(nodes: int, seconds: float) -> float:
    """Deliveries/s of a bare SimPy broadcast: one timeout and one callback a delivery, nothing else."""
    env = simpy.Environment()
    count = 0

    def deliver(_: simpy.Event) -> None:
        nonlocal count
        count += 1

    def broadcast(_: simpy.Event | None) -> None:
        for _sender in range(nodes):
            for receiver in range(nodes - 1):
                env.timeout(100 + receiver).callbacks.append(deliver)
        env.timeout(1_000).callbacks.append(broadcast)

    broadcast(None)
    began = time.process_time()
    until = 0
    while time.process_time() - began < seconds:
        until += 10_000
        env.run(until)
    return count / (time.process_time() - began)


class BenchRun(NamedTuple):
    """A run made in a process of its own, the seconds of a core that it took, and the most memory."""

    result: RunResult
    core_s: float
    peak_mib: float

    @property
    def delivered_per_second(self) -> float:
        """Messages for each second of a core."""
        return self.result.traffic.messages / self.core_s

    @property
    def block_ms(self) -> float:
        """Milliseconds of a core for each final block."""
        return self.core_s * 1000 / self.result.blocks.final

    @property
    def block_messages(self) -> float:
        """Messages for each final block."""
        return self.result.traffic.messages / self.result.blocks.final


def measure(scenario: Scenario) -> BenchRun:
    """Run a scenario in a process of its own, invariants and trace hash on, trace file off."""
    code = (
        "import resource,sys,time,msgspec;from harness.run import run;from sim.scenario import Scenario;"
        "scenario=msgspec.json.decode(sys.argv[1],type=Scenario);"
        "began=time.process_time();result=run(scenario);took=time.process_time()-began;"
        "peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1024;"
        "print(msgspec.json.encode([result,took,peak]).decode())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, msgspec.json.encode(scenario).decode()],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"a measured run failed: {done.stderr.strip().splitlines()[-1:]}")
    found = msgspec.json.decode(done.stdout, type=BenchRun)
    if not found.result.passed:
        raise RuntimeError(f"a measured run did not pass: {found.result.reason}")
    return found


def _speed(say: Say) -> list[Row]:
    rows = []
    for nodes, duration in ((25, "20m"), (100, "2m")):
        ours, bare = [], []
        for turn in range(ROUNDS):
            say(f"speed: {nodes} nodes, round {turn + 1} of {ROUNDS}")
            bare.append(bare_broadcast(nodes, 2.0))
            ours.append(measure(Scenario(nodes=nodes, duration=duration)).delivered_per_second)
        best = max(ours)
        share = sorted(our / one for our, one in zip(ours, bare, strict=True))[ROUNDS // 2]
        wanted = BARE_SHARES[nodes]
        rows += [
            Row("speed", f"{nodes} nodes: messages/s, best of {ROUNDS}", best, "", None),
            Row("speed", f"{nodes} nodes: bare SimPy broadcast, deliveries/s, best", max(bare), "", None),
            Row(
                "speed",
                f"{nodes} nodes: share of bare SimPy, median of {ROUNDS}",
                share,
                f"at least {wanted}",
                share >= wanted,
            ),
            Row(
                "speed",
                f"{nodes} nodes: ours / JavaScript PBFT simulator ({PEER[nodes]:,}/s, not of this run)",
                best / PEER[nodes],
                "above 1",
                best > PEER[nodes],
            ),
        ]
    return rows


def _finality(say: Say) -> list[Row]:
    rows = []
    for profile in ("constant", "lan", "regions", "tor"):
        say(f"finality: {profile}")
        ratio = measure(Scenario(nodes=10, profile=profile, duration="20m")).result.finality_ratio
        assert ratio is not None, "twenty minutes have final blocks"
        bounded = profile == "constant"
        rows.append(
            Row(
                "finality",
                f"{profile}: finality / the leader's quorum path, median",
                ratio,
                "at most 1.1" if bounded else "",
                ratio <= 1.1 if bounded else None,
            )
        )
    return rows


def _growth(say: Say) -> list[Row]:
    """Time of a core per block, beside messages per block, as nodes and as the chain grow."""
    rows = []
    first: tuple[float, float] | None = None
    for nodes, blocks in ((4, 400), (10, 200), (25, 100), (50, 50), (100, 25)):
        say(f"growth: {nodes} nodes")
        found = measure(Scenario(nodes=nodes, duration=f"{blocks * 10}s"))
        cost_ms, messages = found.block_ms, found.block_messages
        first = first or (cost_ms, messages)
        growth, allowed = cost_ms / first[0], messages / first[1]
        rows += [
            Row("growth", f"{nodes} nodes: ms per block ({messages:,.0f} messages per block)", cost_ms, "", None),
            Row(
                "growth",
                f"{nodes} nodes: growth of cost per block since 4 nodes",
                growth,
                f"messages grew {allowed:,.1f}",
                growth <= allowed if nodes > 4 else None,
            ),
        ]
    shortest = 0.0
    for blocks in (100, 1_000, 10_000):
        say(f"growth: {blocks} blocks")
        found = measure(Scenario(nodes=4, duration=f"{blocks * 10 + 5}s"))
        cost_ms, messages = found.block_ms, found.block_messages
        shortest = shortest or cost_ms
        rows.append(
            Row(
                "growth",
                f"{blocks} blocks of 4 nodes: ms per block ({messages:,.1f} messages per block)",
                cost_ms,
                "" if blocks == 100 else f"at most {shortest:.3g}, as at 100",
                None if blocks == 100 else cost_ms <= shortest,
            )
        )
    return rows


def _hundred(say: Say) -> list[Row]:
    say("hundred: 100 nodes for 10 simulated minutes")
    found = measure(Scenario(nodes=100, duration="10m"))
    took, peak = found.core_s, found.peak_mib
    return [
        Row("hundred", "100 nodes for 10 simulated minutes: seconds", took, "at most 60", took <= 60),
        Row("hundred", "100 nodes for 10 simulated minutes: peak MiB", peak, "below 1024", peak < 1024),
    ]


def _day(say: Say) -> list[Row]:
    say("day: 4 nodes for 24 simulated hours, one anchor a second")
    took = measure(Scenario(nodes=4, duration="24h", anchor_every_ms=1_000)).core_s
    return [Row("day", "4 nodes for 24 simulated hours, an anchor a second: seconds", took, "at most 120", took <= 120)]


def _week(say: Say) -> list[Row]:
    say("week: 4 nodes for 7 simulated days, one anchor a second")
    found = measure(Scenario(nodes=4, duration="168h", anchor_every_ms=1_000))
    took, peak = found.core_s, found.peak_mib
    return [
        Row("week", "4 nodes for 7 simulated days: seconds", took, "at most 200", took <= 200),
        Row("week", "4 nodes for 7 simulated days: peak MiB", peak, "at most 1024", peak <= 1024),
    ]


def _thousand(say: Say) -> list[Row]:
    say("thousand: 1,000 nodes for a simulated minute")
    found = measure(Scenario(nodes=1_000, duration="1m"))
    what = "1,000 nodes for a simulated minute"
    return [
        Row("thousand", f"{what}: seconds", found.core_s, "as near to 60 as it goes", None),
        Row("thousand", f"{what}: peak MiB", found.peak_mib, "", None),
    ]


def _question(say: Say) -> list[Row]:
    """The README's question over two cores, from one run of each of its sixteen cells."""
    total = 0.0
    for nodes in (4, 10, 25, 50):
        say(f"question: {nodes} nodes")
        for loss in ("0", "5%"):
            for interval in ("2s", "10s"):
                cell = with_words(Scenario(nodes=nodes, duration="3m"), [f"loss={loss}", f"block_interval={interval}"])
                total += measure(cell).core_s
    took = total * SEEDS / CORES
    what = f"4 to 50 nodes, 0 and 5 % loss, 2 and 10 s, {SEEDS} seeds of 3 min, {CORES} cores: s"
    return [Row("question", what, took, "at most 180", took <= 180)]
