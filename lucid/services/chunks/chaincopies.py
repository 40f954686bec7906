"""What the chain knows of sessions and their copies, as the node's block manager says it (protocol section 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from lucid.chain.errors import Code
from lucid.chain.transactions import Ranges
from lucid.chain.versions import FIRST_RULES, HOLDING_RULES
from lucid.machines.replicamessages import SESSION_BYTES
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem

Known = TypeVar("Known")


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


class _Answers(msgspec.Struct, Generic[Known], frozen=True):
    sessions: tuple[Known | None, ...]


class ChainCopies:
    """Asks the block manager."""

    def __init__(self, rules: RulesInForce, manager: Sibling) -> None:
        self._rules = rules
        self._manager = manager

    async def on_chain(self, sessions: Sequence[bytes]) -> tuple[OnChain | None, ...]:
        """What the chain knows of sessions (id and owner); None of one that is not anchored. Raises `Problem`."""
        return tuple([known for _, known in await known_of(self._manager, "/node/replicas", sessions, OnChain)])

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


async def known_of(
    manager: Sibling, path: str, sessions: Sequence[bytes], kind: type[Known]
) -> list[tuple[bytes, Known | None]]:
    """What the manager answers there of each of these sessions, None where it has nothing to say. Raises `Problem`."""
    if not sessions:
        return []
    status, found = await manager.ask("POST", path, {"sessions": [each.hex() for each in sessions]})
    if status != 200:
        raise Problem(Code.UNAVAILABLE, f"the block manager answers {status}")
    with manager.understood():
        answers = msgspec.convert(found, _Answers[kind]).sessions  # type: ignore[valid-type]
        return list(zip(sessions, answers, strict=True))
