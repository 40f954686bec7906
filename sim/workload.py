"""The load: clients that sign session anchors and hand them to nodes, and what became of each; what nodes hold."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import TYPE_CHECKING

from msgspec import structs

from lucid.chain.transactions import Ranges, ReplicaHolding, SessionAnchor, claim_message
from lucid.machines.effects import Respond, Submitted
from sim.clock import Moment

if TYPE_CHECKING:
    from sim.world import World

OWNERS = 16
SESSION_MS = 600_000
CHUNK_BYTES = 1 << 20
MAX_RECENT = 64
HOLDINGS_FROM = 1 << 40
"""Requests with such numbers are not those of clients."""
_FRACTION_BITS = 32


class Workload:
    """Clients' attempts to anchor a session: one every `every_us` in the mean, each at a node drawn from the stream.

    Attempts are a Poisson process, as those of many clients that know nothing of each other are; `fixed` spaces them
    evenly instead, which makes latencies depend on the phase between the load's period and the chain's. Of the
    `attempts`, those at a node that is down end there; the others are `submitted`.
    """

    def __init__(self, world: World, every_us: int, fixed: bool, random: Random) -> None:
        self.world = world
        self.attempts = 0
        self.submitted = 0
        self.most_waiting = 0
        self.accepted: dict[bytes, tuple[int, int]] = {}
        self.recent: deque[SessionAnchor] = deque(maxlen=MAX_RECENT)
        """Sessions that clients tried to anchor last."""
        self.refused = 0
        self._every_us = every_us
        self._fixed = fixed
        self._random = random
        self._owners = [random.randbytes(32) for _ in range(OWNERS)]
        self._asked: dict[int, int] = {}
        if every_us:
            self._next()

    def responded(self, node: int, effect: Respond) -> bytes | None:
        """A node answered a client; returns the id of what it accepted."""
        if effect.request >= HOLDINGS_FROM:
            return None
        at_us = self._asked.pop(effect.request, None)
        if at_us is None or effect.refusal is not None:
            self.refused += 1
            return None
        self.accepted[effect.transaction] = (node, at_us)
        self.most_waiting = max(self.most_waiting, len(self.accepted))
        return effect.transaction

    def _next(self) -> None:
        delay_us = self._every_us if self._fixed else exponential_us(self._random, self._every_us)
        self.world.clock.after(delay_us, self._submit)

    def _submit(self, _: Moment) -> None:
        self._next()
        node = self.world.nodes[self._random.randrange(len(self.world.nodes))]
        # Drawn though the node may be down: a fault shifts nothing of the load that comes after it.
        anchor = self._anchor()
        self.recent.append(anchor)
        self.attempts += 1
        if not node.up:
            return
        assert node.engine is not None
        self.submitted += 1
        self._asked[self.submitted] = self.world.clock.now_us
        node.engine.step(Submitted(self.submitted, anchor))

    def _anchor(self) -> SessionAnchor:
        random, crypto = self._random, self.world.clients
        owner = self._owners[random.randrange(OWNERS)]
        identity = bytearray(random.randbytes(16))
        identity[6] = identity[6] & 0x0F | 0x40
        identity[8] = identity[8] & 0x3F | 0x80
        chunks = 1 + random.randrange(200)
        ended_ms = self.world.epoch_ms + self.world.clock.now_us // 1000
        blank = SessionAnchor(
            session=bytes(identity),
            owner=crypto.public_key(owner),
            started_ms=ended_ms - SESSION_MS,
            ended_ms=ended_ms,
            manifest=random.randbytes(32),
            root=random.randbytes(32),
            chunks=chunks,
            total_bytes=chunks * CHUNK_BYTES,
            policy=b"",
            signature=bytes(64),
        )
        signature = crypto.sign(owner, claim_message(self.world.genesis.chain_id, blank))
        return SessionAnchor(*[*(getattr(blank, name) for name in blank.__struct_fields__[:-1]), signature])


class HoldingLoad:
    """Nodes that say on the chain what they hold of a session: one every `every_us` in the mean, of a session that a
    client tried to anchor lately. The session may not be on the chain, and what a node says may be older than what it
    said last: blocks leave such out."""

    def __init__(self, world: World, every_us: int, random: Random) -> None:
        self.world = world
        self.said = 0
        self._every_us = every_us
        self._random = random
        if every_us:
            self._next()

    def _next(self) -> None:
        self.world.clock.after(exponential_us(self._random, self._every_us), self._say)

    def _say(self, _: Moment) -> None:
        self._next()
        random, sessions = self._random, self.world.workload.recent
        node = self.world.nodes[random.randrange(len(self.world.nodes))]
        place, kept, older = random.randrange(MAX_RECENT), random.random(), random.choice((0, 0, 0, 5))
        if not sessions or not node.up:
            return
        assert node.engine is not None
        anchor = sessions[place % len(sessions)]
        holding = ReplicaHolding(
            node=node.key,
            owner=anchor.owner,
            session=anchor.session,
            height=max(0, node.engine.machine.admission.height - older),  # type: ignore[union-attr]
            ranges=_some(anchor.chunks, kept),
            signature=bytes(64),
        )
        signature = self.world.clients.sign(node.secret, claim_message(self.world.genesis.chain_id, holding))
        self.said += 1
        node.engine.step(Submitted(HOLDINGS_FROM + self.said, structs.replace(holding, signature=signature)))


def _some(chunks: int, kept: float) -> Ranges:
    """All chunks, none, or two parts with a gap between them."""
    if kept < 0.1:
        return ()
    gap = int(chunks * kept / 2)
    return ((0, chunks),) if kept > 0.6 or not 0 < gap < chunks - 1 else ((0, gap), (gap + 1, chunks - gap - 1))


def exponential_us(random: Random, mean_us: int) -> int:
    """An exponentially distributed time of at least 1 microsecond, in integers, so that every machine draws the same.

    Von Neumann's method (1951): the parity of the length of a descending run of uniform draws decides whether the first
    of them is the fraction, and each run that fails adds one to the whole part.
    """
    whole = 0
    while True:
        first = least = random.getrandbits(_FRACTION_BITS)
        length = 1
        while (draw := random.getrandbits(_FRACTION_BITS)) < least:
            least = draw
            length += 1
        if length % 2:
            return max(1, ((whole << _FRACTION_BITS) + first) * mean_us >> _FRACTION_BITS)
        whole += 1
