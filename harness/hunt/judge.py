"""Judges one run: safety while it is disturbed, then, in the calm, that the chain comes back (section 9)."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from harness.bounds import Bounds
from harness.durability import Durability
from harness.firstleaders import led_in_turn
from harness.hunt.duties import Duties
from harness.hunt.fetches import Fetches
from harness.hunt.hearing import Hearing
from harness.hunt.marks import Marks
from harness.hunt.promises import Promises
from harness.hunt.timeliness import Timeliness
from harness.hunt.work import Work
from harness.invariants import ANCHOR_BLOCKS, PROGRESS, Diverged, Invariants
from harness.level import catch_up_ms, final_height, honest, level
from harness.schedules import led_as
from harness.verdict import RunVerdict as RunVerdict  # noqa: PLC0414  # what a judge says comes with it
from lucid.machines.engine import Engine
from sim.cpus import CPUS
from sim.node import Node
from sim.scenario import Scenario
from sim.trace import Trace
from sim.world import World

LOOK_MS = 250
PATIENCE = 8
"""Times the bound within which a chain that comes back too late is told from one that never does."""


class SeedOutcome(NamedTuple):
    """A verdict with its reason: which invariant broke, at which simulated ms, at which height; what was reached."""

    verdict: RunVerdict
    invariant: str
    reason: str
    at_ms: int
    height: int
    trace_hash: str
    marks: dict[str, int]


class RunEnded(Exception):
    """The run is over: it has its verdict."""

    def __init__(self, verdict: RunVerdict, invariant: str, reason: str) -> None:
        super().__init__(verdict, invariant, reason)
        self.verdict = verdict
        self.invariant = invariant
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


def judge(
    scenario: Scenario, trace: Trace | None = None, prepare: Callable[[World], None] = lambda world: None
) -> SeedOutcome:
    """Run a scenario that has a calm to its verdict; `prepare` is given the world before it starts."""
    trace = Trace() if trace is None else trace
    world = World(scenario, trace)
    invariants, marks = Invariants(world), Marks(world)
    world.meters.append(Work(world).spent)
    world.taps += [Timeliness(world), Promises(world), Duties(world), Hearing(world)]
    world.watchers += [invariants, marks]
    durability = None if world.chunks is None else Durability(world)
    if durability is not None:
        world.watchers.append(durability)
        world.taps.append(Fetches(world))
    prepare(world)
    thresholds = gc.get_threshold()
    gc.set_threshold(100_000, 20, 100)
    try:
        with led_as(scenario.schedule), led_in_turn([each for fault in scenario.fault for each in fault.leading]):
            verdict, invariant, reason = _drive(world, invariants, durability)
    except Diverged as broken:
        verdict, invariant, reason = RunVerdict.DIVERGED, broken.invariant, broken.detail
    except RunEnded as found:
        verdict, invariant, reason = found.verdict, found.invariant, found.reason
    except Exception as error:
        # Most likely a rule that a machine holds itself to: as good a find as a broken invariant, and as repeatable.
        where = traceback.extract_tb(error.__traceback__)[-1]
        verdict, invariant = RunVerdict.CRASHED, f"{Path(where.filename).name}:{where.name}"
        reason = f"line {where.lineno}: {error!r}"
    finally:
        gc.set_threshold(*thresholds)
    at_ms, height = world.clock.now_us // 1000, len(invariants.heights) - 1
    return SeedOutcome(verdict, invariant, reason, at_ms, height, trace.close(), marks.reached())


def _drive(world: World, invariants: Invariants, durability: Durability | None) -> tuple[RunVerdict, str, str]:
    scenario = world.scenario
    assert scenario.calm_ms, "a hunted scenario has a calm"
    world.start()
    world.run(scenario.calm_ms)
    before, owed = len(invariants.heights), invariants.owed()
    why = ""
    allowed_ms = bound_ms(world)
    at_ms = scenario.calm_ms
    last_ms = min(scenario.duration_ms, at_ms + PATIENCE * allowed_ms)
    while at_ms < last_ms:
        at_ms = min(last_ms, at_ms + LOOK_MS)
        world.run(at_ms)
        took_ms = at_ms - scenario.calm_ms
        if took_ms > allowed_ms:
            # Not before: connections may take a while to come back.
            why = unrecoverable(world)
        if len(invariants.heights) > before and _level(world):
            invariants.check_from_scratch()
            if took_ms > allowed_ms and not why:
                return RunVerdict.LATE, PROGRESS, f"back {_after(took_ms, allowed_ms)}"
            if durability is not None:
                _restore(world, durability)
            return _settle(world, invariants, owed, allowed_ms)
        if why:
            return RunVerdict.UNRECOVERABLE, "", why
    heights = " ".join(f"{node.name}:{final_height(node)}" for node in honest(world))
    what = "the nodes are not level" if len(invariants.heights) > before else "no new final block"
    return RunVerdict.STUCK, PROGRESS, f"{what} {_after(took_ms, allowed_ms)}; {heights}"


def _restore(world: World, durability: Durability) -> None:
    """Go on until the chunks have their copies; what takes too long breaks an invariant."""
    at_ms = world.clock.now_us // 1_000
    while not durability.settled() and at_ms < world.scenario.duration_ms:
        at_ms += LOOK_MS
        world.run(at_ms)


def _settle(
    world: World, invariants: Invariants, owed: frozenset[bytes], allowed_ms: int
) -> tuple[RunVerdict, str, str]:
    """Go on until what was accepted before the calm is final; what takes too many blocks breaks an invariant.

    Nothing here judges that. An anchor's blocks are counted anew for a node that was not level when the last block
    became final, so those of two bounds are enough for one that never will be final to be overdue.
    """
    height = len(invariants.heights)
    last = height + 2 * (ANCHOR_BLOCKS + int(Bounds(world).blocks))
    at_ms = grown_ms = world.clock.now_us // 1_000
    while height < last and owed & invariants.owed():
        at_ms += LOOK_MS
        world.run(at_ms)
        if len(invariants.heights) > height:
            height, grown_ms = len(invariants.heights), at_ms
        elif at_ms - grown_ms > PATIENCE * allowed_ms:
            waited = f"{(at_ms - grown_ms) / 1_000:,.1f}"
            return RunVerdict.STUCK, PROGRESS, f"back in time, then no final block for {waited} s, and anchors wait"
    return RunVerdict.PASS, "", ""


def _after(took_ms: int, allowed_ms: int) -> str:
    return f"{took_ms / 1000:,.1f} s after the calm began, allowed are {allowed_ms / 1000:,.1f} s"


def unrecoverable(world: World) -> str:
    """Why this network may stay as it is by the rules: too few honest validators are there that may still sign."""
    forgotten = {index for fault in world.faults for index in fault.forgets}
    if all(node.index in forgotten for node in honest(world)):
        return "every honest node lost its store: nobody holds what was final"
    able = [node for node in world.connected() if not _log_lost(node)]
    if len(able) >= world.quorum:
        return ""
    return f"{len(able)} honest validators can talk and have their vote logs, quorum is {world.quorum}"


def bound_ms(world: World) -> int:
    """How long after the calm the chain may take: the bound of section 9, clocks ahead, connections, catching up."""
    nodes = honest(world)
    now_us = world.clock.now_us
    latest_us = max((max(node.latest_us, now_us + node.clock_us) for node in world.nodes), default=0)
    ahead_ms = (latest_us - min((now_us + node.clock_us for node in nodes), default=latest_us)) // 1000
    connections = world.network.connections
    settling_ms = 0 if connections is None else connections.settling_us // 1000
    settling_ms = max(settling_ms, world.network.behind_us // 1000)
    ahead_ms += worked_off_ms(world, max((node.behind_us for node in nodes), default=0) // 1000)
    return int(Bounds(world).growing_ms) + ahead_ms + settling_ms + catch_up_ms(world, nodes)


def worked_off_ms(world: World, behind_ms: int) -> int:
    """How long a node needs whose core is so far behind, with the anchors and blocks that come while it works that off.

    They stand in line behind the rest: a share of its time goes to those of each second, so it is free after the
    backlog divided by what is left of a second. An anchor costs the node that takes it a write and two operations with
    keys, all others a check of its owner's and its endorser's signatures. A block of the others costs three writes (it
    is durable, then its notarization, then that it is final), its signatures, those of its votes and of two
    certificates, and its VRF proof.
    """
    scenario, cpu = world.scenario, CPUS[world.scenario.cpu]
    second_us = 0
    if scenario.anchor_every_ms:
        taken_us = scenario.disk_us + cpu.verify_us + cpu.sign_us
        checked_us = 2 * cpu.verify_us * (scenario.nodes - 1)
        second_us = (taken_us + checked_us) * 1_000 // (scenario.nodes * scenario.anchor_every_ms)
    if scenario.nodes > 1:
        signatures = 2 + 2 * scenario.nodes + 2 * world.quorum
        block_us = 3 * scenario.disk_us + signatures * cpu.verify_us + cpu.vrf_verify_us
        second_us += block_us * 1_000 // world.genesis.parameters.block_interval_ms
    return behind_ms * 1_000_000 // max(1, 1_000_000 - second_us)


def _log_lost(node: Node) -> bool:
    assert node.engine is not None and isinstance(node.engine.machine, Engine)
    log = node.engine.machine.log
    return log.missing or bool(log.lost_ms)


def _level(world: World) -> bool:
    return level(world, world.connected() if world.network.cut else honest(world))
