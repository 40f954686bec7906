"""The swarm: what a seed makes of a network, its limits, its load and its faults.

Each seed draws which kinds of fault exist at all (Groce et al., Swarm Testing, ISSTA 2012): a run with everything hides
what a run with two things shows.
"""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

from msgspec import structs

from lucid.chain.versions import RULES_KNOWN
from sim.chunkload import ChunkLoad
from sim.faults import KINDS
from sim.faults.delay import Delay
from sim.faults.fault import Fault
from sim.faults.one_way import OneWay
from sim.faults.selective import Selective
from sim.faults.wipe import Wipe
from sim.faultspace import FaultSpace
from sim.scenario import Scenario

SIZES = (1, 2, 3, 4, 4, 4, 4, 5, 5, 6, 7, 7, 10, 13)
SETTLING_MS = 3_600_000
"""The longest that a network may be watched after the calm began; a run ends as soon as its verdict is known."""

LIMITS: dict[str, tuple[int, ...]] = {
    "page_blocks": (2, 5, 16),
    "page_certificates": (2, 8),
    "answer_ms": (1_000, 3_000),
    "snapshot_gap": (4, 16),
    "part_bytes": (2_048, 16_384),
    "max_waiting": (4,),
    "views_ahead": (4, 12),
    "late_votes": (4,),
    "push_bytes": (256, 2_048),
}
"""Small values of the machines' limits, at which their edges are reached in seconds."""
SMALL = ("page_blocks", "page_certificates")
"""Limits that are always small where a profile says so."""


class SwarmProfile(NamedTuple):
    """What a hunt draws from: lanes of the catalog, or some of their kinds; how many of f traitors; the most faults
    of a kind; whether messages take long in the calm too (`slow`); whether pages are always small (`small`); whether
    epochs are of one short slot, and pages of one block (`short`); whether clients store chunks (`chunks`); whether
    nodes bring sessions to others and are paid for it (`relays`), and declare what they have room for; whether a node
    loses all but its vote log, and what only it and the traitors knew (`forgotten`)."""

    name: str
    about: str
    lanes: frozenset[str]
    traitors: bool
    instances: int = 3
    least_nodes: int = 1
    least_traitors: int = 0
    kinds: frozenset[str] = frozenset()
    slow: bool = False
    small: bool = False
    short: bool = False
    chunks: bool = False
    relays: bool = False
    forgotten: bool = False


PROFILES = {
    each.name: each
    for each in (
        SwarmProfile("all", "every kind of fault, and up to f traitors", frozenset(
            ("network", "process", "disk", "clock", "byzantine")), True),
        SwarmProfile("honest", "honest nodes alone: networks, processes, disks and clocks", frozenset(
            ("network", "process", "disk", "clock")), False),
        SwarmProfile("crash", "processes and power alone", frozenset(("process", "disk")), False, 6),
        SwarmProfile("byzantine", "traitors on a network that loses and splits",
            frozenset(("network", "byzantine")), True, least_nodes=4, least_traitors=1),
        SwarmProfile("upgrade",
            "old and new releases together while the rules change, on networks and processes that fail",
            frozenset(("network", "process", "release")), False, 4, least_nodes=2),
        SwarmProfile("slow", "slow nodes and links, some of them to the end, and no crash", frozenset(
            ("network", "process", "disk")), False, least_nodes=2, slow=True,
            kinds=frozenset(("cap", "clog", "delay", "loss", "partition", "slow_cpu", "stall"))),
        SwarmProfile("behind", "nodes that fetch what they missed by small pages, and mute traitors", frozenset((
            "network", "process", "byzantine")), True, 4, least_nodes=4, slow=True, small=True,
            kinds=frozenset(("crash", "delay", "loss", "partition", "poison", "power_cut"))),
        SwarmProfile("chunks", "chunks that are copied, lost and repaired, and traitors that give false bytes",
            frozenset(("network", "process", "disk", "chunks")), True, least_nodes=2, chunks=True, kinds=frozenset((
            "chunk_rot", "crash", "delay", "false_parts", "full", "loss", "partition", "power_cut", "stall"))),
        SwarmProfile("closings", "epochs of three views, nodes that miss how they end, leaders that forge it",
            frozenset(("network", "process", "byzantine")), True, 6, least_nodes=4, least_traitors=1, short=True,
            kinds=frozenset(("crash", "delay", "false_repeat", "loss", "partition"))),
        SwarmProfile("relays", "sessions that nodes bring to others for credits, and traitors who lie about it",
            frozenset(("network", "process", "byzantine")), True, least_nodes=4, least_traitors=1, relays=True,
            kinds=frozenset(("crash", "delay", "double_vote", "loss", "partition", "power_cut", "self_deal", "wipe"))),
        SwarmProfile("weights", "chunks placed by what nodes declare and prove, which changes with each epoch",
            frozenset(("network", "process", "disk", "chunks", "byzantine")), True, least_nodes=4, chunks=True,
            relays=True, kinds=frozenset((
            "chunk_rot", "crash", "delay", "false_parts", "loss", "partition", "power_cut", "self_deal"))),
        SwarmProfile("cards", "cards that tear, rot and misdirect writes, and power cuts", frozenset(
            ("network", "process", "disk")), False, 4, least_nodes=4, kinds=frozenset((
            "crash", "half_synced", "loss", "misdirected", "power_cut", "rot", "stall", "torn"))),
        SwarmProfile("clocks", "clocks that step, drift and are smeared, on nodes that crash and links that lose",
            frozenset(("network", "process", "clock")), False, 4, least_nodes=2, kinds=frozenset((
            "boot", "clock", "crash", "delay", "drift", "loss", "partition", "power_cut", "smear"))),
        SwarmProfile("forgers", "traitors that sign blocks that are not valid, and forge what others signed",
            frozenset(("network", "process", "byzantine")), True, least_nodes=4, least_traitors=1, kinds=frozenset((
            "crash", "delay", "double_vote", "equivocate", "false_repeat", "flood", "invalid_block", "loss",
            "lying_tick", "partition", "replay", "twin"))),
        SwarmProfile("forgotten", "a node that loses all but its vote log, and what only it and the traitors knew",
            frozenset(("network", "process", "byzantine")), True, least_nodes=4, least_traitors=1, forgotten=True,
            kinds=frozenset(("crash", "delay", "loss", "one_way", "partition", "slow_cpu"))),
    )
}  # fmt: skip


