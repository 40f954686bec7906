"""What a block manager shows of the chain: heights of views."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lucid.chain.genesis import Genesis, GenesisNode
from lucid.services.chain.chainview import ChainView
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore

KEYS = tuple(bytes([number]) * 32 for number in range(3))
GENESIS = Genesis(0, tuple(GenesisNode(key, "pi") for key in KEYS))


def chain(**more: Any) -> Any:
    """What of a chain is looked at."""
    root = SimpleNamespace(height=more["height"])
    return SimpleNamespace(tree=SimpleNamespace(root=root, nodes={}), **more)


@pytest.mark.parametrize(("place", "height"), [((0, 0), 0), ((0, 3), 3), ((0, 99), 5), ((1, 1), 6), ((9, 9), 10)])
def test_the_height_of_a_view(store: SqliteStore, place: tuple[int, int], height: int) -> None:
    """Five blocks of an epoch, five of the next; one that is not here any more is below what is."""
    places = {number: (0, number) if number <= 5 else (1, number - 5) for number in range(2, 11)}

    def block_at(at: int) -> Any:
        found = places.get(at)
        return None if found is None else SimpleNamespace(header=SimpleNamespace(epoch=found[0], view=found[1]))

    view = ChainView(chain(height=10, block_at=block_at), DurableStore(store), GENESIS)
    assert view.height_of(*place) == max(height, 1)
