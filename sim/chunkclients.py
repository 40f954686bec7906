"""Clients that store chunks at nodes and read them again, and what became of each."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

from sim.chunkload import ChunkLoad
from sim.exponential import exponential_us

if TYPE_CHECKING:
    from sim.clock import Moment
    from sim.world import World


class Acknowledged(NamedTuple):
    """A chunk that a node said is durable: its bytes, the node, and when (virtual time)."""

    size: int
    node: int
    at_us: int


class ChunkClients:
    """The clients of a world, and what they were told."""

    def __init__(self, world: World, load: ChunkLoad, random: Random) -> None:
        self.world = world
        self.load = load
        self.acknowledged: dict[bytes, Acknowledged] = {}
        self.kept: dict[bytes, set[int]] = {}
        """The nodes that ever had each chunk verified and durable."""
        self.lost: dict[bytes, set[int]] = {}
        """The nodes whose card lost or damaged each chunk, since it last had all its copies."""
        self.reads = self.read = self.wrong = 0
        """Reads that were tried, that gave bytes, and that gave other bytes than the chunk's."""
        self._random = random
        self._stored = 0
        self._next_chunk()
        if load.read_every_ms:
            self._next_read()

    def _next_chunk(self) -> None:
        self.world.clock.after(exponential_us(self._random, self.load.chunk_every_ms * 1_000), self._store)

    def _store(self, _: Moment) -> None:
        random, load = self._random, self.load
        chunk, size = random.randbytes(32), random.randint(load.least_bytes, load.most_bytes)
        node = self.world.nodes[random.randrange(len(self.world.nodes))]
        self._stored += 1
        if self._stored < load.most_chunks:
            self._next_chunk()
        if node.up and node.data is not None and not self.world.calm:
            node.data.put(chunk, size)

    def acknowledge(self, chunk: bytes, size: int, node: int) -> None:
        """A node said that a chunk is durable."""
        self.acknowledged.setdefault(chunk, Acknowledged(size, node, self.world.clock.now_us))

    def _next_read(self) -> None:
        self.world.clock.after(exponential_us(self._random, self.load.read_every_ms * 1_000), self._read)

    def _read(self, _: Moment) -> None:
        self._next_read()
        place, index = self._random.getrandbits(32), self._random.randrange(len(self.world.nodes))
        node, chunks = self.world.nodes[index], list(self.acknowledged)
        if chunks and node.up and node.data is not None:
            self.reads += 1
            node.data.read(chunks[place % len(chunks)], self._given)

    def _given(self, right: bool | None) -> None:
        """A read gave bytes, the chunk's or others; None: nothing."""
        self.read += right is not None
        self.wrong += right is False
