"""How a node stands with its chain, as its operator would ask: halted, behind, or no validator of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from lucid.chain.genesis import Genesis
from lucid.machines.chain import Chain
from lucid.services.web.health import Condition
from lucid.services.web.web import STARTING, STARTING_S

FEW_BLOCKS = 5
"""A node that lacks no more is not behind: blocks are on their way."""
TIMEOUTS = 6
"""Views that may time out in a row: leaders that are down follow each other rarely for longer."""

CATCHING_UP = "catching up"
FETCHING = "nothing: it fetches them; see that height grows"
NO_VALIDATOR = "no validator"
"""The condition of a node whose votes do not count."""


class Reach(NamedTuple):
    """How many validators this node has a connection to, itself counted, of how many, and how many blocks need."""

    seen: int
    quorum: int


class Liveness:
    """Follows the final blocks. `height` tells how high the chain is here, `goal` how high it is as enough
    peers say, `reach` who is there, `informed` whether peers have said how high it is."""

    def __init__(
        self,
        genesis: Genesis,
        height: Callable[[], int],
        goal: Callable[[], int],
        reach: Callable[[], Reach],
        informed: Callable[[], bool],
    ) -> None:
        parameters = genesis.parameters
        self._genesis = genesis
        self._height = height
        self._goal = goal
        self._reach = reach
        self._informed = informed
        self._began_s = time.monotonic()
        self._moved_s = time.monotonic()
        self._ages: deque[tuple[float, int]] = deque(maxlen=2)
        """When the last blocks became final here, and how old they were by this node's clock."""
        self.allowed_s = (parameters.block_interval_ms + TIMEOUTS * parameters.slot_timeout_ms) / 1000
        """How long the protocol may take from one final block to the next."""

    def block_final(self, tick: int, now_ms: int) -> None:
        """A block of that tick is final, at `now_ms` by this node's clock."""
        self._moved_s = time.monotonic()
        self._ages.append((self._moved_s, now_ms - self._genesis.tick_ms(tick)))

    def conditions(self) -> list[Callable[[], Condition | None]]:
        """What /health asks."""
        return [self.behind, self.halted]

    def behind(self) -> Condition | None:
        """Whether this node catches up."""
        if not self._informed() and time.monotonic() - self._began_s < STARTING_S:
            # One that has begun to fetch is no better off: what it is told so far may be far from all there is.
            sentence = "its peers have not said yet how many blocks there are"
            return Condition(STARTING, sentence, "wait: it asks for what it lacks as soon as they do")
        missing = self._goal() - self._height()
        if missing > FEW_BLOCKS:
            return Condition(CATCHING_UP, f"it is {missing} blocks behind its peers", FETCHING)
        if age_s := self._fetched_age_s():
            return Condition(CATCHING_UP, f"it fetches old blocks, the last of {age_s:.0f} s ago", FETCHING)
        return None

    def _fetched_age_s(self) -> float:
        """How old the last final block is, where it was fetched, old already, and not waited for; else 0. Peers need
        not have said how far they are for that, nor be many."""
        if len(self._ages) < 2:
            return 0.0
        (before_s, _), (last_s, age_ms) = self._ages[-2], self._ages[-1]
        since_s = time.monotonic() - last_s
        fetched = last_s - before_s < self._genesis.parameters.block_interval_ms / 2000 and since_s <= self.allowed_s
        # Two new ones may come at once too: it is no news of theirs how long they were the last.
        return age_ms / 1000 + since_s if fetched and age_ms / 1000 > self.allowed_s else 0.0

    def halted(self) -> Condition | None:
        """Whether no block has become final for longer than the protocol allows. A chain that never had one waits."""
        still_s = time.monotonic() - self._moved_s
        if still_s <= self.allowed_s or not self._height():
            return None
        seen, quorum = self._reach()
        what = f"no block is final for {still_s:.0f} s; {seen} of the {quorum} validators that are needed are seen"
        if seen < quorum:
            return Condition("halted", what, "start the nodes that are missing, or mend the connections to them")
        return Condition("halted", what, "see whether their engines are healthy, and all clocks right")


def no_validator(chain: Chain, own: bytes) -> Condition | None:
    """What a node warns of that no epoch counts on: it is to be registered, or was retired, or has the wrong key."""
    ledger = chain.tree.root.ledger
    if own in ledger.validators.index or own in ledger.next_validators.index:
        return None
    return Condition(
        NO_VALIDATOR,
        "this node's key is not that of a validator of the chain: it follows the chain, and signs nothing",
        "nothing, where administrators have yet to register it or have retired it; else see whether `key` is the one "
        "that the genesis names",
    )
