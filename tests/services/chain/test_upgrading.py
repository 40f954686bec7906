"""What a node says of rules: what holds, what is scheduled, who is ready, and that it is too old for them."""

from __future__ import annotations

import msgspec
import pytest

from lucid.api.answers import LAST_MS, RulesState
from lucid.chain.versions import FIRST_RULES, REPLICATION_RULES, RULES_KNOWN
from lucid.services.chain.upgrading import TOO_OLD, UPGRADE_DUE, Upgrading
from lucid.storage.sqlite import SqliteStore
from tests.builders import make_genesis
from tests.services.chain.growing import Growing

GENESIS = make_genesis()
HEIGHT = 14
"""An epoch has 12 views: block 13 opens the second, one too early, and block 25 the third."""


def upgrading(growing: Growing, known: dict[bytes, int] | None = None) -> Upgrading:
    """As node 0 sees it, which heard so of the others."""
    return Upgrading(growing.chain, GENESIS, growing.signers.node(0), lambda: dict(known or {}))


def shown(state: RulesState) -> RulesState:
    """The same as a client reads it, which is held to the bounds of each field."""
    return msgspec.json.decode(msgspec.json.encode(state), type=RulesState)


def test_a_chain_of_which_nothing_is_scheduled(store: SqliteStore) -> None:
    growing = Growing(store, GENESIS)
    growing.grow()
    seen = upgrading(growing)
    state = shown(seen.state())
    assert (state.version, state.known, state.scheduled) == (FIRST_RULES, RULES_KNOWN, None)
    assert (state.height, state.quorum, state.next_decision) == (1, 3, 0)
    assert seen.stopped() is None and seen.due() is None


@pytest.mark.parametrize("rules_known", [FIRST_RULES, REPLICATION_RULES])
def test_a_node_that_is_too_old_warns_until_it_stops_and_no_other_does(store: SqliteStore, rules_known: int) -> None:
    growing = Growing(store, GENESIS, rules_known=rules_known)
    seen = upgrading(growing)
    growing.grow(growing.signers.schedule(REPLICATION_RULES, HEIGHT, 0))
    old = rules_known < REPLICATION_RULES
    while growing.chain.tree.root.height < 24:
        due, stopped = seen.due(), seen.stopped()
        assert stopped is None and (due is not None) is old
        assert due is None or (due.state == UPGRADE_DUE and f"height {HEIGHT}" in due.sentence)
        assert due is None or f"rules {REPLICATION_RULES}" in due.remedy
        growing.grow()
    stopped = seen.stopped()
    assert seen.due() is None and (stopped is not None) is old
    if stopped is not None:
        assert stopped.state == TOO_OLD and "height 25" in stopped.sentence
        assert f"rules {REPLICATION_RULES}" in stopped.remedy
    assert shown(seen.state()).version == REPLICATION_RULES


def test_who_is_ready_is_by_what_each_said_last_and_of_this_node_by_what_it_is(store: SqliteStore) -> None:
    growing = Growing(store, GENESIS, rules_known=REPLICATION_RULES)
    nodes = [growing.signers.node(number) for number in range(4)]
    known = {nodes[0]: 0, nodes[1]: 1, nodes[2]: 9}
    seen = upgrading(growing, known)
    growing.grow()
    before = {each.node: each.ready for each in shown(seen.state()).validators}
    assert before == dict(zip([node.hex() for node in nodes], (True, True, True, False), strict=True))
    growing.grow(growing.signers.schedule(REPLICATION_RULES, HEIGHT, 0))
    state = shown(seen.state())
    found = {bytes.fromhex(each.node): (each.name, each.known, each.ready) for each in state.validators}
    assert found == {
        nodes[0]: ("node 0", REPLICATION_RULES, True),
        nodes[1]: ("node 1", 1, False),
        nodes[2]: ("node 2", 9, True),
        nodes[3]: ("node 3", None, False),
    }
    assert (state.ready, state.quorum) == (2, 3)


def test_how_far_away_scheduled_rules_are(store: SqliteStore) -> None:
    growing = Growing(store, GENESIS)
    growing.grow(growing.signers.schedule(REPLICATION_RULES, HEIGHT, 0))
    seen, head = upgrading(growing), growing.signers.tip.core.head
    scheduled = shown(seen.state()).scheduled
    assert scheduled is not None and (scheduled.version, scheduled.height) == (REPLICATION_RULES, HEIGHT)
    assert scheduled.blocks_ahead == HEIGHT - 1
    assert scheduled.earliest_ms == GENESIS.tick_ms(head.tick + HEIGHT - 1)
    while growing.chain.tree.root.height < HEIGHT + 2:
        growing.grow()
    late = shown(seen.state()).scheduled
    assert late is not None and late.blocks_ahead == 0, "it waits for its epoch"


def test_rules_that_no_calendar_reaches_can_be_shown(store: SqliteStore) -> None:
    growing = Growing(store, GENESIS)
    growing.grow(growing.signers.schedule(REPLICATION_RULES, 2**50, 0))
    scheduled = shown(upgrading(growing).state()).scheduled
    assert scheduled is not None and (scheduled.height, scheduled.earliest_ms) == (2**50, LAST_MS)
