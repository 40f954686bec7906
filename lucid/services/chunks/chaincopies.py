"""What the chain knows of the copies of sessions, as the node's block manager says it (protocol section 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from lucid.chain.errors import Code
from lucid.chain.transactions import Ranges
from lucid.chain.versions import FIRST_RULES, HOLDING_RULES
from lucid.machines.replicamessages import SESSION_BYTES
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem


class RulesInForce(Protocol):
    """Who knows which version of the chain's rules is in force."""

    rules: int


class Holder(msgspec.Struct, frozen=True):
    """A node that said that it holds chunks of a session."""

    node: str
    chunks: int


class OnChain(msgspec.Struct, frozen=True):
    """What the chain knows of a session's copies: each chunk has `copies` or more of the `wanted` ones; `here` is what
    this node said last, `provable` unless that was under rules which had no proofs of it."""

    height: int
    chunks: int
    root: str
    copies: int
    wanted: int
    holders: tuple[Holder, ...]
    here: Ranges
    rules: int = FIRST_RULES
    provable: bool = True


class _Replicas(msgspec.Struct, frozen=True):
    sessions: tuple[OnChain | None, ...]


class ChainCopies:
    """Asks the block manager."""

    def __init__(self, rules: RulesInForce, manager: Sibling) -> None:
        self._rules = rules
        self._manager = manager

    async def on_chain(self, sessions: Sequence[bytes]) -> tuple[OnChain | None, ...]:
        """What the chain knows of sessions (id and owner); None of one that is not anchored. Raises `Problem`."""
        names = [each.hex() for each in sessions]
        status, found = await self._manager.ask("POST", "/node/replicas", {"sessions": names})
        if status != 200:
            raise Problem(Code.UNAVAILABLE, f"the block manager answers {status}")
        with self._manager.understood():
            return msgspec.convert(found, _Replicas).sessions

    async def fewest(self, session: bytes) -> int | None:
        """How many nodes said on the chain that they hold each chunk of a session (id and owner): 0 while that is not
        known, None where the rules have no such thing, or nobody says whose session it is."""
        if self._rules.rules < HOLDING_RULES or len(session) != SESSION_BYTES:
            return None
        try:
            (found,) = await self.on_chain([session])
        except Problem:
            return 0
        return 0 if found is None else found.copies
