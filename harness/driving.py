"""Drives a world under all that judges and measures: to its last second, the first broken invariant, or a stop."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from harness.durability import Durability
from harness.invariants import PROGRESS, Diverged, Invariants
from harness.level import uneven
from harness.policy import LeaderPolicy
from harness.progress import Progress
from harness.schedules import led_as
from harness.verdict import RunVerdict
from sim.metrics import Metrics
from sim.world import World

SLICES = 200


class Tick(NamedTuple):
    """How far a run is: simulated ms, height, deliveries so far."""

    at_ms: int
    height: int
    deliveries: int


class Ended(NamedTuple):
    """How a run ended: the invariant that broke, if one did, and why in a sentence."""

    verdict: RunVerdict
    invariant: str = ""
    reason: str = ""


class Watching(NamedTuple):
    """What looks on while a world runs, and what it counts."""

    world: World
    metrics: Metrics
    invariants: Invariants
    watch: Progress
    counts: list[Mapping[str, int]]


def watched(world: World) -> Watching:
    """Let all that judges and measures look on."""
    metrics, invariants, watch = Metrics(world), Invariants(world), Progress(world)
    world.watchers += [invariants, metrics, watch]
    counts: list[Mapping[str, int]] = [invariants.checks]
    if world.chunks is not None:
        durability = Durability(world)
        world.watchers.append(durability)
        counts.append(durability.checks)
    return Watching(world, metrics, invariants, watch, counts)


def driven(watching: Watching, leaders: LeaderPolicy | None, progress: Callable[[Tick], None] | None) -> Ended:
    """Run to the end, whichever it is, and note in the trace what broke."""
    world = watching.world
    with led_as(world.scenario.schedule, leaders):
        ended = _drive(watching, progress)
    if ended.invariant or ended.verdict is RunVerdict.DIVERGED:
        world.trace.broken(world.clock.now_us, ended.reason)
    return ended


def _drive(watching: Watching, progress: Callable[[Tick], None] | None) -> Ended:
    """Run in slices of virtual time."""
    world, metrics, invariants, watch, _ = watching
    duration_ms = world.scenario.duration_ms
    slice_ms = max(1_000, duration_ms // SLICES)
    at_ms = 0
    # Almost everything dies by reference count: looking for cycles now and then is enough, and four times cheaper.
    thresholds = gc.get_threshold()
    gc.set_threshold(100_000, 20, 100)
    try:
        world.start()
        watch.begin()
        while at_ms < duration_ms:
            at_ms = min(duration_ms, at_ms + slice_ms)
            world.run(at_ms)
            if world.clock.stopped:
                return _interrupted(world)
            stalled = watch.stalled()
            invariants.checks[PROGRESS] += 1
            if stalled:
                return Ended(RunVerdict.NO_PROGRESS, PROGRESS, stalled)
            if progress is not None:
                progress(Tick(at_ms, metrics.height, world.network.deliveries))
        invariants.check_from_scratch()
    except Diverged as broken:
        return Ended(RunVerdict.DIVERGED, broken.invariant, str(broken))
    except OSError:
        raise
    except Exception as error:
        # Most likely a rule that a machine holds itself to: as good a find as a broken invariant, and as repeatable.
        where = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{Path(where.filename).name}, line {where.lineno}, failed: {error!r}"
        return Ended(RunVerdict.DIVERGED, "", reason)
    finally:
        gc.set_threshold(*thresholds)
    halted = watch.stood_still(metrics.last_final_us)
    if halted:
        return Ended(RunVerdict.NO_PROGRESS, "", halted)  # by what its faults allow: else it had ended before
    reason = uneven(world, watch.disturbed_us)
    return Ended(RunVerdict.NO_PROGRESS, PROGRESS, reason) if reason else Ended(RunVerdict.PASS)


def _interrupted(world: World) -> Ended:
    now_s, whole_s = world.clock.now_us / 1e6, world.scenario.duration_ms / 1e3
    reason = f"interrupted at {now_s:,.1f} of {whole_s:,.1f} simulated seconds: every figure is of that part"
    return Ended(RunVerdict.INTERRUPTED, "", reason)