def draw(seed: int, profile: str = "all") -> Scenario:
    """The scenario of a seed."""
    random = Random(f"swarm/{profile}/{seed}")
    chosen = PROFILES[profile]
    nodes = random.choice([size for size in SIZES if size >= chosen.least_nodes])
    calm_ms = random.randrange(8_000, 40_000) + (60_000 if chosen.slow else 0) + (20_000 if chosen.relays else 0)
    tolerated = (nodes - 1) // 3
    count = random.randint(min(chosen.least_traitors, tolerated), tolerated) if chosen.traitors else 0
    traitors = random.sample(range(nodes), count)
    space = FaultSpace(nodes, calm_ms, tuple(sorted(traitors)))
    scenario = _scenario(random, seed, chosen, space)
    if chosen.chunks:
        scenario = structs.replace(scenario, workload=_workload(Random(f"swarm/chunks/{profile}/{seed}")))
    if chosen.short:
        parameters = scenario.parameters | {"slot_duration_ms": 3_000, "epoch_slots": 1}
        return structs.replace(scenario, parameters=parameters, limits=scenario.limits | {"page_blocks": 1})
    if chosen.relays:
        return _with_relays(Random(f"swarm/relays/{profile}/{seed}"), scenario)
    if "release" not in chosen.lanes:
        return scenario
    # Where old releases are drawn, the rules change in the middle of the run: with the second or third epoch.
    rules = {"version": RULES_KNOWN, "height": random.randrange(2, 20)}
    holdings = Random(f"swarm/holdings/{profile}/{seed}").choice((0, 400, 2_000))
    relays = Random(f"swarm/relays/{profile}/{seed}").choice((0, 0, 2_000))
    parameters = scenario.parameters | {"epoch_slots": 2}
    return structs.replace(
        scenario, rules=rules, parameters=parameters, holdings_every_ms=holdings, relays_every_ms=relays
    )


def _with_relays(random: Random, scenario: Scenario) -> Scenario:
    """Rules that pay relays, as soon as may be, and epochs so short that copies are proven several times.

    That is load enough: with four anchors a second besides, an honest node costs another 2.3 % of a core, as of seed
    271, and the meter of what traitors cost (`harness.hunt.work`) would take a greedy one's load for an attack.
    """
    return structs.replace(
        scenario,
        rules={"version": RULES_KNOWN, "height": 1},
        parameters=scenario.parameters | {"slot_duration_ms": 3_000, "epoch_slots": 2},
        anchor_every_ms=random.choice((0, 2_000)),
        relays_every_ms=random.choice((1_000, 2_000)),
        holdings_every_ms=random.choice((0, 0, 1_000)),
        capacities=_capacities(Random(f"swarm/capacities/{scenario.seed}"), scenario.nodes),
    )


