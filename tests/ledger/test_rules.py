"""The rules of anchors, commitments and heartbeats, and of the envelope of every transaction: bounds and codes.

`Chain.verdict` asks a leader and a judge and checks that they agree and that a refused transaction changes nothing.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.transactions import UptimeBeacon
from lucid.ledger.rows import SessionEntry, anchored_key, replica_key, slot_key
from lucid.ledger.rules import check_anchor
from lucid.poot.credits import SlotWork
from tests.builders import Chain, digest, make_genesis, secret

STRANGER = secret("stranger")


def anchored(blocks: int = 3, **genesis: Any) -> Chain:
    """A chain of so many blocks; session 0 is anchored in the first."""
    chain = Chain(make_genesis(**genesis))
    for height in range(blocks):
        chain.grow(*([chain.anchor()] if height == 0 else []))
    return chain


def refused(code: Code) -> Any:
    return pytest.raises(Refusal, check=lambda refusal: refusal.code is code)


# -- the envelope --------------------------------------------------------------------------------------------------


def test_size() -> None:
    size = len(encode(Chain().endorse(Chain().anchor())))
    for limit, code in ((size, None), (size - 1, Code.TX_SIZE)):
        chain = Chain(make_genesis(max_transaction_bytes=limit))
        assert chain.verdict(chain.anchor()) is code


@pytest.mark.parametrize(
    ("ahead", "code"), [(-1, Code.TX_EXPIRED), (0, None), (19, None), (20, Code.TX_EXPIRED), (2**50, Code.TX_EXPIRED)]
)
def test_a_transaction_lives_from_its_block_for_so_many(ahead: int, code: Code | None) -> None:
    chain = anchored(3, transaction_lifetime_blocks=20)
    assert chain.verdict(chain.endorse(chain.anchor(1), valid_until=4 + ahead)) is code


def test_any_registered_node_may_endorse_and_nobody_else() -> None:
    chain = anchored()
    for node in range(4):
        assert chain.verdict(chain.endorse(chain.anchor(1), chain.node(node))) is None
    assert chain.verdict(chain.endorse(chain.anchor(1), chain.node(4))) is Code.TX_ENDORSER


def test_a_node_endorses_from_its_registration_to_its_retirement() -> None:
    chain = anchored()
    of_5 = chain.endorse(chain.anchor(1), chain.node(5))
    assert chain.verdict(of_5) is Code.TX_ENDORSER
    assert chain.verdict(of_5, chain.register(5, 0)) is None
    assert chain.verdict(of_5, chain.register(5, 0), chain.retire(5, 1)) is Code.TX_ENDORSER
    assert chain.verdict(chain.endorse(chain.anchor(1), chain.node(1)), chain.retire(1, 0)) is Code.TX_ENDORSER


@pytest.mark.parametrize("changes", [{"endorsement": bytes(64)}, {"valid_until": 10}])
def test_the_endorsement_covers_the_expiry_and_must_hold(changes: dict[str, Any]) -> None:
    chain = anchored()
    endorsed = chain.endorse(chain.anchor(1))
    assert chain.verdict(endorsed) is None
    assert chain.verdict(structs.replace(endorsed, **changes)) is Code.TX_ENDORSER


def test_an_endorsement_is_of_one_payload_and_one_node() -> None:
    chain = anchored()
    one, two = chain.endorse(chain.anchor(1)), chain.endorse(chain.anchor(2))
    assert chain.verdict(structs.replace(one, payload=two.payload)) is Code.TX_ENDORSER
    assert chain.verdict(structs.replace(one, endorser=chain.node(1))) is Code.TX_ENDORSER


# -- session anchors -----------------------------------------------------------------------------------------------

UUID_7, VARIANT_C = bytearray(Chain().anchor(9).session), bytearray(Chain().anchor(9).session)
UUID_7[6] = UUID_7[6] & 0x0F | 0x70
VARIANT_C[8] = VARIANT_C[8] & 0x3F | 0xC0

ANCHOR_BREAKS = [
    pytest.param({"session": bytes(16)}, id="no UUID"),
    pytest.param({"session": bytes(UUID_7)}, id="a UUID of version 7"),
    pytest.param({"session": bytes(VARIANT_C)}, id="a UUID of another variant"),
    pytest.param({"chunks": 0}, id="no chunk"),
    pytest.param({"chunks": 1_000_001}, id="a chunk too many"),
    pytest.param({"started_ms": 2_001}, id="ends before it starts"),
    pytest.param({"policy": bytes(1)}, id="a policy of one byte"),
    pytest.param({"policy": bytes(31)}, id="a policy of 31 bytes"),
]


@pytest.mark.parametrize("changes", ANCHOR_BREAKS)
def test_fields_of_an_anchor(changes: dict[str, Any]) -> None:
    chain = Chain()
    anchor = chain.anchor(9, **changes)
    assert chain.verdict(anchor) is Code.TX_FIELD
    with refused(Code.TX_FIELD):
        check_anchor(anchor)


@pytest.mark.parametrize(
    "changes",
    [
        {"chunks": 1},
        {"chunks": 1_000_000},
        {"started_ms": 2_000},
        {"policy": bytes(32)},
        {"total_bytes": 0},
        {"total_bytes": 2**53},
        {"session": bytes.fromhex("00000000000040008000000000000000")},
        {"session": bytes.fromhex("ffffffffffff4fffbfffffffffffffff")},
    ],
)
def test_what_an_anchor_may_say(changes: dict[str, Any]) -> None:
    chain = Chain()
    check_anchor(chain.anchor(9, **changes))
    assert chain.verdict(chain.anchor(9, **changes)) is None


def test_the_owner_signs_an_anchor() -> None:
    chain = Chain()
    assert chain.verdict(chain.anchor(signer=STRANGER)) is Code.TX_SIGNATURE
    moved = structs.replace(chain.anchor(), total_bytes=1)
    assert chain.verdict(moved) is Code.TX_SIGNATURE
    elsewhere = Chain(make_genesis(5))
    assert chain.verdict(elsewhere.anchor()) is Code.TX_SIGNATURE


def test_a_session_is_anchored_once_ever() -> None:
    chain = Chain()
    assert chain.verdict(chain.anchor(), chain.anchor()) is Code.SESSION_DUPLICATE
    chain.grow(chain.anchor())
    assert chain.verdict(chain.anchor()) is Code.SESSION_DUPLICATE
    again = chain.anchor(chunks=3)
    assert chain.verdict(again) is Code.SESSION_DUPLICATE
    chain.settle()
    for _ in range(40):
        chain.grow()
    assert chain.verdict(chain.anchor()) is Code.SESSION_DUPLICATE
    assert chain.verdict(chain.anchor(1)) is None


def test_nobody_takes_a_session_id_from_its_owner() -> None:
    """Whoever sees an anchor on its way can anchor the same id with a key of its own; that is another session."""
    chain = Chain()
    squatter = chain.anchor(signer=STRANGER, owner=chain.crypto.public_key(STRANGER), chunks=3)
    assert chain.verdict(chain.anchor(), squatter) is None
    chain.grow(squatter)
    assert chain.verdict(squatter) is Code.SESSION_DUPLICATE
    chain.grow(chain.anchor())
    assert chain.verdict(chain.anchor()) is chain.verdict(squatter) is Code.SESSION_DUPLICATE
    of_the_squatter = chain.commit(owner=squatter.owner)
    assert chain.verdict(of_the_squatter, chain.commit()) is None
    chain.grow(of_the_squatter)
    assert chain.verdict(of_the_squatter) is Code.REPLICA_DUPLICATE
    assert chain.verdict(chain.commit()) is None
    assert chain.verdict(chain.commit(owner=chain.node(0))) is Code.SESSION_UNKNOWN


def test_what_an_anchor_leaves() -> None:
    chain = anchored(2)
    anchor = chain.anchor(1, policy=bytes(32))
    chain.grow(anchor)
    stored = chain.tip.row(anchored_key(anchor.session, anchor.owner))
    assert stored is not None
    assert decode(stored, SessionEntry) == SessionEntry(3, anchor.owner, anchor.root, 7, 7 << 20)


# -- replica commitments -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ranges", "code"),
    [
        (((0, 1),), None),
        (((5, 1),), None),
        (((0, 1_000_000),), None),
        (((999_999, 1),), None),
        (((0, 2), (3, 1), (5, 9)), None),
        ((), Code.TX_FIELD),
        (((0, 0),), Code.TX_FIELD),
        (((0, 2), (4, 0)), Code.TX_FIELD),
        (((0, 2), (2, 1)), Code.TX_FIELD),
        (((0, 2), (1, 1)), Code.TX_FIELD),
        (((0, 2), (0, 2)), Code.TX_FIELD),
        (((3, 1), (0, 1)), Code.TX_FIELD),
        (((0, 1_000_001),), Code.TX_FIELD),
        (((999_999, 2),), Code.TX_FIELD),
        (((1_000_000, 1),), Code.TX_FIELD),
        (((0, 1), (999_999, 2)), Code.TX_FIELD),
    ],
)
def test_ranges_ascend_apart_within_the_most_chunks(ranges: tuple[tuple[int, int], ...], code: Code | None) -> None:
    chain = anchored()
    commit = chain.commit(ranges=ranges)
    assert chain.verdict(commit) is code
    if code is None:
        chain.grow(commit)
        assert chain.tip.row(replica_key(commit.session, commit.owner, commit.node)) == encode(ranges)


def test_who_may_commit_to_what_and_how_often() -> None:
    chain = anchored()
    assert chain.verdict(chain.commit(node=5)) is Code.TX_NOT_MEMBER
    assert chain.verdict(chain.commit(signer=STRANGER)) is Code.TX_SIGNATURE
    assert chain.verdict(chain.commit(1)) is Code.SESSION_UNKNOWN
    assert chain.verdict(chain.commit(1), chain.anchor(1)) is None
    assert chain.verdict(chain.commit(), chain.commit()) is Code.REPLICA_DUPLICATE
    chain.grow(chain.commit(), chain.commit(node=1))
    assert chain.verdict(chain.commit(ranges=((9, 9),))) is Code.REPLICA_DUPLICATE
    assert chain.verdict(chain.commit(node=2)) is None


def test_a_retired_node_may_still_commit() -> None:
    chain = anchored()
    assert chain.verdict(chain.commit(node=1), chain.retire(1, 0)) is None


# -- heartbeats ----------------------------------------------------------------------------------------------------


def test_a_heartbeat_counts_in_its_slot_and_the_next() -> None:
    """Slots of three views: blocks 1 to 3 are of slot 0, 4 to 6 of slot 1, 7 to 9 of slot 2."""
    chain = Chain()
    first = chain.heartbeat(0, 0, chain.chain_id)
    expected = [None] * 6 + [Code.TX_BEACON_SLOT] * 3
    verdicts = []
    for _ in expected:
        verdicts.append(chain.verdict(first))
        chain.grow()
    assert verdicts == expected


@pytest.mark.parametrize(
    ("epoch", "slot", "code"),
    [
        (0, 1, None),
        (0, 2, None),
        (0, 0, Code.TX_BEACON_SLOT),
        (0, 3, Code.TX_BEACON_SLOT),
        (1, 0, Code.TX_BEACON_SLOT),
        (2**53, 2**53, Code.TX_BEACON_SLOT),
    ],
)
def test_the_slots_of_a_heartbeat(epoch: int, slot: int, code: Code | None) -> None:
    chain = anchored(6)
    block = chain.blocks[2].header.hash if slot == 1 else chain.hash
    assert chain.verdict(chain.heartbeat(0, slot, block, epoch)) is code


def test_a_slot_is_named_in_its_own_epoch() -> None:
    """Block 13 is the first of epoch 1, in its slot 0; the slot before is 3 of epoch 0, and is not -1 or 4."""
    chain = anchored(12)
    assert chain.turn.epoch == 1
    before = chain.blocks[8].header.hash
    assert chain.verdict(chain.heartbeat(0, 3, before, 0)) is None
    assert chain.verdict(chain.heartbeat(0, 0, chain.hash, 1)) is None
    assert chain.verdict(chain.heartbeat(0, 4, chain.hash, 0)) is Code.TX_BEACON_SLOT


def test_a_slot_beyond_its_epoch_is_not_that_of_the_next() -> None:
    """Slot 4 of epoch 0 would be slot 0 of epoch 1."""
    chain = anchored(13)
    beacon = UptimeBeacon(chain.node(0), 0, 4, chain.hash, bytes(64))
    assert chain.verdict(chain.sign(beacon, secret("node 0"))) is Code.TX_BEACON_SLOT


def test_a_slot_without_a_block_counts_no_heartbeat() -> None:
    chain = anchored(3)
    last = chain.hash
    assert chain.turn.schedule(7).slot == 2
    of_slot_1 = chain.heartbeat(0, 1, last)
    with_it = chain.build(of_slot_1, view=7)
    assert [code for _, code in with_it.rejected] == [Code.TX_BEACON_SLOT]
    chain.grow(view=7)
    assert chain.verdict(of_slot_1) is Code.TX_BEACON_SLOT
    assert chain.verdict(chain.heartbeat(0, 2, last)) is None


def test_a_heartbeat_names_a_block_of_its_slot_or_the_last_before() -> None:
    """Neither an earlier one (made too early) nor a later one (made too late)."""
    chain = anchored(8)
    hashes = [chain.chain_id, *(block.header.hash for block in chain.blocks)]
    verdicts = {slot: [chain.verdict(chain.heartbeat(0, slot, block)) for block in hashes] for slot in (1, 2)}
    bad = Code.TX_BEACON_BLOCK
    assert verdicts[1] == [bad, bad, bad, None, None, None, None, bad, bad]
    assert verdicts[2] == [bad, bad, bad, bad, bad, bad, None, None, None]
    assert chain.verdict(chain.heartbeat(0, 2, digest("nothing"))) is bad


def test_the_block_before_may_be_many_slots_back() -> None:
    chain = anchored(2)
    before = chain.hash
    for view in (9, 10):
        chain.grow(view=view)
    assert chain.verdict(chain.heartbeat(0, 2, before)) is None
    assert chain.verdict(chain.heartbeat(0, 2, chain.blocks[0].header.hash)) is Code.TX_BEACON_BLOCK


def test_only_validators_have_a_heart() -> None:
    chain = anchored()
    assert chain.verdict(chain.heartbeat(5, 1, chain.hash)) is Code.TX_NOT_MEMBER
    assert chain.verdict(chain.heartbeat(5, 1, chain.hash), chain.register(5, 0)) is Code.TX_NOT_MEMBER
    # A retired node is a validator until its epoch ends.
    assert chain.verdict(chain.heartbeat(1, 1, chain.hash), chain.retire(1, 0)) is None
    chain.grow(chain.register(5, 0), chain.retire(1, 1))
    while chain.turn.epoch == 0:
        chain.grow()
    assert chain.verdict(chain.heartbeat(1, 0, chain.hash, 1)) is Code.TX_NOT_MEMBER
    assert chain.verdict(chain.heartbeat(5, 0, chain.hash, 1)) is None


def test_the_node_signs_its_heartbeat() -> None:
    chain = anchored()
    assert chain.verdict(chain.heartbeat(0, 1, chain.hash, signer=STRANGER)) is Code.TX_SIGNATURE
    assert chain.verdict(chain.heartbeat(0, 1, chain.hash, signer=secret("node 1"))) is Code.TX_SIGNATURE


def test_a_heartbeat_counts_once() -> None:
    chain = anchored()
    one = chain.heartbeat(0, 1, chain.hash)
    assert chain.verdict(one, one) is Code.TX_BEACON_TWICE
    chain.grow(one, chain.heartbeat(1, 1, chain.hash))
    # Another block of the same slot makes it no other heartbeat.
    assert chain.verdict(chain.heartbeat(0, 1, chain.hash)) is Code.TX_BEACON_TWICE
    assert chain.verdict(chain.heartbeat(2, 1, chain.hash)) is None
    for _ in range(2):
        chain.grow()
    assert chain.verdict(one) is Code.TX_BEACON_TWICE
    assert chain.verdict(chain.heartbeat(0, 2, chain.hash)) is None


def test_what_a_heartbeat_leaves() -> None:
    chain = anchored(3)
    chain.grow(chain.heartbeat(1, 1, chain.hash), chain.heartbeat(3, 0, chain.chain_id))
    assert chain.tip.core.tally.beacons == (0, 1, 0, 1)
    for slot, beacons in ((0, (0, 0, 0, 1)), (1, (0, 1, 0, 0))):
        stored = chain.tip.row(slot_key(slot))
        assert stored is not None and decode(stored, SlotWork).beacons == beacons


def test_a_refused_heartbeat_changes_nothing_when_a_node_has_registered_since() -> None:
    chain = anchored(2)
    counted = chain.heartbeat(0, 0, chain.chain_id)
    chain.grow(counted)
    chain.grow()
    chain.grow(chain.register(5, 0))
    assert chain.verdict(counted) is Code.TX_BEACON_TWICE


def test_a_refused_heartbeat_changes_nothing_before_a_registration() -> None:
    chain = anchored(2)
    counted = chain.heartbeat(0, 0, chain.chain_id)
    chain.grow(counted)
    chain.grow()
    built = chain.build(counted, chain.register(5, 0))
    assert [code for _, code in built.rejected] == [Code.TX_BEACON_TWICE]
    assert chain.refusal(chain.seal(built)) is None
