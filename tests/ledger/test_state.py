"""Ledgers over one another and over a store: rows, roots, forks, finality, and a ledger made of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.hashing import state_key_digest
from lucid.ledger.memory import MemoryStore
from lucid.ledger.rows import (
    HEAD_KEY,
    ROSTER_KEY,
    SCHEDULE_KEY,
    TALLY_KEY,
    Head,
    Roster,
    anchored_key,
)
from lucid.ledger.rowstore import RowLost
from lucid.ledger.state import ROW_TABLE, TREE_TABLE, Ledger, genesis_ledger, ledger_of_rows, stored_ledger, tree_key
from lucid.poot.credits import PPM, Tally
from lucid.poot.members import Member
from lucid.poot.schedule import Schedule
from tests.builders import CRYPTO, Chain, make_genesis, secret, stored
from tests.naive_tree import derived, naive_state

# Rows whose key digests share 16 bits, 28 bits or nothing, found by trying: deep and shallow parts of the tree.
ALIKE = [19268, 30474, 52355, 75554, 125523, 184080, 48413, 347749, 389235, 1476, 5600, 1, 2, 3, 4, 5]
KEYS = [anchored_key(number.to_bytes(16, "big"), b"") for number in ALIKE]

changes = st.dictionaries(st.sampled_from(KEYS), st.none() | st.binary(max_size=3), max_size=6)


def stored_rows(store: MemoryStore) -> dict[bytes, bytes]:
    return dict(store.scan(ROW_TABLE))


def assert_consistent(store: MemoryStore) -> bytes:
    """The store's tree is the tree of the store's rows, node by node; returns its root."""
    root, nodes = naive_state(stored_rows(store))
    assert dict(store.scan(TREE_TABLE)) == {tree_key(index): node for index, node in nodes.items()}
    return root


class Fork:
    """A ledger that is not final, and what it should hold."""

    def __init__(self, ledger: Ledger, rows: Mapping[bytes, bytes], parent: Fork | None) -> None:
        self.ledger = ledger
        self.rows = rows
        self.parent = parent


class LedgerMachine(RuleBasedStateMachine):
    """Forks grow from any ledger in memory; now and then one becomes final, and is settled at once or later."""

    @initialize()
    def start(self) -> None:
        self.store = MemoryStore()
        ledger = genesis_ledger(make_genesis(1), self.store)
        self.final = Fork(ledger, ledger.core.encoded(), None)
        self.forks = [self.final]
        self.flushed: list[Ledger] = []
        self.write([self.final])

    def write(self, path: Iterable[Fork]) -> None:
        for fork in path:
            self.store.write(fork.ledger.flush())
            self.flushed.append(fork.ledger)

    @rule(data=st.data(), batch=changes)
    def grow(self, data: st.DataObject, batch: Mapping[bytes, bytes | None]) -> None:
        parent = data.draw(st.sampled_from(self.forks[-6:]))
        rows = {key: value for key, value in {**parent.rows, **batch}.items() if value is not None}
        ledger = Ledger(self.store, parent.ledger, parent.ledger.core, batch)
        self.forks.append(Fork(ledger, rows, parent))

    @precondition(lambda self: len(self.forks) > 1)
    @rule(data=st.data())
    def finalize(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(self.forks[1:]))
        path = [chosen]
        while path[0].parent is not self.final:
            assert path[0].parent is not None
            path.insert(0, path[0].parent)
        self.settle()  # as the machines do: one batch settles before the next is flushed
        self.write(path)
        self.final = chosen
        kept = [chosen]
        for fork in self.forks:
            if fork.parent in kept and fork not in kept:
                kept.append(fork)
        self.forks = kept

    @rule()
    def settle(self) -> None:
        for ledger in self.flushed:
            ledger.settle()
        self.flushed = []

    @rule()
    def restart(self) -> None:
        """Everything in memory is lost: the last final ledger comes from the store."""
        ledger = stored_ledger(self.store)
        assert ledger is not None
        self.final = Fork(ledger, self.final.rows, None)
        self.forks, self.flushed = [self.final], []

    @invariant()
    def every_ledger_holds_its_rows(self) -> None:
        for fork in self.forks:
            assert fork.ledger.root == naive_state(fork.rows)[0]
            assert {key: fork.ledger.row(key) for key in KEYS} == {key: fork.rows.get(key) for key in KEYS}

    @invariant()
    def the_store_holds_the_final_ledger(self) -> None:
        assert stored_rows(self.store) == self.final.rows
        assert assert_consistent(self.store) == self.final.ledger.root


TestLedgers = LedgerMachine.TestCase
pytest.mark.slow(TestLedgers)
TestLedgers.settings = settings(max_examples=60, stateful_step_count=20)


# -- genesis -------------------------------------------------------------------------------------------------------


def test_the_genesis_ledger() -> None:
    genesis = make_genesis(3, pools=("attic",))
    ledger = genesis_ledger(genesis, MemoryStore())
    keys = [CRYPTO.public_key(secret(f"node {number}")) for number in range(3)]
    order = tuple(sorted(range(3), key=lambda number: keys[number]))
    members = (
        Member(keys[0], "node 0", "attic", 0, False),
        Member(keys[1], "node 1", "", 0, False),
        Member(keys[2], "node 2", "", 0, False),
    )
    beacon = derived("lucid beacon v1", genesis.chain_id)
    rows = {
        b"h": encode(Head(0, 0, 0, 0, -1, bytes(32), beacon, (), ())),
        b"t": encode(Tally((0,) * 3, (0,) * 3, (0,) * 3, (PPM,) * 3, (0,) * 3)),
        b"r": encode(Roster(members, 0, order)),
        b"c": encode(Schedule(-1, order, 0, 0)),
    }
    assert dict(ledger.rows) == rows
    assert ledger.root == naive_state(rows)[0]
    assert ledger.validators.keys == ledger.next_validators.keys == tuple(sorted(keys))


def test_tree_keys_are_the_indexes_of_nodes() -> None:
    assert [tree_key(index).hex() for index in (1, 2, 255, 256, 65_536)] == ["01", "02", "ff", "0100", "010000"]
    deepest = (1 << 256) + 5
    assert int.from_bytes(tree_key(deepest), "big") == deepest


# -- overlays and the store ----------------------------------------------------------------------------------------


def test_a_row_is_looked_up_through_the_parents_down_to_the_store() -> None:
    store = MemoryStore()
    first = genesis_ledger(make_genesis(1), store)
    second = Ledger(store, first, first.core, {KEYS[0]: b"a", KEYS[1]: b"b"})
    third = Ledger(store, second, first.core, {KEYS[1]: None})
    assert (second.row(KEYS[0]), second.row(KEYS[1]), second.row(KEYS[2])) == (b"a", b"b", None)
    assert (third.row(KEYS[0]), third.row(KEYS[1])) == (b"a", None)
    assert first.row(KEYS[0]) is None
    for ledger in (first, second, third):
        store.write(ledger.flush())
        ledger.settle()
        assert ledger.parent is None and not ledger.rows and not ledger.flush()
    assert (third.row(KEYS[0]), third.row(KEYS[1])) == (b"a", None)


def test_a_ledger_without_changes_has_its_parents_root() -> None:
    store = MemoryStore()
    first = genesis_ledger(make_genesis(1), store)
    assert Ledger(store, first, first.core, {}).root == first.root
    store.write(first.flush())
    again = stored_ledger(store)
    assert again is not None and again.root == first.root and not again.flush()


def test_an_empty_store_holds_no_ledger() -> None:
    assert stored_ledger(MemoryStore()) is None


def test_a_chain_goes_on_from_its_store_as_if_nothing_had_happened() -> None:
    chain = Chain(make_genesis(4, min_uptime_ppm=0))
    for number in range(8):
        chain.grow(chain.anchor(number))
    other = chain.copy()
    chain.settle()
    ledger = stored_ledger(chain.store)
    assert ledger is not None
    assert ledger.core.encoded() == chain.tip.core.encoded()
    assert (ledger.root, ledger.validators.hash) == (chain.tip.root, chain.tip.validators.hash)
    other.tip = ledger
    for number in range(8, 24):
        one, two = chain.grow(chain.anchor(number)), other.grow(other.anchor(number))
        assert one.header == two.header
    chain.settle()
    assert assert_consistent(chain.store) == chain.tip.root


def test_a_node_of_the_tree_that_is_lost_is_named_and_not_taken_for_none() -> None:
    store = MemoryStore()
    first = genesis_ledger(make_genesis(1), store)
    second = Ledger(store, first, first.core, dict.fromkeys(KEYS, b"a"))
    for ledger in (first, second):
        store.write(ledger.flush())
    lost = next(key for key, node in store.scan(TREE_TABLE) if node[1:33] == state_key_digest(KEYS[0]))
    store.write([(TREE_TABLE, lost, None)])
    again = stored_ledger(store)
    assert again is not None
    with pytest.raises(RowLost) as caught:
        Ledger(store, again, again.core, {KEYS[0]: b"b"})
    assert (caught.value.table, caught.value.key) == (TREE_TABLE, lost)
    assert caught.value.code is Code.STORE_DAMAGED


# -- snapshots -----------------------------------------------------------------------------------------------------


def settled_chain() -> Chain:
    """A chain with rows of every table, all in its store."""
    chain = Chain(make_genesis(4))
    chain.grow(chain.anchor(), chain.register(5, 0))
    chain.grow(chain.commit(), chain.heartbeat(0, 0, chain.chain_id))
    chain.grow(chain.evidence(3), chain.retire(2, 1))
    chain.settle()
    return chain


def test_a_ledger_of_rows_is_the_ledger_that_left_them() -> None:
    chain = settled_chain()
    rows = stored_rows(chain.store)
    assert {key[:1] for key in rows} == {b"h", b"t", b"r", b"c", b"w", b"s", b"p", b"e"}
    store = MemoryStore()
    ledger = ledger_of_rows(store, rows)
    assert ledger is not None
    assert ledger.root == chain.tip.root
    assert ledger.core.encoded() == chain.tip.core.encoded()
    assert (ledger.validators.hash, ledger.next_validators.hash) == (
        chain.tip.validators.hash,
        chain.tip.next_validators.hash,
    )
    store.write(ledger.flush())
    assert stored(store) == stored(chain.store)
    ledger.settle()
    assert {key: ledger.row(key) for key in rows} == rows


def test_a_ledger_of_rows_does_not_see_the_tree_of_the_store() -> None:
    """A node that lags far behind takes over a snapshot while its store holds an older state."""
    chain = settled_chain()
    rows = stored_rows(chain.store)
    old = Chain(chain.genesis)
    for number in range(5, 9):
        old.grow(old.anchor(number))
    old.settle()
    ledger = ledger_of_rows(old.store, rows)
    assert ledger is not None and ledger.root == chain.tip.root
    for table in old.store.tables():
        old.store.write([(table, key, None) for key, _ in old.store.scan(table)])
    old.store.write(ledger.flush())
    ledger.settle()
    assert stored(old.store) == stored(chain.store)
    old.tip, old.hash = ledger, chain.hash
    assert old.grow(old.anchor(9)).header == chain.grow(chain.anchor(9)).header


def test_a_ledger_of_rows_grows_before_it_is_stored() -> None:
    chain = settled_chain()
    rows = stored_rows(chain.store)
    other = Chain(chain.genesis)
    ledger = ledger_of_rows(other.store, rows)
    assert ledger is not None
    other.tip, other.hash = ledger, chain.hash
    assert other.grow(other.anchor(9)).header == chain.grow(chain.anchor(9)).header
    other.settle()
    chain.settle()
    assert stored(other.store) == stored(chain.store)


@pytest.mark.parametrize("missing", [HEAD_KEY, TALLY_KEY, ROSTER_KEY, SCHEDULE_KEY])
def test_without_a_row_of_the_core_there_is_no_ledger(missing: bytes) -> None:
    chain = settled_chain()
    rows = stored_rows(chain.store)
    del rows[missing]
    assert ledger_of_rows(MemoryStore(), rows) is None
    chain.store.write([(ROW_TABLE, missing, None)])
    assert stored_ledger(chain.store) is None


def test_a_core_that_does_not_decode_is_refused() -> None:
    rows = stored_rows(settled_chain().store)
    with pytest.raises(Refusal):
        ledger_of_rows(MemoryStore(), rows | {HEAD_KEY: b"\x00"})


@pytest.mark.parametrize("validators", [(), (9,), (0, 0)], ids=["nobody", "no member", "twice"])
def test_a_roster_that_can_not_be_is_refused_and_not_felt(validators: tuple[int, ...]) -> None:
    """The rows of a snapshot come from a peer: only their root is certified, and it is compared afterwards."""
    rows = stored_rows(settled_chain().store)
    roster = decode(rows[ROSTER_KEY], Roster)
    forged = rows | {ROSTER_KEY: encode(Roster(roster.members, roster.sequence, validators))}
    try:
        ledger = ledger_of_rows(MemoryStore(), forged)
    except Refusal:
        return
    assert ledger is None or ledger.root == naive_state(forged)[0]


# -- validator sets ------------------------------------------------------------------------------------------------


def test_the_sets_are_this_epochs_and_the_one_that_would_follow() -> None:
    chain = Chain(make_genesis(4))
    before = chain.tip.validators
    chain.grow(chain.register(5, 0))
    chain.grow(chain.retire(0, 1))
    assert chain.tip.validators.hash == before.hash
    expected = sorted(chain.node(number) for number in (1, 2, 3, 5))
    assert chain.tip.next_validators.keys == tuple(expected)
    for _ in range(10):
        chain.grow()
    assert chain.turn.epoch == 1 and chain.tip.core.head.epoch == 0
    chain.grow()
    assert chain.tip.core.head.epoch == 1
    assert chain.tip.validators.keys == chain.tip.next_validators.keys == tuple(expected)
