"""Members as a block manager shows them: their names, their roles, their double votes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from lucid.chain.codec import encode
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.chain.versions import ChainRules
from lucid.ledger.rows import CapacityEntry, Weights, evidence_key
from lucid.ledger.state import ROW_TABLE
from lucid.poot.credits import empty_tally
from lucid.poot.members import Member
from lucid.services.chain.membership import MAX_DOUBLE_VOTES, DoubleVote, Membership
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore

KEYS = tuple(bytes([number]) * 32 for number in range(3))
WEIGHTS = encode(Weights((CapacityEntry(), CapacityEntry(declared=4, height=7, weight=2, since=3))))
GENESIS = Genesis(0, tuple(GenesisNode(key, "pi") for key in KEYS))


def chain() -> Any:
    """What of a chain is looked at."""
    members = tuple(
        Member(key=key, name=name, pool="", since=0, retired=key == KEYS[2])
        for key, name in zip(KEYS, ("pi", "<b>\u202epi\n", "old"), strict=True)
    )
    core = SimpleNamespace(roster=SimpleNamespace(members=members), tally=empty_tally(3))
    return SimpleNamespace(
        tree=SimpleNamespace(root=SimpleNamespace(ledger=SimpleNamespace(core=core, row=lambda key: WEIGHTS))),
        validators=SimpleNamespace(index={KEYS[0]: 0, KEYS[1]: 1}),
    )


def test_double_votes_are_shown_newest_first_and_bounded(store: SqliteStore) -> None:
    votes = [(1, epoch, view) for epoch in range(3) for view in range(10)]
    store.write([(ROW_TABLE, evidence_key(*vote), b"\x01") for vote in [*votes, (2, 7, 8), (300, 1, 1)]])
    honest, cheat, other = Membership(chain(), DurableStore(store)).nodes()
    assert honest.double_votes == () and other.double_votes == (DoubleVote(7, 8),)
    newest = sorted(((epoch, view) for _, epoch, view in votes), reverse=True)[:MAX_DOUBLE_VOTES]
    assert cheat.double_votes == tuple(DoubleVote(*each) for each in newest)


def test_names_are_printable_and_roles_are_the_chain_s(store: SqliteStore) -> None:
    found = Membership(chain(), DurableStore(store)).nodes()
    assert [each.name for each in found] == ["pi", "<b>\\u202epi\\n", "old"]
    assert [(each.validator, each.retired) for each in found] == [(True, False), (True, False), (False, True)]


def test_what_nodes_declared_and_weigh_is_shown_and_told_to_the_data_chain(store: SqliteStore) -> None:
    made = chain()
    made.tree.root.height = 30
    made.tree.root.ledger.core.rules = ChainRules(version=7)
    membership = Membership(made, DurableStore(store))
    assert [(each.tickets, each.weight) for each in membership.nodes()] == [(0, 1), (4, 2), (0, 1)]
    told = {"replication_factor": 3, "rules": 7, "height": 30, "members": [key.hex() for key in KEYS[:2]]}
    assert membership.members(KEYS[1]) == told | {"weights": [1, 2], "declared": 4}
    assert membership.members(KEYS[0]) == told | {"weights": [1, 2], "declared": 1}
    assert membership.members(b"x" * 32) == told | {"weights": [1, 2], "declared": None}
