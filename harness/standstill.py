"""Why a network need not make progress now, in a sentence: how long and for which reason is kept for the report.

An invariant is never off. While no quorum can talk, or a fault's allowance knows no bound, it does not bind.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from harness.bounds import Bounds
from sim.faults.fault import Fault
from sim.world import World

NAMED_FAULTS = 4
"""Faults that a sentence names."""


def unbound(bounds: Bounds) -> str:
    """Why progress has no bound now, or nothing."""
    world = bounds.world
    honest = sum(node.index not in world.byzantine for node in world.nodes)
    if honest < world.quorum:
        return f"only {honest} of {len(world.index)} validators are honest, quorum is {world.quorum}"
    talking = world.connected()
    if len(talking) < world.quorum:
        return _kept_apart(world, len(talking), honest)
    mute = {node.index for node in talking if not bounds.takes_part(node)}
    able = len(talking) - len(mute)
    if able < world.quorum:
        why = named([each for each in bounds.faults if mute & each.allowance().leaders])
        return f"at most {able} of {honest} honest validators can take part with {why}, quorum is {world.quorum}"
    endless = [fault for fault, each in zip(bounds.faults, bounds.allowances, strict=True) if each.views == inf]
    return f"{endless[0].kind}: {endless[0].text()}" if endless else ""


def _kept_apart(world: World, talking: int, honest: int) -> str:
    """Why no quorum can talk."""
    up = sum(node.up for node in world.nodes if node.index not in world.byzantine)
    if up < world.quorum:
        return f"{honest - up} of {honest} honest validators down, quorum is {world.quorum}"
    old = sum(node.up and node.outdated for node in world.nodes if node.index not in world.byzantine)
    if old:
        return f"{old} of {honest} honest validators are too old for the chain's rules"
    return f"at most {talking} of {honest} honest validators can talk{_apart(world)}, quorum is {world.quorum}"


def _apart(world: World) -> str:
    """That clocks are further apart than the drift, if they are."""
    clocks = [node.clock_us for node in world.nodes if node.up and node.index not in world.byzantine]
    drift_us = world.genesis.parameters.max_clock_drift_ms * 1000
    return " within the clock drift" if max(clocks) - min(clocks) > drift_us else ""


def named(faults: Sequence[Fault]) -> str:
    """The faults by name, and how many more there are than a sentence bears."""
    named = [f"{fault.kind} {fault.text()}" for fault in faults[:NAMED_FAULTS]]
    left = len(faults) - len(named)
    return ", ".join([*named, f"{left} more"] if left else named)
