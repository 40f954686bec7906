"""What a block manager says of a session's relay, as this node reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from lucid.chain.errors import Code
from lucid.services.chunks.chaincopies import known_of
from lucid.services.chunks.relayonchain import RelayOnChain
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem

SESSION = bytes(48)
TOLD = {"height": 9, "relay": "ab" * 32, "open": False, "said": 7, "ranges": [[0, 3]], "owed": True}


class Manager:
    """A block manager that says so of one session."""

    def __init__(self, told: Any) -> None:
        self.told = told

    async def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """See `Sibling`."""
        return 200, {"sessions": [self.told]}

    @contextmanager
    def understood(self) -> Iterator[None]:
        """See `Sibling`."""
        try:
            yield
        except (ValueError, TypeError) as error:
            raise Problem(Code.UNAVAILABLE, str(error)) from None


async def heard(told: Any) -> RelayOnChain | None:
    [(_, known)] = await known_of(cast(Sibling, Manager(told)), "/node/relays", [SESSION], RelayOnChain)
    return known


async def test_a_relay_is_known_with_what_is_owed_to_it() -> None:
    found = await heard(TOLD)
    assert found == RelayOnChain(9, "ab" * 32, False, 7, ((0, 3),), True)
    assert await heard(None) is None, "the chain does not hold the session"


@pytest.mark.parametrize("change", [{"height": "9"}, {"relay": None}, {"ranges": [[0]]}, {"owed": 1}])
async def test_an_answer_of_another_shape_is_not_taken(change: dict[str, Any]) -> None:
    with pytest.raises(Problem):
        await heard(TOLD | change)
