"""What the chain knows of sessions' copies: as the block manager says it, and what is told while it says nothing."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from lucid.chain.errors import Code
from lucid.services.chunks.chaincopies import ChainCopies, OnChain
from lucid.services.web.problems import Problem

SESSION = b"s" * 16 + b"o" * 32
ANCHORED = OnChain(height=7, chunks=2, root="ab", copies=2, wanted=3, holders=(), here=())


class Chain:
    """A block manager of a chain, and who knows its rules."""

    def __init__(self, rules: int = 3, status: int = 200, held: OnChain | None = ANCHORED) -> None:
        self.rules = rules
        self.status = status
        self.held = held
        self.asked: list[Any] = []

    async def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """See `Sibling`."""
        self.asked.append((method, path, body))
        held = self.held
        fields = None if held is None else {name: getattr(held, name) for name in held.__struct_fields__}
        return self.status, {"sessions": [fields] * len(body["sessions"])}

    def understood(self) -> Any:
        """See `Sibling`."""
        return nullcontext()

    def copies(self) -> ChainCopies:
        """What is tested."""
        return ChainCopies(self, self)  # type: ignore[arg-type]


async def test_all_sessions_are_asked_of_at_once() -> None:
    chain = Chain()
    assert await chain.copies().on_chain([SESSION, SESSION]) == (ANCHORED, ANCHORED)
    assert chain.asked == [("POST", "/node/replicas", {"sessions": [SESSION.hex()] * 2})]


@pytest.mark.parametrize(
    ("chain", "fewest"),
    [(Chain(), 2), (Chain(held=None), 0), (Chain(status=503), 0), (Chain(rules=2), None)],
    ids=["anchored", "not anchored", "nobody says", "older rules"],
)
async def test_what_is_not_known_counts_as_none(chain: Chain, fewest: int | None) -> None:
    assert await chain.copies().fewest(SESSION) == fewest


async def test_a_session_without_its_owner_is_nobodys() -> None:
    chain = Chain()
    assert await chain.copies().fewest(SESSION[:16]) is None and not chain.asked


async def test_a_manager_that_does_not_answer_well_is_a_problem() -> None:
    with pytest.raises(Problem) as raised:
        await Chain(status=500).copies().on_chain([SESSION])
    assert raised.value.code is Code.UNAVAILABLE
