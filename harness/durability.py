"""What must hold of chunks: what was acknowledged stays, copies that are counted are there, lost ones come back."""

from __future__ import annotations

from harness.invariants import Diverged
from lucid.chain.placement import PlacedNode, placement
from lucid.ledger.weights import node_weights
from lucid.machines.effects import Fact
from sim.capacityload import final_ledger
from sim.clock import Moment
from sim.faults.fault import Fault
from sim.node import Node
from sim.world import World

READABLE = "acknowledged chunks are readable"
COUNTED = "copies that are counted were verified"
RIGHT = "reads give the right bytes"
RESTORED = "copies are restored in time"
LOOK_US = 1_000_000
SLACK_MS = 120_000
"""Beside the scrubber's period: who there is, offers, repairs and questions without an answer, each at its slowest."""
PART_MS = 1_000
"""What a part of a chunk may take on its way there and back."""
PART_BYTES = 61_440


class Durability:
    """A watcher of a world with chunks, which looks once a second and raises `Diverged`."""

    def __init__(self, world: World) -> None:
        assert world.chunks is not None, "there are chunks"
        self.world = world
        self.clients = world.chunks
        self.checks = dict.fromkeys((READABLE, COUNTED, RIGHT, RESTORED), 0)
        self._members = [PlacedNode(key) for key in sorted(world.index)]
        self._wanted: dict[bytes, tuple[int, ...]] = {}
        self._had_all: set[bytes] = set()
        """Chunks that had all their copies once, but for losses since (`ChunkClients.lost`)."""
        self._believed: set[bytes] = set()
        self._lacking_us: dict[bytes, int] = {}
        self._disturbed_us = 0
        self._weighed = -1
        """The last epoch whose weights are counted by."""
        world.clock.after(LOOK_US, self._look)

    def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
        """See `Watcher`."""

    def on_accepted(self, now_us: int, node: Node, transaction: bytes) -> None:
        """See `Watcher`."""

    def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
        """See `Watcher`: what is disturbed gets its time anew once the disturbance is over."""
        self._disturbed_us = now_us

    def settled(self) -> bool:
        """Whether every chunk has its copies, but for those that no honest node has any more."""
        return all(self._whole(chunk) or not self._copies(chunk) for chunk in self.clients.acknowledged)

    def _look(self, _: Moment) -> None:
        self.world.clock.after(LOOK_US, self._look)
        self.checks[RIGHT] += 1
        if self.clients.wrong:
            raise Diverged(RIGHT, f"{self.clients.wrong} of {self.clients.read} reads gave other bytes")
        for chunk in self.clients.acknowledged:
            self._check_readable(chunk)
            self._check_counted(chunk)
        self._check_restored()

    def _homes(self, chunk: bytes) -> tuple[int, ...]:
        """The nodes where a chunk belongs."""
        self._weigh()
        found = self._wanted.get(chunk)
        if found is None:
            keys = placement(chunk, self._members, self.world.replication_factor)
            found = self._wanted[chunk] = tuple([self.world.index[key] for key in keys])
        return found

    def _weigh(self) -> None:
        """Place by what the node that is furthest says that each weighs."""
        if not self.world.scenario.capacities:
            return
        up = [node for node in self.world.nodes if node.manager is not None and node.index not in self.world.byzantine]
        ledger = max((final_ledger(node) for node in up), key=lambda each: each.core.head.height, default=None)
        if ledger is None or ledger.core.head.epoch <= self._weighed:
            return
        self._weighed = ledger.core.head.epoch
        weights = node_weights(ledger)
        members = [PlacedNode(key, weights.get(key, 1)) for key in sorted(self.world.index)]
        if members != self._members:
            self._members, self._wanted = members, {}
            self._disturbed_us = self.world.clock.now_us

    def _intact(self, index: int, chunk: bytes) -> bool:
        data = self.world.nodes[index].data
        return data is not None and data.card.intact(chunk)

    def _copies(self, chunk: bytes, up: bool = True) -> list[int]:
        """The honest nodes that have a chunk's bytes, those that run or all."""
        return [
            node.index
            for node in self.world.nodes
            if node.index not in self.world.byzantine and (node.up or not up) and self._intact(node.index, chunk)
        ]

    def _whole(self, chunk: bytes) -> bool:
        """Whether each honest node that runs and should have a chunk does."""
        nodes, traitors = self.world.nodes, self.world.byzantine
        return all(
            self._intact(index, chunk) for index in self._homes(chunk) if index not in traitors and nodes[index].up
        )

    def _check_readable(self, chunk: bytes) -> None:
        """While fewer copies were lost than there must be, one is left."""
        copies = self._copies(chunk, up=False)
        lost = self.clients.lost.get(chunk, set())
        factor = min(self.world.replication_factor, len(self._members)) - len(
            self.world.byzantine & {*self._homes(chunk)}
        )
        if len(copies) >= factor > 0:
            self._had_all.add(chunk)
            lost -= set(copies)
        elif chunk in self._had_all:
            self.checks[READABLE] += 1
            if len(lost) < factor and not copies:
                raise Diverged(READABLE, f"{chunk.hex()[:16]}: {len(lost)} copies were lost, and none is left")

    def _check_counted(self, chunk: bytes) -> None:
        """A node that counts all copies of a chunk counts none that was never there."""
        node = self.world.nodes[self.clients.acknowledged[chunk].node]
        machine = None if node.data is None else node.data.machine
        if chunk in self._believed or machine is None or node.index in self.world.byzantine:
            return
        if len(machine.neighborhood.members) < len(self._members) or machine.offering.lacks(chunk):
            return
        self.checks[COUNTED] += 1
        self._believed.add(chunk)
        # By what this node knows of weights: it may not have heard of the epoch that opened just now.
        homes = {self.world.index[key] for key in machine.neighborhood.wanted(chunk)}
        honest = homes - self.world.byzantine
        if absent := sorted(honest - self.clients.kept[chunk]):
            raise Diverged(COUNTED, f"{node.name} counts {chunk.hex()[:16]} at {absent}, which never had it")

    def _check_restored(self) -> None:
        """Without a disturbance copies come back within a bound, as long as there is one to copy."""
        world, now_us = self.world, self.world.clock.now_us
        lacking = [chunk for chunk in self.clients.acknowledged if not self._whole(chunk) and self._copies(chunk)]
        self._lacking_us = {chunk: self._lacking_us.get(chunk, now_us) for chunk in lacking}
        if world.active or self._apart():
            self._disturbed_us = now_us
        if not lacking or self._disturbed_us == now_us:
            return
        self.checks[RESTORED] += 1
        up_us = max(node.up_since_us for node in world.nodes)
        since_us = max(min(self._lacking_us.values()), self._disturbed_us, up_us)
        allowed_ms = self.bound_ms(lacking)
        if now_us - since_us > 1_000 * allowed_ms:
            chunk = min(lacking, key=lambda each: self._lacking_us[each])
            raise Diverged(
                RESTORED,
                f"{chunk.hex()[:16]} belongs at {self._homes(chunk)} and is at {self._copies(chunk)} "
                f"{(now_us - since_us) / 1e6:,.0f} s after the last disturbance; allowed are {allowed_ms / 1e3:,.0f} s",
            )

    def _apart(self) -> bool:
        """Whether nodes that run cannot talk."""
        nodes = self.world.nodes
        return any(nodes[one].up and nodes[other].up for one, other in self.world.network.apart())

    def bound_ms(self, lacking: list[bytes]) -> int:
        """How long it may take until so many chunks have all their copies."""
        load = self.clients.load
        sizes = [self.clients.acknowledged[chunk].size for chunk in lacking]
        parts_ms = sum(PART_MS * -(-size // PART_BYTES) + 1_000 * size // load.bytes_per_s for size in sizes)
        return SLACK_MS + 2 * load.scrub_ms + parts_ms
