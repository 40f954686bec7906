"""The figures of a run, typed: what `metrics.json` holds, defined in docs/simulator.md. Times are simulated ms."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from sim.faults.fault import Color, Lane
from sim.samples import Spread

FIGURES_VERSION = 2
"""Goes up with each change of a name or of what a figure means."""


class BlockFigures(Struct, frozen=True, kw_only=True):
    """Counts of blocks; `height` and `epoch` are the highest that any node knows to be final."""

    final: int
    height: int
    forked: int
    epoch: int


class Interval(Struct, frozen=True, kw_only=True):
    """Time between the proposals of final blocks that follow each other; None of fewer than two blocks."""

    mean: float | None
    deviation: float | None


class Recovery(Struct, frozen=True, kw_only=True):
    """How long after a fault began or ended the next height became final; None if none did."""

    at_ms: int
    kind: str
    what: str
    begins: bool
    ms: float | None


class HaltFigures(Struct, frozen=True, kw_only=True):
    """Times without a new final block.

    `wait_ms` samples every tick that came due: how long until a block of that tick or a later one was final; `waiting`
    of them had none when the run ended, and count with the time that they had waited.
    """

    longest_ms: float
    longest_at_ms: float
    wait_ms: Spread
    waiting: int
    recoveries: list[Recovery]


class Share(Struct, frozen=True, kw_only=True):
    """The final blocks that a node proposed."""

    node: int
    name: str
    blocks: int
    ppm: int


class Leaders(Struct, frozen=True, kw_only=True):
    """Who led. `gini_floor` is what a fair rotation of these `slots` over so many nodes has.

    `lying_pays` is the Byzantine nodes' share of the final blocks over their share of the nodes; None without any.
    """

    gini: float
    gini_floor: float
    lying_pays: float | None = None
    slots: int
    shares: list[Share]


class KindTraffic(Struct, frozen=True, kw_only=True):
    """What was sent of one kind of message."""

    kind: str
    messages: int
    bytes: int


class Traffic(Struct, frozen=True, kw_only=True):
    """Messages sent, one for each receiver; `bytes` is payload, `wire_bytes` with headers of segments."""

    messages: int
    bytes: int
    wire_bytes: int
    messages_per_node_block: float | None
    bytes_per_node_block: float | None
    by_kind: list[KindTraffic]


class SessionFigures(Struct, frozen=True, kw_only=True):
    """What became of the clients' anchors.

    attempts = unreachable + submitted; submitted = refused + unanswered + accepted; accepted = final + waiting.
    `unreachable` found the node down; `unanswered` were in a node's hands when it crashed or the run ended. An anchor
    is final when its block is final *at the node that accepted it*, where the client can fetch its receipt;
    `latency_ms` is from the attempt to then, `waiting_ms` how long those not final had waited at the end.
    """

    attempts: int
    unreachable: int
    submitted: int
    refused: int
    unanswered: int
    accepted: int
    final: int
    waiting: int
    most_waiting: int
    final_per_second: float
    latency_ms: Spread
    waiting_ms: Spread


class Waits(Struct, frozen=True, kw_only=True):
    """How long effects waited for their node's own hardware, per node per block; None of no blocks.

    `stores` counts writes that had to be durable before what followed them.
    """

    cpu_ms: float | None
    disk_ms: float | None
    stores: float | None


class FaultRecord(Struct, frozen=True, kw_only=True):
    """A fault that was injected; `until_ms` is None if nothing ended it."""

    at_ms: int
    until_ms: int | None
    kind: str
    what: str
    lane: Lane
    color: Color


class Speed(Struct, frozen=True, kw_only=True):
    """How fast the simulator was, in wall time. An event is one entry of the clock's queue that came due."""

    wall_seconds: float
    events: int
    events_per_second: int
    delivered: int
    delivered_per_second: int


class ChainRow(NamedTuple):
    """A final block: heights and times (ms) as the report draws them; `leader` is the proposer's index."""

    height: int
    epoch: int
    view: int
    tick_ms: int
    proposed_ms: int
    final_ms: int
    leader: int
    transactions: int


class Skip(NamedTuple):
    """A view that was skipped, and when a node first left it so."""

    epoch: int
    view: int
    at_ms: int


class Fork(NamedTuple):
    """A block that was valid somewhere and did not become final, and when it was first valid."""

    epoch: int
    view: int
    height: int
    at_ms: int


class FinalityRow(NamedTuple):
    """A final block: when it was first final, the median and largest latency over the nodes, the median at best."""

    final_ms: int
    median_ms: float
    largest_ms: float
    best_ms: float


class CurvePoint(NamedTuple):
    """A point of a cumulative curve: the share of samples up to so many ms."""

    ms: float
    share: float


class Series(Struct, frozen=True, kw_only=True):
    """What the report draws over time; rows are arrays in JSON, in the order of their fields."""

    chain: list[ChainRow]
    skips: list[Skip]
    forks: list[Fork]
    finality: list[FinalityRow]
    propagation_cdf: list[CurvePoint]


class Figures(Struct, frozen=True, kw_only=True):
    """All figures of a run but for its verdict."""

    version: int = FIGURES_VERSION
    lucid: str
    commit: str
    python: str
    scenario: str
    description: str
    seed: int
    nodes: int
    crypto: str
    profile: str
    profile_about: str
    duration_ms: int
    chain_id: str
    blocks: BlockFigures
    finality_ms: Spread
    finality_at_best_ms: Spread
    finality_ratio: float | None
    one_way_delay_ms: float
    interval_ms: Interval
    tick_to_proposal_ms: Spread
    propagation_ms: Spread
    late_ms: Spread
    waits: Waits
    halts: HaltFigures
    missed_views: int
    timeouts: int
    leaders: Leaders
    traffic: Traffic
    speed: Speed
    sessions: SessionFigures
    transactions_per_second: float
    evicted: int
    caught_up: dict[str, int]
    refusals: dict[str, int]
    faults: list[FaultRecord]
    series: Series
