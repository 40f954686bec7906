"""What a block manager shows of the sessions of a chain."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from lucid.chain.genesis import Genesis, GenesisNode
from lucid.services.chain.sessionsview import PAGE_SCAN, SessionsView
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore

KEYS = tuple(bytes([number]) * 32 for number in range(3))
GENESIS = Genesis(0, tuple(GenesisNode(key, "pi") for key in KEYS))


def chain(**more: Any) -> Any:
    """What of a chain is looked at."""
    root = SimpleNamespace(height=more["height"])
    return SimpleNamespace(tree=SimpleNamespace(root=root, nodes={}), **more)


def test_a_page_of_sessions_looks_at_so_many_blocks_at_most(store: SqliteStore) -> None:
    looked: list[int] = []

    def block_at(at: int) -> Any:
        looked.append(at)
        return SimpleNamespace(header=SimpleNamespace(tick=1, height=at), transactions=())

    view = SessionsView(chain(height=10_000, block_at=block_at), DurableStore(store), GENESIS)
    page = view.page(10_000, 5)
    assert len(looked) == PAGE_SCAN and (page.first, page.last, page.next) == (10_000, 9_801, 9_800)
    page = view.page(3, 5)
    assert (page.first, page.last, page.next) == (3, 1, None)
