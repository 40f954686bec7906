"""What a node declares that it has room for: by its disk or its operator's word, once, and again if it is lost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lucid.chain.errors import Code
from lucid.services.chunks.capacity import TICKET_BYTES, Capacity, OwnPlace
from lucid.services.chunks.handedin import SAID_BLOCKS
from lucid.services.web.problems import Problem

NEW = OwnPlace(height=40, declared=1, weight=1, total=3)


class Node:
    """A node whose chain has this of it, and what its engine was handed."""

    def __init__(self, most: int, tickets: int = 0) -> None:
        self.own_place: OwnPlace | None = NEW
        self.space: Any = SimpleNamespace(most=most, total=most)
        self.status = 202
        self.away = False
        self.taken: list[Any] = []
        self.capacity = Capacity(self, self.space, self, tickets)  # type: ignore[arg-type]

    async def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if self.away:
            raise Problem(Code.UNAVAILABLE)
        assert (method, path) == ("POST", "/node/capacity")
        self.taken.append(body)
        return self.status, {}


@pytest.mark.parametrize(
    ("most", "tickets", "declared"),
    [
        (5, 0, 1),
        (TICKET_BYTES - 1, 0, 1),
        (3 * TICKET_BYTES + 1, 0, 3),
        (999 * TICKET_BYTES, 0, 16),
        (TICKET_BYTES, 7, 7),
        (0, 0, 0),
        (0, 7, 7),
    ],
)
def test_it_is_by_the_disk_unless_the_operator_says_otherwise(most: int, tickets: int, declared: int) -> None:
    assert Node(most, tickets).capacity.tickets == declared


async def test_it_is_declared_once_and_again_if_the_chain_does_not_have_it() -> None:
    node = Node(4 * TICKET_BYTES)
    for height in range(40, 40 + 2 * SAID_BLOCKS):
        node.own_place = NEW._replace(height=height)
        await node.capacity.look()
    assert node.taken == [{"height": 40, "tickets": 4}, {"height": 40 + SAID_BLOCKS, "tickets": 4}]
    node.own_place = NEW._replace(height=200, declared=4)
    await node.capacity.look()
    assert len(node.taken) == 2


async def test_a_disk_that_grew_is_declared_at_once() -> None:
    node = Node(4 * TICKET_BYTES)
    await node.capacity.look()
    node.space.most *= 2
    await node.capacity.look()
    assert [each["tickets"] for each in node.taken] == [4, 8]


async def test_what_an_engine_does_not_take_is_declared_again() -> None:
    node = Node(4 * TICKET_BYTES)
    node.status = 503
    await node.capacity.look()
    node.away = True
    with pytest.raises(Problem):
        await node.capacity.look()
    node.status, node.away = 202, False
    for _ in range(3):
        await node.capacity.look()
    assert len(node.taken) == 2


@pytest.mark.parametrize(("place", "most"), [(None, 4 * TICKET_BYTES), (NEW, TICKET_BYTES), (NEW, 0)])
async def test_nothing_is_declared_before_there_is_something_to_say(place: OwnPlace | None, most: int) -> None:
    """Before rules 7, while the manager is silent, by who has one ticket as everybody begins, and of no disk."""
    node = Node(most)
    node.own_place = place
    await node.capacity.look()
    assert not node.taken
