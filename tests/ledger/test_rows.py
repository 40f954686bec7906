"""Rows of the ledger: each key is one row's alone, in an order that scans rely on; each row has one encoding."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain.administrators import Administrators
from lucid.chain.codec import Record, decode, encode
from lucid.ledger.rows import (
    ADMINISTRATION_KEY,
    HEAD_KEY,
    OPENING_KEY,
    ROSTER_KEY,
    RULES_KEY,
    SCHEDULE_KEY,
    TALLY_KEY,
    AdministrationEntry,
    DueEntry,
    Head,
    HoldingEntry,
    KeeperEntry,
    OpeningEntry,
    RecentBlock,
    Roster,
    SessionEntry,
    SlotLeaders,
    anchored_key,
    due_key,
    evidence_key,
    false_proof_key,
    genesis_roster,
    holding_key,
    keeper_key,
    ordered_validators,
    replica_key,
    slot_key,
)
from lucid.poot.members import Member
from tests.builders import make_genesis
from tests.strategies import values

RECORDS = (
    AdministrationEntry, DueEntry, Head, HoldingEntry, KeeperEntry, OpeningEntry, RecentBlock, Roster, SessionEntry,
    SlotLeaders,
)  # fmt: skip

numbers = st.integers(0, 2**32 - 1)
sessions = st.binary(min_size=16, max_size=16)
ids = st.binary(min_size=32, max_size=32)
MAKERS = {
    slot_key: (st.integers(0, 2**64 - 1),),
    anchored_key: (sessions, ids),
    replica_key: (sessions, ids, ids),
    holding_key: (sessions, ids, ids),
    due_key: (sessions, ids, ids),
    keeper_key: (ids,),
    false_proof_key: (numbers, numbers),
    evidence_key: (numbers, numbers, numbers),
}
rows = st.one_of([st.tuples(st.just(make), st.tuples(*parts)) for make, parts in MAKERS.items()])


def test_row_keys_never_meet() -> None:
    assert slot_key(258) == b"w" + bytes(6) + b"\x01\x02"
    owner, node = bytes([1]) * 32, bytes([2]) * 32
    assert anchored_key(bytes(16), owner) == b"s" + bytes(16) + owner
    assert replica_key(bytes(16), owner, node) == b"p" + bytes(16) + owner + node
    assert holding_key(bytes(16), owner, node) == b"q" + bytes(16) + owner + node
    assert due_key(bytes(16), owner, node) == b"d" + bytes(16) + owner + node
    assert keeper_key(node) == b"k" + node
    assert false_proof_key(1, 2) == b"f" + bytes.fromhex("00000001 0000000000000002")
    assert evidence_key(1, 2, 3) == b"e" + bytes.fromhex("00000001 0000000000000002 0000000000000003")
    assert len({HEAD_KEY, TALLY_KEY, ROSTER_KEY, SCHEDULE_KEY, RULES_KEY, OPENING_KEY, ADMINISTRATION_KEY}) == 7


@settings(max_examples=60)
@given(rows, rows)
def test_two_rows_have_two_keys_that_begin_with_their_table(one: tuple, other: tuple) -> None:  # type: ignore[type-arg]
    keys = [make(*parts) for make, parts in (one, other)]
    assert (keys[0] == keys[1]) is (one == other)
    assert (keys[0][0] == keys[1][0]) is (one[0] is other[0])


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_slots_stand_in_their_order(one: int, other: int) -> None:
    assert (slot_key(one) < slot_key(other)) is (one < other)


@settings(max_examples=30)
@given(sessions, ids, ids, sessions)
def test_the_owners_of_one_id_stand_together(session: bytes, owner: bytes, other: bytes, between: bytes) -> None:
    low, high = sorted((anchored_key(session, owner), anchored_key(session, other)))
    assert not low < anchored_key(between, owner) < high or between == session


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_a_row_has_one_encoding(kind: type[Record]) -> None:
    @settings(max_examples=15)
    @given(values(kind))
    def told(value: Record) -> None:
        assert decode(encode(value), kind) == value

    told()


@settings(max_examples=40)
@given(st.lists(st.tuples(ids, st.booleans()), max_size=8, unique_by=lambda each: each[0]))
def test_validators_are_the_members_in_force_by_their_keys(named: list[tuple[bytes, bool]]) -> None:
    members = tuple(Member(key, "", "", 0, retired) for key, retired in named)
    found = [members[number].key for number in ordered_validators(members)]
    assert found == sorted(key for key, retired in named if not retired)
    assert Roster(members, 3, ()).next_validators() == ordered_validators(members)


def test_the_first_roster_is_the_documents_nodes() -> None:
    genesis = make_genesis(3, pools=("attic",))
    roster = genesis_roster(genesis)
    named = [(each.key, each.name, each.pool) for each in genesis.nodes]
    assert [(each.key, each.name, each.pool) for each in roster.members] == named
    assert roster.validators == roster.next_validators() and roster.sequence == 0
    assert all((each.since, each.retired) == (0, False) for each in roster.members)


def test_who_was_decided_on_decides_from_the_next_epoch_on() -> None:
    now, then = Administrators((bytes(32),), 1), Administrators((bytes([1]) * 32,), 1)
    entry = AdministrationEntry(now, then)
    assert entry.opening() == AdministrationEntry(then, None)
    assert entry.opening().opening() == entry.opening(), "and stay until others are decided on"
