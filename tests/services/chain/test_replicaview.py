"""The copies of sessions as a block manager shows them: who holds what, what may be proven, what is asked for."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from lucid.chain.genesis import Activation
from lucid.chain.transactions import SessionAnchor
from lucid.chain.versions import HOLDING_RULES, PROOF_RULES, RELAY_RULES, REPLICATION_RULES
from lucid.ledger.proofs import open_challenge
from lucid.services.chain.replicaview import ReplicaView
from lucid.storage.sqlite import SqliteStore
from tests.builders import make_genesis
from tests.services.chain.growing import Growing

ALL = ((0, 7),)
"""The chunks of a session."""


class Shown:
    """A chain of some rules on which session 0 is anchored, and what is shown of it."""

    def __init__(self, store: SqliteStore, rules: int) -> None:
        self.growing = Growing(store, make_genesis(rules=Activation(rules), transaction_lifetime_blocks=16))
        self.signers = self.growing.signers
        self.view = ReplicaView(self.growing.chain)
        self.growing.grow(self.signers.anchor(0))

    def of(self, node: int = 0, session: int = 0) -> Any:
        """What is shown of a session's copies, to a node, as it reads it."""
        name: SessionAnchor = self.signers.anchor(session)
        found = self.view.replicas(name.session, name.owner, self.signers.node(node))
        return msgspec.json.decode(msgspec.json.encode(found))

    def asked(self, node: int = 0) -> Any:
        """What is asked of a node, as it reads it."""
        name, views = self.signers.anchor(0), self.signers.parameters.epoch_views
        found = self.view.challenge(name.session, name.owner, self.signers.node(node), views)
        return msgspec.json.decode(msgspec.json.encode(found))

    def next_epoch(self) -> None:
        """The next epoch's first block is final."""
        epoch = self.signers.tip.core.head.epoch
        while self.signers.tip.core.head.epoch == epoch:
            self.growing.grow()


def test_who_holds_what_is_what_each_said_last(store: SqliteStore) -> None:
    shown = Shown(store, HOLDING_RULES)
    anchor = shown.signers.anchor(0)
    assert shown.of(session=1) is None
    nothing = shown.of()
    assert (nothing["chunks"], nothing["root"], nothing["rules"]) == (7, anchor.root.hex(), HOLDING_RULES)
    assert (nothing["copies"], nothing["wanted"], nothing["holders"], nothing["here"]) == (0, 3, [], [])
    shown.growing.grow(shown.signers.holding(ranges=((0, 3),)), shown.signers.holding(node=1, ranges=ALL))
    one, two, three = (shown.of(number) for number in range(3))
    assert (one["here"], two["here"], three["here"]) == ([[0, 3]], [[0, 7]], [])
    holders = {each["node"]: each["chunks"] for each in one["holders"]}
    assert holders == {shown.signers.node(0).hex(): 3, shown.signers.node(1).hex(): 7}
    assert one["copies"] == 1, "of the chunk that fewest hold"
    assert one["height"] == shown.growing.chain.tree.root.height == nothing["height"] + 1
    shown.growing.grow(shown.signers.holding(ranges=()))
    again = shown.of()
    assert again["here"] == [] and [each["chunks"] for each in again["holders"]] == [7]


@pytest.mark.parametrize("rules", [REPLICATION_RULES, HOLDING_RULES])
def test_copies_are_told_from_the_rules_on_that_have_them(store: SqliteStore, rules: int) -> None:
    shown = Shown(store, rules)
    known, unknown = shown.signers.anchor(0), shown.signers.anchor(1)
    assert shown.growing.chain.rules.version == rules
    assert shown.view.copies(unknown.session, unknown.owner) == (None, None)
    found = shown.view.copies(known.session, known.owner)
    assert found == ((None, None) if rules < HOLDING_RULES else (0, 3))