def _capacities(random: Random, nodes: int) -> list[int]:
    """What nodes declare: nothing, all the same, or anything."""
    return random.choice(([], [16] * nodes, [random.choice((0, 1, 2, 3, 8, 16)) for _ in range(nodes)]))


def _scenario(random: Random, seed: int, chosen: SwarmProfile, space: FaultSpace) -> Scenario:
    nodes, calm_ms = space.nodes, space.calm_ms
    # Who waits less for an answer than it takes never has one.
    limits = {key: small for key, small in LIMITS.items() if not (chosen.slow and key == "answer_ms")}
    return Scenario(
        name="hunt",
        description=f"seed {seed} of the swarm {chosen.name}",
        nodes=nodes,
        seed=seed,
        duration=calm_ms + SETTLING_MS,
        calm=calm_ms,
        profile=random.choice(("lan", "lan", "regions", "constant")),
        transport=random.choice(("datagram", "reliable")),
        disk_us=random.choice((0, 2_000, 30_000)),
        anchor_every_ms=random.choice((0, 0, 1_000, 250)),
        snapshot_blocks=random.choice((5, 20, 2_160)),
        parameters=_parameters(random),
        limits={
            key: random.choice(small)
            for key, small in limits.items()
            if random.random() < (1 if chosen.small and key in SMALL else 0.3)
        },
        fault=_faults(random, space, chosen),
    )


def _workload(random: Random) -> ChunkLoad:
    """Some small chunks, or few of several parts."""
    most_bytes = random.choice((3_000, 70_000, 300_000))
    return ChunkLoad(
        chunk_every_ms=random.choice((300, 1_500)),
        least_bytes=2_000,
        most_bytes=most_bytes,
        most_chunks=random.choice((5, 40)),
        read_every_ms=random.choice((0, 1_000)),
        scrub_ms=random.choice((2_000, 15_000)),
        bytes_per_s=random.choice((100_000, 2 << 20)),
    )


def _parameters(random: Random) -> dict[str, int]:
    """A block a second, in slots and epochs long and short."""
    return {
        "block_interval_ms": 1_000,
        "slot_duration_ms": random.choice((3_000, 12_000)),
        "slot_timeout_ms": 1_000,
        "max_clock_drift_ms": 400,
        "epoch_slots": random.choice((2, 5, 720)),
    }


def _faults(random: Random, space: FaultSpace, profile: SwarmProfile) -> list[Fault]:
    """Faults of some kinds, each of them a few times."""
    faults: list[Fault] = []
    for kind in KINDS.values():
        named = kind.__struct_config__.tag in profile.kinds
        if kind.lane not in profile.lanes or not (named or not (profile.kinds or kind.drawn_by_name)):
            continue
        if random.random() < 0.6:
            continue
        for _ in range(random.randint(1, profile.instances)):
            fault: Fault | None = kind.draw(random, space)
            if fault is not None:
                faults.append(fault)
    if profile.slow:
        faults.append(_slow(random, space))
    if profile.forgotten:
        faults += _forgotten(random, space)
    return sorted(faults, key=lambda each: (each.at_ms, each.kind, each.text()))


def _slow(random: Random, space: FaultSpace) -> Delay:
    """Some nodes, or all, that are heard late to the end: base timeouts are too short, the longest are not."""
    nodes = sorted(random.sample(range(space.nodes), random.randint(1, max(1, space.nodes // 2))))
    least_ms, spread_ms = random.choice((0, 200, 600, 900, 1_500, 2_500)), random.choice((100, 1_200))
    return Delay(nodes=random.choice((nodes, nodes, [])), least_ms=least_ms, most_ms=least_ms + spread_ms, stays=True)


def _forgotten(random: Random, space: FaultSpace) -> list[Fault]:
    """Shortly before the calm an honest node is not heard, while traitors speak to it alone, and then it loses its
    store: what it had gone on by, and vouched for, nobody else may know, and in the calm nobody says it again."""
    calm_ms = space.calm_ms
    node = random.choice([each for each in range(space.nodes) if each not in space.traitors])
    at_ms = calm_ms - random.randrange(1_000, 6_000)
    unheard_ms = at_ms - random.randrange(2_000)
    others = [each for each in range(space.nodes) if each != node]
    return [
        OneWay(nodes=[node], to=others, at=unheard_ms, until=calm_ms),
        Wipe(node=node, votes="kept", at=at_ms, until=calm_ms - random.randrange(1, 500)),
        *[Selective(node=each, to=[node], at=random.choice((0, unheard_ms)), until=calm_ms) for each in space.traitors],
    ]


def describe() -> list[dict[str, Any]]:
    """The profiles, for those who choose one."""
    return [{"name": each.name, "about": each.about} for each in PROFILES.values()]
