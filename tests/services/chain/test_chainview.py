"""What a block manager shows of the chain: members with their names and double votes, sessions of blocks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lucid.chain.genesis import Genesis, GenesisNode
from lucid.ledger.rows import evidence_key
from lucid.ledger.state import ROW_TABLE
from lucid.poot.credits import Member, empty_tally
from lucid.services.chain.chainview import MAX_DOUBLE_VOTES, PAGE_SCAN, ChainView, DoubleVote
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore

KEYS = tuple(bytes([number]) * 32 for number in range(3))
GENESIS = Genesis(0, tuple(GenesisNode(key, "pi") for key in KEYS))


def chain(**more: Any) -> Any:
    """What of a chain is looked at."""
    members = tuple(
        Member(key=key, name=name, pool="", since=0, retired=key == KEYS[2])
        for key, name in zip(KEYS, ("pi", "<b>\u202epi\n", "old"), strict=True)
    )
    core = SimpleNamespace(roster=SimpleNamespace(members=members), tally=empty_tally(3))
    root = SimpleNamespace(ledger=SimpleNamespace(core=core), height=more.get("height", 0))
    return SimpleNamespace(
        tree=SimpleNamespace(root=root, nodes={}),
        validators=SimpleNamespace(index={KEYS[0]: 0, KEYS[1]: 1}),
        **more,
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store of rows."""
    with closing(SqliteStore(tmp_path / "store")) as found:
        yield found


def test_double_votes_are_shown_newest_first_and_bounded(store: SqliteStore) -> None:
    votes = [(1, epoch, view) for epoch in range(3) for view in range(10)]
    store.write([(ROW_TABLE, evidence_key(*vote), b"\x01") for vote in [*votes, (2, 7, 8), (300, 1, 1)]])
    honest, cheat, other = ChainView(chain(), DurableStore(store), GENESIS).nodes()
    assert honest.double_votes == () and other.double_votes == (DoubleVote(7, 8),)
    newest = sorted(((epoch, view) for _, epoch, view in votes), reverse=True)[:MAX_DOUBLE_VOTES]
    assert cheat.double_votes == tuple(DoubleVote(*each) for each in newest)


def test_names_are_printable_and_roles_are_the_chain_s(store: SqliteStore) -> None:
    found = ChainView(chain(), DurableStore(store), GENESIS).nodes()
    assert [each.name for each in found] == ["pi", "<b>\\u202epi\\n", "old"]
    assert [(each.validator, each.retired) for each in found] == [(True, False), (True, False), (False, True)]


@pytest.mark.parametrize(("place", "height"), [((0, 0), 0), ((0, 3), 3), ((0, 99), 5), ((1, 1), 6), ((9, 9), 10)])
def test_the_height_of_a_view(store: SqliteStore, place: tuple[int, int], height: int) -> None:
    """Five blocks of an epoch, five of the next; one that is not here any more is below what is."""
    places = {number: (0, number) if number <= 5 else (1, number - 5) for number in range(2, 11)}

    def block_at(at: int) -> Any:
        found = places.get(at)
        return None if found is None else SimpleNamespace(header=SimpleNamespace(epoch=found[0], view=found[1]))

    view = ChainView(chain(height=10, block_at=block_at), DurableStore(store), GENESIS)
    assert view.height_of(*place) == max(height, 1)


def test_a_page_of_sessions_looks_at_so_many_blocks_at_most(store: SqliteStore) -> None:
    looked: list[int] = []

    def block_at(at: int) -> Any:
        looked.append(at)
        return SimpleNamespace(header=SimpleNamespace(tick=1, height=at), transactions=())

    view = ChainView(chain(height=10_000, block_at=block_at), DurableStore(store), GENESIS)
    page = view.sessions_from(10_000, 5)
    assert len(looked) == PAGE_SCAN and (page.first, page.last, page.next) == (10_000, 9_801, 9_800)
    page = view.sessions_from(3, 5)
    assert (page.first, page.last, page.next) == (3, 1, None)
