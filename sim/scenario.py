"""A scenario: what a run is made of."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from lucid.chain.errors import GenesisError
from lucid.chain.genesis import Activation, Genesis, GenesisNode, GenesisOfRules
from lucid.chain.parameters import DAY_MS, Parameters
from lucid.chain.placement import MAX_WEIGHT
from sim.chunkload import ChunkLoad
from sim.durations import Duration, duration_ms
from sim.faults import AnyFault
from sim.flights import RECEIVERS
from sim.scenarioerror import ScenarioError


class Scenario(msgspec.Struct, forbid_unknown_fields=True):
    """A run: the network, the load and the faults. Everything else follows from the seed."""

    name: Annotated[str, Meta(pattern=r"\A\w[\w.-]{0,63}\Z")] = "default"
    description: str = ""
    nodes: Annotated[int, Meta(ge=1, le=RECEIVERS)] = 10
    duration: Duration = "1h"
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 1
    profile: str = "regions"
    crypto: Literal["real", "modeled"] = "modeled"
    regions: list[str] = field(default_factory=list)
    pools: dict[str, list[int]] = field(default_factory=dict)
    links: dict[str, list[int]] = field(default_factory=dict)
    transport: Literal["reliable", "datagram"] = "reliable"
    slow_start: bool = False
    queuing_ms: Annotated[int, Meta(ge=0, le=10_000)] = 0
    bandwidth_mbps: Annotated[int, Meta(ge=1, le=100_000)] = 100
    cpu: Literal["pi4", "pi5", "server"] = "pi4"
    disk: Literal["constant", "microsd", "sata", "nvme"] = "constant"
    disk_us: Annotated[int, Meta(ge=0, le=10_000_000)] = 2_000
    anchor_every_ms: Annotated[int, Meta(ge=0, le=DAY_MS)] = 1_000
    anchor_arrivals: Literal["poisson", "fixed"] = "poisson"
    holdings_every_ms: Annotated[int, Meta(ge=0, le=DAY_MS)] = 0
    relays_every_ms: Annotated[int, Meta(ge=0, le=DAY_MS)] = 0
    capacities: list[Annotated[int, Meta(ge=0, le=MAX_WEIGHT)]] = field(default_factory=list)
    schedule: Literal["ranked", "weighted"] = "ranked"
    snapshot_blocks: Annotated[int, Meta(ge=1, le=2**53)] = 2_160
    share_execution: bool = True
    parameters: dict[str, int] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    workload: ChunkLoad | None = None
    calm: Duration = 0
    fault: list[AnyFault] = field(default_factory=list)

    @property
    def duration_ms(self) -> int:
        """Simulated length in milliseconds."""
        return duration_ms(self.duration)

    @property
    def calm_ms(self) -> int:
        """From when on there are no faults but those that stay and the Byzantine are silent, in ms; 0 for never."""
        return duration_ms(self.calm)

    def genesis(self, keys: list[bytes], genesis_time_ms: int, administrators: tuple[bytes, ...]) -> Genesis:
        """The genesis document of a network of these node keys; raises `ScenarioError`."""
        pools = {index: pool for pool, members in self.pools.items() for index in members}
        nodes = tuple([GenesisNode(key, f"n{index:02}", pools.get(index, "")) for index, key in enumerate(keys)])
        try:
            parameters = Parameters(**self.parameters)
            threshold = (len(administrators) + 1) // 2
            fields = (genesis_time_ms, nodes, administrators, threshold, parameters)
            if not self.rules:
                return Genesis(*fields).check()
            return GenesisOfRules(*fields, rules=Activation(**self.rules)).check()
        except GenesisError as error:
            key, sentence = error.detail.split(" ", maxsplit=1)
            raise ScenarioError(sentence, key) from None
