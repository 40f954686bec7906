"""What nodes say on the chain that they hold of a session: the rules of it, and how many copies follow from it.

`Chain.verdict` asks a leader and a judge and checks that they agree and that a refused transaction changes nothing.
"""

from __future__ import annotations

import pytest

from lucid.chain.codec import decode
from lucid.chain.errors import Code
from lucid.chain.genesis import Activation
from lucid.chain.transactions import Ranges
from lucid.chain.versions import HOLDING_RULES, REPLICATION_RULES
from lucid.ledger.replicas import SessionReplicas, session_replicas
from lucid.ledger.rows import HoldingEntry, holding_key
from tests.builders import Chain, make_genesis, secret

ALL: Ranges = ((0, 7),)
"""The chunks of a session of these chains."""
LIFETIME = 20


def anchored(blocks: int = 3, nodes: int = 4, version: int = HOLDING_RULES) -> Chain:
    """A chain of so many blocks; session 0 is anchored in the first."""
    chain = Chain(make_genesis(nodes, rules=Activation(version), transaction_lifetime_blocks=LIFETIME))
    for height in range(blocks):
        chain.grow(*([chain.anchor()] if height == 0 else []))
    return chain


def replicas(chain: Chain) -> SessionReplicas:
    anchor = chain.anchor()
    found = session_replicas(chain.tip, anchor.session, anchor.owner)
    assert found is not None
    return found


def row(chain: Chain, node: int) -> HoldingEntry | None:
    anchor = chain.anchor()
    data = chain.tip.row(holding_key(anchor.session, anchor.owner, chain.node(node)))
    return None if data is None else decode(data, HoldingEntry)


@pytest.mark.parametrize(
    ("ranges", "code"),
    [
        (((0, 1),), None),
        (((0, 7),), None),
        (((6, 1),), None),
        (((0, 2), (3, 1), (5, 2)), None),
        ((), Code.TX_FIELD),
        (((0, 0),), Code.TX_FIELD),
        (((0, 2), (2, 1)), Code.TX_FIELD),
        (((3, 1), (0, 1)), Code.TX_FIELD),
        (((0, 8),), Code.TX_FIELD),
        (((7, 1),), Code.TX_FIELD),
        (((0, 1), (6, 2)), Code.TX_FIELD),
        (((0, 1_000_001),), Code.TX_FIELD),
    ],
)
def test_ranges_ascend_apart_within_the_session(ranges: Ranges, code: Code | None) -> None:
    chain = anchored()
    said = chain.holding(ranges=ranges)
    assert chain.verdict(said) is code
    if code is None:
        chain.grow(said)
        assert row(chain, 0) == HoldingEntry(3, ranges)


def test_who_may_say_it_and_of_what() -> None:
    chain = anchored()
    assert chain.verdict(chain.holding(node=5)) is Code.TX_NOT_MEMBER
    assert chain.verdict(chain.holding(signer=secret("stranger"))) is Code.TX_SIGNATURE
    assert chain.verdict(chain.holding(1)) is Code.SESSION_UNKNOWN
    assert chain.verdict(chain.holding(1), chain.anchor(1)) is None
    assert chain.verdict(chain.retire(1, 0), chain.holding(node=1)) is None
    chain.grow(chain.retire(1, 0))
    assert chain.verdict(chain.holding(node=1)) is Code.TX_NOT_MEMBER


def test_what_was_said_gives_way_to_what_is_said_later_and_never_comes_back() -> None:
    chain = anchored()
    first = chain.holding(ranges=ALL)
    chain.grow(first)
    for again in (first, chain.holding(ranges=((0, 1),), height=3), chain.holding(height=1)):
        assert chain.verdict(again) is Code.TX_HOLDING_HEIGHT
    lost = chain.holding(ranges=())
    chain.grow(lost)
    assert row(chain, 0) == HoldingEntry(4, ())
    for again in (first, lost):
        assert chain.verdict(again) is Code.TX_HOLDING_HEIGHT
    assert chain.verdict(chain.holding(ranges=ALL)) is None


@pytest.mark.parametrize(
    ("height", "code"),
    [
        (29, None),
        (30, Code.TX_HOLDING_HEIGHT),
        (2**53, Code.TX_HOLDING_HEIGHT),
        (30 - LIFETIME, None),
        (29 - LIFETIME, Code.TX_HOLDING_HEIGHT),
        (0, Code.TX_HOLDING_HEIGHT),
    ],
)
def test_its_height_is_recent(height: int, code: Code | None) -> None:
    assert anchored(29).verdict(anchored(29).holding(height=height)) is code


def test_it_needs_rules_3_and_commitments_end_there() -> None:
    old, new = anchored(version=REPLICATION_RULES), anchored()
    assert old.verdict(old.holding()) is Code.TX_RULES and old.verdict(old.commit()) is None
    assert new.verdict(new.commit()) is Code.TX_RULES and new.verdict(new.holding()) is None
    old.grow(old.commit(ranges=ALL))
    assert replicas(old).copies == 0  # a promise that cannot be taken back counts for nothing
