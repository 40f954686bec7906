"""What this node declares that it has room for, by its disk or as its operator says (protocol section 8, Weights)."""

from __future__ import annotations

import logging
from typing import NamedTuple, Protocol

import trio

from lucid.chain.placement import MAX_WEIGHT
from lucid.services.chunks.handedin import SAID_BLOCKS
from lucid.services.process.sibling import Sibling
from lucid.services.process.space import Space
from lucid.services.web.problems import Problem

TICKET_BYTES = 32 << 30
"""What a ticket stands for: the smallest card that is sold has one."""
LOOK_S = 10.0

_log = logging.getLogger("lucid.capacity")


class OwnPlace(NamedTuple):
    """What the chain has of this node, as of the final block of this height: the tickets that it declared last (1
    where it declared nothing), what it weighs, and what all nodes weigh together."""

    height: int
    declared: int
    weight: int
    total: int


class Places(Protocol):
    """Who knows what the chain has of this node."""

    own_place: OwnPlace | None
    """None until the manager has said it, and while the chain has no such thing."""


class Capacity:
    """Declares what this node has room for. `tickets` are those that its operator set, 0: by the disk."""

    def __init__(self, places: Places, space: Space, engine: Sibling, tickets: int) -> None:
        self._places = places
        self._space = space
        self._engine = engine
        self._set = tickets
        self._said: tuple[int, int] | None = None

    @property
    def tickets(self) -> int:
        """What it declares; 0 while the disk is away."""
        if self._set or not self._space.total:
            return self._set
        return max(1, min(MAX_WEIGHT, self._space.most // TICKET_BYTES))

    async def run(self) -> None:
        """Declare, and declare again what the chain does not have, forever."""
        while True:
            try:
                await self.look()
            except Problem as problem:
                _log.info("what this node has room for is declared later: %s", problem)
            await trio.sleep(LOOK_S)

    async def look(self) -> None:
        """Declare what is to be declared. Raises `Problem`."""
        own, tickets = self._places.own_place, self.tickets
        if own is None or own.declared == tickets or not tickets:
            return
        if self._said is not None and self._said[0] == tickets and own.height < self._said[1] + SAID_BLOCKS:
            return
        body = {"height": own.height, "tickets": tickets}
        status, answer = await self._engine.ask("POST", "/node/capacity", body)
        if status == 202:
            self._said = tickets, own.height
        else:
            _log.info("what this node declares is not taken: %s", answer)