def test_what_was_said_before_there_were_proofs_is_to_be_said_anew(store: SqliteStore) -> None:
    shown = Shown(store, HOLDING_RULES)
    shown.growing.grow(shown.signers.holding(ranges=ALL), shown.signers.schedule(PROOF_RULES, 14, 0))
    while shown.growing.chain.rules.version < PROOF_RULES:
        assert shown.of()["provable"], "nothing is to be proven yet"
        shown.growing.grow()
    shown.next_epoch()
    assert (shown.of(0)["provable"], shown.of(1)["provable"]) == (False, True), "who said nothing has nothing to repeat"
    shown.growing.grow(shown.signers.holding(ranges=ALL))
    assert shown.of(0)["provable"]


def test_a_node_is_asked_in_the_epoch_after_it_said_what_it_holds(store: SqliteStore) -> None:
    shown = Shown(store, PROOF_RULES)
    shown.growing.grow(shown.signers.holding(ranges=ALL))
    assert shown.asked() is None, "not in its own epoch"
    shown.next_epoch()
    anchor, tip = shown.signers.anchor(0), shown.signers.tip
    views = shown.signers.parameters.epoch_views
    drawn = open_challenge(tip, views, shown.signers.node(0), anchor.session, anchor.owner)
    assert drawn is not None
    assert shown.asked() == {
        "height": tip.core.head.height,
        "epoch": 1,
        "root": anchor.root.hex(),
        "chunks": 7,
        "draws": [[each.place, each.lot] for each in drawn.draws],
    }
    assert shown.asked(1) is None, "it said nothing"


def test_a_session_s_relay_is_told_and_whether_a_receipt_is_owed(store: SqliteStore) -> None:
    shown = Shown(store, RELAY_RULES)

    def relay(node: int, session: int = 0) -> Any:
        name = shown.signers.anchor(session)
        found = shown.view.relay(name.session, name.owner, shown.signers.node(node))
        return msgspec.json.decode(msgspec.json.encode(found))

    assert relay(1, session=1) is None
    assert relay(1) == {"height": 1, "relay": "", "open": True, "said": 0, "ranges": [], "owed": False}
    shown.growing.grow(shown.signers.holding(node=1, ranges=ALL))
    assert (relay(1)["said"], relay(1)["ranges"], relay(1)["owed"]) == (1, [[0, 7]], False), "nobody is named"
    shown.growing.grow(shown.signers.mandate())
    key = shown.signers.node(0).hex()
    assert [(relay(node)["relay"], relay(node)["owed"]) for node in range(3)] == [
        (key, False),
        (key, True),
        (key, False),
    ]
    shown.growing.grow(shown.signers.receipt(chunks=7))
    assert not relay(1)["owed"]
    shown.growing.grow(shown.signers.holding(node=1, ranges=()))
    assert not relay(1)["owed"]


def test_a_relay_may_be_named_as_long_as_the_chain_takes_it(store: SqliteStore) -> None:
    shown = Shown(store, RELAY_RULES)
    name, lifetime = shown.signers.anchor(0), shown.signers.parameters.transaction_lifetime_blocks
    anchored = shown.growing.chain.tree.root.height
    told = []
    for _ in range(2):
        found = shown.view.relay(name.session, name.owner, shown.signers.node(0))
        assert found is not None
        told.append((found.open, shown.signers.verdict(shown.signers.mandate()) is None))
        while shown.growing.chain.tree.root.height < anchored + lifetime:
            shown.growing.grow()
    assert told == [(True, True), (False, False)]


def test_anchored_sessions_are_those_of_the_blocks_between_both_included(store: SqliteStore) -> None:
    shown = Shown(store, HOLDING_RULES)
    shown.growing.grow(shown.signers.holding())
    shown.growing.grow(shown.signers.anchor(1), shown.signers.anchor(2))
    first, *others = [shown.signers.anchor(number).identity.hex() for number in range(3)]
    assert shown.view.anchored(1, 3) == [first, *others]
    assert shown.view.anchored(1, 1) == [first] and shown.view.anchored(2, 2) == []
    assert sorted(shown.view.anchored(2, 900)) == sorted(others), "what is not there is passed over"
    assert shown.view.anchored(3, 2) == []
