"""A node's data chain in virtual time: its machine of replication, and a card on which a chunk is a size, no bytes.

Where the bytes of a chunk are not its own, a part carries a mark. What verifies them, as a real data chain does by
their hashes, looks at the mark; the machine never sees it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from lucid.chain.codec import encode
from lucid.chain.errors import Refusal
from lucid.ledger.weights import node_weights
from lucid.machines.effects import (
    BeginFetch,
    ChunkStored,
    ChunkWanted,
    EndFetch,
    FetchEnded,
    FetchOutcome,
    MembersKnown,
    PartCame,
    Provided,
    Received,
    ReplicaSaid,
    Started,
    TakePart,
)
from lucid.machines.replicamessages import (
    ChunkHolding,
    ChunkOffer,
    ChunkPart,
    ChunkRequest,
    ReplicaMessage,
    decode_replica,
)
from lucid.machines.replication import Replicator
from lucid.machines.replication.copies import NAME_BYTES
from lucid.machines.replication.pacing import Pacing
from sim.capacityload import final_ledger
from sim.card import Card
from sim.disk import Disk
from sim.runner import Runner
from sim.wirelength import part_bytes

if TYPE_CHECKING:
    from sim.chunkclients import ChunkClients
    from sim.clock import Moment
    from sim.node import Node

MEMBERS_US = 2_000_000
"""How often a data chain asks its manager who there is."""
Reader = Callable[[bool | None], None]


class Arriving:
    """A chunk that comes from another node, and whether all of its bytes so far are its own."""

    def __init__(self, effect: BeginFetch) -> None:
        self.chunk = effect.chunk
        self.keep = effect.keep
        self.right = True


class DataChain:
    """The data chain of a node: down until `start`, and after `crash`."""

    def __init__(self, node: Node, clients: ChunkClients) -> None:
        self.node = node
        self.card = Card()
        self.disk = Disk()
        """What the machine stores."""
        self.runner: Runner | None = None
        self._clients = clients
        self._clock = node.world.clock
        self._arriving: dict[int, Arriving] = {}
        self._sizes: dict[bytes, int] = {}
        self._readers: dict[int, tuple[bytes, bool, Reader]] = {}
        self._request = 0
        self._starts = 0

    @property
    def machine(self) -> Replicator | None:
        """Its machine, while it runs."""
        machine = None if self.runner is None else self.runner.machine
        assert machine is None or isinstance(machine, Replicator)
        return machine

    def start(self) -> None:
        """Start from what the card and the disk hold."""
        node, load = self.node, self._clients.load
        self._starts += 1
        name = node.world.stream(f"storename/{node.index}/{self._starts}").randbytes(NAME_BYTES)
        machine = Replicator(node.key, name, self.disk, self.card, Pacing(bytes_per_s=load.bytes_per_s))
        runner = self.runner = Runner(
            node,
            machine,
            self.disk,
            None,
            {BeginFetch: self._begin, TakePart: self._take, EndFetch: self._end, Provided: self._provided},
        )
        runner.step(Started())
        self._tell_members(runner)
        self._clock.after(load.scrub_ms * 1_000, partial(self._scrub, runner))

    def crash(self) -> None:
        """Stop at once."""
        if self.runner is not None:
            self.runner.kill()
        self.runner = None
        self.disk.crash()
        self._arriving.clear()
        self._readers.clear()

    def _later(self, runner: Runner, us: int, what: Callable[[Runner], None]) -> None:
        """Do something after so many microseconds, unless the process has ended; once it goes on if it is stopped."""

        def due(_: Moment | None = None) -> None:
            if runner.alive and not self.node.waits(due):
                what(runner)

        self._clock.after(us, due)

    def _tell_members(self, runner: Runner) -> None:
        """Say who there is, as the manager knows it."""
        world, here = self.node.world, self.node
        apart = world.network.apart()
        members = tuple(sorted(world.index))
        reached = {
            node.key
            for node in world.nodes
            if node.up and (here.index, node.index) not in apart and (node.index, here.index) not in apart
        }
        connected = tuple([key for key in members if key in reached and key != here.key])
        self._later(runner, MEMBERS_US, self._tell_members)
        runner.step(MembersKnown(members, connected, world.replication_factor, self._weights(members)))

    def _weights(self, members: tuple[bytes, ...]) -> tuple[int, ...]:
        """What the node's own ledger says that these weigh."""
        if not self.node.world.scenario.capacities or self.node.manager is None:
            return ()
        weights = node_weights(final_ledger(self.node))
        return tuple([weights.get(key, 1) for key in members])

    def _scrub(self, runner: Runner, _: Moment | None = None) -> None:
        """Find what the card lost or damaged."""
        if runner.alive and not self.node.waits(partial(self._scrub, runner)):
            self.card.scrub()
            self._clock.after(self._clients.load.scrub_ms * 1_000, partial(self._scrub, runner))

    # -- clients -------------------------------------------------------------------------------------------------

    def put(self, chunk: bytes, size: int) -> None:
        """A client stores a chunk; it is told once that is durable."""
        runner = self.runner
        if runner is None or self.node.full:
            return

        def durable(runner: Runner) -> None:
            self._keep(runner, chunk, size)
            self._clients.acknowledge(chunk, size, self.node.index)

        self._later(runner, self.node.durable_us(None), durable)

    def read(self, chunk: bytes, reader: Reader) -> None:
        """A client reads a chunk: here, or by way of another node."""
        runner = self.runner
        assert runner is not None and self.machine is not None, "only a node that runs is asked"
        if self.card.intact(chunk):
            reader(True)
            return
        self.card.doubt(chunk)
        self._request += 1
        keep = self.node.key in self.machine.neighborhood.wanted(chunk)
        self._readers[self._request] = chunk, keep, reader
        runner.step(ChunkWanted(self._request, chunk, (), keep))

    def _provided(self, effect: Provided) -> None:
        """What is not to be kept here comes from where it was verified, whatever became of a copy here."""
        chunk, keep, reader = self._readers.pop(effect.request)
        reader(None if not effect.held else not keep or self.card.intact(chunk))

    # -- peers ---------------------------------------------------------------------------------------------------

    def hear(self, event: Received) -> None:
        """A peer's data chain says something."""
        if self.runner is None:
            return
        try:
            message = decode_replica(event.data)
        except Refusal:
            return
        match message:
            case ChunkOffer() | ChunkHolding():
                self.runner.step(ReplicaSaid(event.peer, message))
            case ChunkRequest():
                self._serve(event.peer, message)
            case ChunkPart():
                self._sizes[message.chunk] = message.size
                self.runner.step(
                    PartCame(
                        peer=event.peer,
                        request=message.request,
                        chunk=message.chunk,
                        size=message.size,
                        segment=message.segment,
                        length=part_bytes(message),
                        data=message.data,
                    )
                )
            case _:
                pass  # collection and lists of sessions are not here

    def _serve(self, peer: bytes, asked: ChunkRequest) -> None:
        size = self.card.size(asked.chunk) if self.card.intact(asked.chunk) else 0
        self.card.doubt(asked.chunk)
        self._send(peer, ChunkPart(asked.request, asked.chunk, size, asked.segment, b""))

    def _send(self, peer: bytes, message: ReplicaMessage) -> None:
        world, node = self.node.world, self.node
        world.network.send(node.index, node.key, world.places[peer], encode(message))

    # -- what the machine wants ----------------------------------------------------------------------------------

    def _begin(self, effect: BeginFetch) -> None:
        self._arriving[effect.fetch] = Arriving(effect)

    def _take(self, effect: TakePart) -> None:
        self._arriving[effect.fetch].right &= not effect.data

    def _end(self, effect: EndFetch) -> None:
        arriving = self._arriving.pop(effect.fetch)
        runner = self.runner
        assert runner is not None, "only a machine that runs ends something"
        if not effect.whole:
            return
        if not arriving.right:
            self._later(runner, 1, lambda runner: runner.step(FetchEnded(effect.fetch, FetchOutcome.FALSE)))
        elif self.node.full:
            self._later(runner, 1, lambda runner: runner.step(FetchEnded(effect.fetch, FetchOutcome.FAILED)))
        else:
            wait_us = self.node.durable_us(None) if arriving.keep else 1
            self._later(runner, wait_us, lambda runner: self._durable(runner, effect.fetch, arriving))

    def _durable(self, runner: Runner, fetch: int, arriving: Arriving) -> None:
        if arriving.keep:
            self._keep(runner, arriving.chunk, self._sizes[arriving.chunk])
        runner.step(FetchEnded(fetch, FetchOutcome.KEPT))

    def _keep(self, runner: Runner, chunk: bytes, size: int) -> None:
        """A chunk is verified and durable."""
        self.card.keep(chunk, size)
        self._clients.kept.setdefault(chunk, set()).add(self.node.index)
        runner.step(ChunkStored(chunk))
