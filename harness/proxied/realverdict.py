"""Judges real nodes by their journals and their promises: the invariants of the simulator, progress, level heights."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from harness.calibration.clients import Promise
from harness.invariants import ANCHOR_BLOCKS, ANCHORS, PROGRESS, Diverged, Invariants
from harness.level import LEVEL_BLOCKS
from harness.proxied.realbound import bound_ms
from harness.timeline.journals import happenings
from harness.verdict import RunVerdict
from lucid.chain.blocks import Block
from lucid.chain.codec import decode
from lucid.chain.genesis import Genesis
from lucid.chain.versions import RULES_KNOWN
from lucid.ledger.memory import MemoryStore
from lucid.machines.chain import BLOCK_TABLE
from lucid.machines.effects import BlockFinal, BroadcastVote, Publish, Signed
from lucid.poot.crypto import Edwards25519
from sim.scenario import Scenario


class RealVerdict(NamedTuple):
    """What became of real nodes: the verdict, which invariant broke and how, the nodes' heights, what was checked."""

    verdict: RunVerdict
    invariant: str
    reason: str
    heights: tuple[int, ...]
    back_ms: int | None
    """How long after the calm began the first block became final anywhere."""
    checks: dict[str, int]


class Disturbance(NamedTuple):
    """When links began to be disturbed, and when they were not any more: ms of this machine's clock."""

    began_ms: int
    calm_ms: int


class JournalInvariants(Invariants):
    """The invariants over what journals tell, and when each height was first final, in ms of the nodes' clocks.

    What clients were promised is in no journal of a manager: it is held against the blocks at the end.
    """

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.final_ms: list[int] = [0]
        self.final: dict[bytes, int] = {}
        """The height of each final transaction."""

    def _extend(self, node: Any, height: int, hash_: bytes) -> None:
        """See `Invariants`."""
        super()._extend(node, height, hash_)
        self.final_ms.append(self.world.genesis.genesis_time_ms + self.world.clock.now_us // 1_000)
        self.final |= dict.fromkeys([each.id for each in self.world.block(node, hash_).transactions], height)

    def _check_anchors(self, height: int) -> None:
        """See `Invariants`."""

    def check_promises(self, promises: Sequence[Promise], settled_ms: int) -> None:
        """What services accepted is final: within `ANCHOR_BLOCKS` of that, or of when the nodes had settled again."""
        last = len(self.heights) - 1
        settled = bisect(self.final_ms, settled_ms) - 1
        for promise in promises:
            self.checks[ANCHORS] += 1
            since = max(settled, bisect(self.final_ms, promise.at_ms) - 1)
            height = self.final.get(promise.transaction)
            if height is None or height - since > ANCHOR_BLOCKS:
                became = f"not final at height {last}" if height is None else f"final at height {height}"
                name = self.world.nodes[promise.node].name
                raise Diverged(
                    ANCHORS, f"{promise.transaction.hex()[:16]} accepted by {name} at height {since}, {became}"
                )


def judge_journals(
    paths: Sequence[Path], genesis: Genesis, scenario: Scenario, disturbed: Disturbance, promises: Sequence[Promise]
) -> RealVerdict:
    """Judge what the managers of real nodes did, and whether what their services promised came true.

    A vote is one that a manager sent for its engine; raises `JournalError`.
    """
    stores: dict[int, MemoryStore] = {}
    happened, count = happenings(paths, stores)
    world = _world(genesis, scenario, count, stores)
    invariants = JournalInvariants(world)
    heights = [0] * count

    def ended(verdict: RunVerdict, invariant: str, reason: str) -> RealVerdict:
        after = [each - disturbed.calm_ms for each in invariants.final_ms if each > disturbed.calm_ms]
        back_ms = after[0] if after else None
        return RealVerdict(verdict, invariant, reason, tuple(heights), back_ms, invariants.checks)

    try:
        for now, lane, what in happened:
            world.clock.now_us = (now - genesis.genesis_time_ms) * 1_000
            node = world.nodes[lane]
            if isinstance(what, BroadcastVote | Publish):
                invariants.on_fact(world.clock.now_us, node, Signed(what.vote))
            elif isinstance(what, BlockFinal):
                invariants.on_fact(world.clock.now_us, node, what)
                heights[lane] = max(heights[lane], what.height)
        invariants.check_from_scratch()
        invariants.checks[PROGRESS] += 1
        allowed_ms = bound_ms(scenario, _slow_ms(invariants.final_ms, genesis, disturbed))
        verdict, reason = _alive(allowed_ms, heights, ended(RunVerdict.PASS, "", "").back_ms)
        if verdict is not RunVerdict.PASS:
            return ended(verdict, PROGRESS, reason)
        invariants.check_promises(promises, disturbed.calm_ms + allowed_ms)
    except Diverged as broken:
        return ended(RunVerdict.DIVERGED, broken.invariant, broken.detail)
    return ended(RunVerdict.PASS, "", "")


def _slow_ms(final_ms: Sequence[int], genesis: Genesis, disturbed: Disturbance) -> int:
    """How much longer than an interval a block took at most before anything was disturbed: what this machine costs."""
    before = [each for each in final_ms[1:] if each <= disturbed.began_ms]
    longest_ms = max((later - each for each, later in pairwise(before)), default=0)
    return max(0, longest_ms - genesis.parameters.block_interval_ms)


def _alive(allowed_ms: int, heights: Sequence[int], back_ms: int | None) -> tuple[RunVerdict, str]:
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
