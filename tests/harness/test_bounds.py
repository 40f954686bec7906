"""What faults cost while they last: on f of four nodes nothing; on more the chain may halt, and says why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from harness import run
from harness.bounds import Bounds
from harness.result import RunResult
from harness.verdict import RunVerdict
from sim.faults import KINDS
from sim.faults.fault import ByzantineFault, Fault, views_lost
from sim.scenario import Scenario
from sim.trace import Trace
from sim.world import World
from tests.runs import scenario

NODES = 4
Make = Callable[[Sequence[int]], list[Fault]]


def made(kind: str, **keys: Any) -> Fault:
    """A fault of a kind, by its keys."""
    of_kind: Any = KINDS[kind]
    fault: Fault = of_kind(**keys)
    return fault


def on_each(kind: str, **keys: Any) -> Make:
    """The fault once for each node, from half a minute on, for good."""
    return lambda nodes: [made(kind, node=node, at="30s", **keys) for node in nodes]


def parted(kind: str, **keys: Any) -> Make:
    """The nodes on one side, the others on the other."""
    return lambda nodes: [
        made(kind, groups=[list(nodes), [i for i in range(NODES) if i not in nodes]], at="30s", **keys)
    ]


DOWN = "2 of 4 honest validators down, quorum is 3"
TALK = "at most 2 of 4 honest validators can talk"
PART = "at most 2 of 4 honest validators can take part with "
ENDLESS = 10**7
HALT: dict[str, tuple[Make, str]] = {
    "boot": (on_each("boot"), f"{TALK} within the clock drift"),
    "cap": (on_each("cap", kbps=1), f"{PART}cap n02 at 1 kbit/s, cap n03 at 1 kbit/s, quorum is 3"),
    "clog": (on_each("clog"), TALK),
    "crash": (on_each("crash"), DOWN),
    "crash_at": (on_each("crash_at", effects=100, down_ms=ENDLESS), DOWN),
    "crash_machine": (on_each("crash_machine", effects=5, down_ms=ENDLESS), DOWN),
    "delay": (
        lambda nodes: [made("delay", nodes=list(nodes), at="30s", least_ms=599_000, most_ms=600_000)],
        ": delay n02 n03 599000 to 600000 ms later",
    ),
    "drift": (on_each("drift", ppm=-100_000), f"{TALK} within the clock drift"),
    "smear": (on_each("smear", offset_ms=-60_000, over_ms=20_000), f"{TALK} within the clock drift"),
    "flapping": (parted("flapping", apart_ms=60_000, joined_ms=100), TALK),
    "full": (on_each("full"), f"{PART}full n02, full n03, quorum is 3"),
    "half_synced": (on_each("half_synced", effects=50, down_ms=ENDLESS), DOWN),
    "one_way": (lambda nodes: [made("one_way", nodes=list(nodes), to=[0, 1], at="30s")], TALK),
    "partition": (parted("partition"), TALK),
    "pause": (on_each("pause"), DOWN),
    "power_cut": (
        lambda nodes: [
            made(
                "power_cut", node=0, effects=10, at="30s", back_ms=[ENDLESS if i in nodes else 1 for i in range(NODES)]
            )
        ],
        DOWN,
    ),
    "reset": (on_each("reset", every_ms=50), TALK),
    "shape": (on_each("shape", form="alone"), TALK),
    "slow_cpu": (on_each("slow_cpu", times=100_000), f"{PART}slow_cpu n02, 100000 times slower, slow_cpu n03"),
    "stall": (on_each("stall", stall_ms=600_000), ": stall n02, writes 600000 ms longer, stall n03"),
    "torn": (on_each("torn"), DOWN),
    "wipe": (on_each("wipe"), DOWN),
}
"""Kinds that halt a chain on two of four nodes for good, and what the run then says."""
GO_ON = {
    "chunk_rot": on_each("chunk_rot", percent=100),
    "clock": on_each("clock", offset_ms=30_000),
    "misdirected": on_each("misdirected"),
    "old_release": on_each("old_release"),
    "rot": on_each("rot", percent=100),
    "withhold": on_each("withhold"),
}
"""Kinds that do not."""
OF_NO_NODE = {"loss"}


def lasting(faults: list[Fault], duration: str = "3m", **keys: Any) -> RunResult:
    """A run of four nodes in which these faults last to the end."""
    return run(scenario(nodes=NODES, duration=duration, seed=7, fault=faults, **keys))


def test_every_kind_is_here() -> None:
    plain = {kind for kind, cls in KINDS.items() if not issubclass(cls, ByzantineFault)}
    assert set(HALT) | set(GO_ON) | OF_NO_NODE == plain


@pytest.mark.parametrize("kind", [*HALT, *GO_ON])
def test_what_f_nodes_suffer_halts_nothing(kind: str) -> None:
    found = lasting((HALT[kind][0] if kind in HALT else GO_ON[kind])([3]))
    assert (found.verdict, found.reason) == (RunVerdict.PASS, "") and found.blocks.final >= 15


@pytest.mark.parametrize("kind", HALT)
def test_what_more_than_f_suffer_may_halt_the_chain_and_breaks_no_invariant(kind: str) -> None:
    make, why = HALT[kind]
    found = lasting(make([2, 3]))
    assert (found.verdict, found.invariant) == (RunVerdict.NO_PROGRESS, "") and why in found.reason, found.reason
    assert found.duration_ms == 180_000, "what halts it might have ended"
    assert not any(each.broken for each in found.invariants)


@pytest.mark.parametrize("kind", GO_ON)
def test_what_more_than_f_can_suffer_and_go_on(kind: str) -> None:
    assert lasting(GO_ON[kind]([2, 3])).passed


@pytest.mark.parametrize("kind", ["boot", "cap", "clog", "full", "slow_cpu", "stall"])
def test_what_all_suffer_may_halt_the_chain_and_breaks_no_invariant(kind: str) -> None:
    found = lasting(HALT[kind][0](range(NODES)))
    assert (found.verdict, found.invariant, found.duration_ms) == (RunVerdict.NO_PROGRESS, "", 180_000)
    assert "at most 0 of 4 honest validators can" in found.reason or "stall n00" in found.reason


@pytest.mark.parametrize(("kind", "keys"), [("cap", {"kbps": 1}), ("slow_cpu", {"times": 100_000}), ("reset", {})])
def test_what_one_node_suffers_for_long_breaks_nothing(kind: str, keys: dict[str, Any]) -> None:
    one = made(kind, node=3, at="30s", until="8m", **keys)
    found = run(scenario(nodes=NODES, duration="10m", seed=11, anchor_every_ms=400, fault=[one]))
    assert (found.verdict, found.reason) == (RunVerdict.PASS, "")


def test_a_halt_of_more_than_half_a_run_does_not_pass_because_timeouts_were_doubled() -> None:
    """Clocks that drift apart: the chain stops for good after a minute, and each view lasts longer than the last."""
    ppm = {0: 100_000, 1: -100_000, 2: 100_000, 3: -100_000}
    found = lasting([made("drift", node=node, ppm=each, at="30s") for node, each in ppm.items()])
    assert (found.verdict, found.invariant) == (RunVerdict.NO_PROGRESS, "")
    assert found.reason.endswith(f"{TALK} within the clock drift, quorum is 3")


@pytest.mark.parametrize(("seconds", "verdict"), [(20, RunVerdict.PASS), (60, RunVerdict.NO_PROGRESS)])
def test_a_run_that_is_too_short_for_a_block_has_not_stood_still(seconds: int, verdict: RunVerdict) -> None:
    down = [made("crash", node=node) for node in range(NODES)]
    assert lasting(down, duration=f"{seconds}s").verdict is verdict


def test_too_many_traitors_are_called_so() -> None:
    found = lasting(on_each("selective")([2, 3]))
    assert found.reason.endswith(": only 2 of 4 validators are honest, quorum is 3") and not found.invariant


def test_what_is_over_is_not_the_whole_reason() -> None:
    """The nodes are together again, and then hear nothing in time."""
    apart = made("partition", groups=[[2, 3], [0, 1]], at="30s", until="200s")
    late = made("delay", nodes=[2, 3], at="190s", least_ms=599_000, most_ms=600_000)
    found = lasting([apart, late], duration="5m")
    assert (found.verdict, found.invariant) == (RunVerdict.NO_PROGRESS, "")
    assert f" of them {TALK}" in found.reason


def test_connections_that_end_at_each_tick_and_timeout_halt_nothing() -> None:
    """They are back half a second later, and who connects is told at once what was lost."""
    found = lasting(on_each("reset", every_ms=5_000)([2, 3]), duration="5m")
    assert found.verdict is RunVerdict.PASS and found.blocks.final >= 20


def test_late_votes_cost_views_by_the_doublings_that_outlast_them() -> None:
    assert [views_lost(ms) for ms in (0, 1, 499, 500, 1_000, 18_000)] == [0, 4, 4, 4, 8, 24]


def test_where_messages_stay_late_the_bound_counts_the_views_that_double_the_timeout() -> None:
    late = made("delay", at=0, most_ms=3_700, least_ms=0, nodes=[])
    parameters = {"block_interval_ms": 1_000, "slot_timeout_ms": 1_000, "max_clock_drift_ms": 400}
    world = World(Scenario(name="late", nodes=NODES, parameters=parameters, fault=[late]), Trace())
    world.start()
    world.run(1)
    bounds = Bounds(world)
    grown = sum(4 * (timeout_ms + 3_700) for timeout_ms in (1_000, 2_000, 4_000, 8_000))
    assert bounds.growing_ms == grown + bounds._bound_ms(0, 16_000 + 3_700)
    quiet = World(Scenario(name="quiet", nodes=NODES, parameters=parameters), Trace())
    quiet.start()
    quiet.run(1)
    assert Bounds(quiet).growing_ms == Bounds(quiet).progress_ms
