"""The load: clients that sign session anchors and hand them to nodes, and what became of each."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import TYPE_CHECKING

from lucid.chain.transactions import SessionAnchor, claim_message
from lucid.machines.effects import Respond, Submitted
from sim.clock import Moment
from sim.exponential import exponential_us

if TYPE_CHECKING:
    from sim.world import World

OWNERS = 16
SESSION_MS = 600_000
CHUNK_BYTES = 1 << 20
MAX_RECENT = 64
HOLDINGS_FROM = 1 << 40
"""Requests with such numbers are not those of clients."""


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
