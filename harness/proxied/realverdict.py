"""Judges real nodes by their journals: the invariants of the simulator, the bound of progress, and level heights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from harness.invariants import PROGRESS, Diverged, Invariants
from harness.level import LEVEL_BLOCKS
from harness.timeline.journals import happenings
from harness.verdict import RunVerdict
from lucid.chain.blocks import Block
from lucid.chain.codec import decode
from lucid.chain.genesis import Genesis
from lucid.chain.parameters import Parameters
from lucid.chain.versions import RULES_KNOWN
from lucid.ledger.memory import MemoryStore
from lucid.machines.chain import BLOCK_TABLE
from lucid.machines.effects import BlockFinal, BroadcastVote, Publish, Signed
from lucid.machines.engine.timeout import MAX_FACTOR, SLOW_TO_GROW
from lucid.poot.crypto import Edwards25519
from sim.scenario import Scenario

REDIAL_MS = 45_000
"""How long real nodes may take to be connected again: a handshake without an answer, and the longest wait between two;
as long as the soak allows (`harness.soak.faults`)."""


class RealVerdict(NamedTuple):
    """What became of real nodes: the verdict, which invariant broke and how, the nodes' heights, what was checked."""

    verdict: RunVerdict
    invariant: str
    reason: str
    heights: tuple[int, ...]
    back_ms: int | None
    """How long after the calm began the first block became final anywhere."""
    checks: dict[str, int]


class JournalInvariants(Invariants):
    """The invariants over what journals tell. What clients were promised is in no journal of a manager."""

    def _check_anchors(self, height: int) -> None:
        """See `Invariants`."""


def judge_journals(paths: Sequence[Path], genesis: Genesis, scenario: Scenario, calm_at_ms: int) -> RealVerdict:
    """Judge what the managers of real nodes did; `calm_at_ms` is when nothing was disturbed any more, by their clocks.

    A vote is one that a manager sent for its engine; raises `JournalError`.
    """
    stores: dict[int, MemoryStore] = {}
    happened, count = happenings(paths, stores)
    world = _world(genesis, scenario, count, stores)
    invariants = JournalInvariants(world)
    heights, back_ms = [0] * count, None
    try:
        for now, lane, what in happened:
            world.clock.now_us = (now - genesis.genesis_time_ms) * 1_000
            node = world.nodes[lane]
            if isinstance(what, BroadcastVote | Publish):
                invariants.on_fact(world.clock.now_us, node, Signed(what.vote))
            elif isinstance(what, BlockFinal):
                known = len(invariants.heights)
                invariants.on_fact(world.clock.now_us, node, what)
                heights[lane] = max(heights[lane], what.height)
                if back_ms is None and now > calm_at_ms and len(invariants.heights) > known:
                    back_ms = now - calm_at_ms
        invariants.check_from_scratch()
    except Diverged as broken:
        return RealVerdict(
            RunVerdict.DIVERGED, broken.invariant, broken.detail, tuple(heights), back_ms, invariants.checks
        )
    verdict, reason = _alive(scenario, heights, back_ms)
    invariant = "" if verdict is RunVerdict.PASS else PROGRESS
    invariants.checks[PROGRESS] += 1
    return RealVerdict(verdict, invariant, reason, tuple(heights), back_ms, invariants.checks)


def bound_ms(scenario: Scenario) -> int:
    """How long after the calm a block may take: two timeouts as they may have grown by then, an interval, redialing.

    While links are disturbed each view may be slow, and lasts a timeout at least; four of them double it.
    """
    parameters = Parameters(**scenario.parameters)
    base_ms, interval_ms = parameters.slot_timeout_ms, parameters.block_interval_ms
    factor, slow_ms = 1, SLOW_TO_GROW * base_ms
    while factor < MAX_FACTOR and slow_ms <= scenario.calm_ms:
        factor *= 2
        slow_ms += SLOW_TO_GROW * factor * base_ms
    return 2 * factor * base_ms + interval_ms + REDIAL_MS


def _alive(scenario: Scenario, heights: Sequence[int], back_ms: int | None) -> tuple[RunVerdict, str]:
    allowed_ms = bound_ms(scenario)
    if back_ms is None:
        return RunVerdict.STUCK, f"no new final block within {allowed_ms / 1000:,.1f} s after the calm began"
    if back_ms > allowed_ms:
        return (
            RunVerdict.LATE,
            f"back {back_ms / 1000:,.1f} s after the calm began, allowed are {allowed_ms / 1000:,.1f}",
        )
    if max(heights) - min(heights) > LEVEL_BLOCKS:
        return RunVerdict.STUCK, f"the nodes are not level: {' '.join(map(str, heights))}"
    return RunVerdict.PASS, ""


def _world(genesis: Genesis, scenario: Scenario, count: int, stores: dict[int, MemoryStore]) -> Any:
    """As much of a world as invariants ask for."""

    def block(node: Any, hash_: bytes) -> Block:
        data = stores[node.index].get(BLOCK_TABLE, hash_)
        assert data is not None, "a final block is stored"
        return decode(data, Block)

    nodes = [
        SimpleNamespace(index=place, key=node.key, name=node.name, rules_known=RULES_KNOWN, up_since_us=0)
        for place, node in enumerate(genesis.nodes)
    ]
    return SimpleNamespace(
        scenario=scenario, genesis=genesis, clients=Edwards25519(), nodes=nodes[:count], byzantine=frozenset(),
        index={node.key: node.index for node in nodes}, clock=SimpleNamespace(now_us=0), block=block,
    )  # fmt: skip
