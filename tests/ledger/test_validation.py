"""Building and judging blocks: both reach one ledger, and the first broken rule of a header is the one named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from lucid.chain.blocks import Block, certificate_hash, late_votes_hash, transactions_root
from lucid.chain.certificates import Certificate
from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.parameters import DAY_MS
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP
from lucid.ledger.validation import HEADER_BYTES
from lucid.poot.crypto import Edwards25519
from tests.builders import Chain, digest, grown, make_genesis
from tests.naive_tree import derived


def next_block(chain: Chain) -> Block:
    """A valid block on the tip with a late vote and a transaction."""
    header = chain.blocks[-2].header
    late = chain.vote(chain.tip.validators.keys[-1], NOTARIZE, header.hash, header.view)
    block = chain.seal(chain.build(chain.anchor(77), late_votes=[late]))
    assert block.late_votes and block.transactions
    return block


# -- what a builder puts in ----------------------------------------------------------------------------------------


def test_the_header_of_a_block() -> None:
    chain = grown(4)
    head, proposer = chain.tip.core.head, chain.leader()
    parent, certificate = chain.hash, chain.certificate([0, 1, 3])
    block = chain.grow(chain.anchor(), tick=9, signers=[0, 1, 3])
    header = block.header
    assert (header.version, header.chain, header.parent) == (2, chain.chain_id, parent)
    assert (header.height, header.epoch, header.view, header.tick) == (5, 0, 5, 9)
    assert (header.entity, header.proposer) == (proposer.entity, proposer.key)
    assert header.transactions_root == transactions_root(block.transactions)
    assert header.state_root == chain.tip.root
    assert header.parent_certificate == certificate_hash(certificate) and block.parent_certificate == certificate
    assert header.late_votes == late_votes_hash(()) and block.late_votes == ()
    output = chain.crypto.vrf_verify(proposer.key, head.beacon, header.vrf_proof)
    assert output is not None
    assert header.beacon == derived("lucid beacon v1", head.beacon + output)
    assert (header.validators, header.next_validators) == (chain.tip.validators.hash, chain.tip.next_validators.hash)
    assert chain.tip.transactions == tuple(each.id for each in block.transactions)
    assert decode(encode(block), Block) == block


def test_a_header_tells_of_the_set_that_follows() -> None:
    chain = grown(2)
    before = chain.blocks[-1].header
    after = chain.grow(chain.register(5, 0)).header
    assert before.validators == before.next_validators == after.validators != after.next_validators
    while chain.turn.epoch == 0:
        chain.grow()
    opening = chain.grow().header
    assert opening.validators == opening.next_validators == after.next_validators


def test_a_block_with_real_keys() -> None:
    crypto = Edwards25519()
    chain = Chain(make_genesis(2, crypto=crypto, epoch_slots=1), crypto)
    chain.grow(chain.anchor())
    chain.grow(chain.commit(), chain.heartbeat(1, 0, chain.chain_id), signers=[0, 1])
    chain.grow(chain.register(5, 0), chain.evidence(1))
    assert chain.grow().header.epoch == 1
    forged = structs.replace(chain.seal(chain.build()), signature=bytes(64))
    assert chain.refusal(forged) is Code.BLOCK_SIGNATURE


def test_a_builder_tells_what_it_left_out_and_why() -> None:
    chain = grown(1)
    good, twice, unsigned = (chain.endorse(chain.anchor(number)) for number in (0, 0, 1))
    unsigned = structs.replace(unsigned, endorsement=bytes(64))
    built = chain.build(good, twice, unsigned, chain.anchor(2))
    assert built.transactions == (good, chain.endorse(chain.anchor(2)))
    assert built.rejected == ((twice, Code.SESSION_DUPLICATE), (unsigned, Code.TX_ENDORSER))
    assert chain.refusal(chain.seal(built)) is None


def test_the_order_of_transactions_is_the_blocks() -> None:
    """A commitment may follow its anchor within the block, and may not come before it."""
    chain = grown(1)
    assert len(chain.build(chain.anchor(), chain.commit()).transactions) == 2
    assert [code for _, code in chain.build(chain.commit(), chain.anchor()).rejected] == [Code.SESSION_UNKNOWN]
    block = chain.seal(chain.build(chain.anchor(), chain.commit()))
    assert chain.refusal(chain.rebody(block, transactions=block.transactions[::-1])) is Code.SESSION_UNKNOWN


def test_a_proof_over_anything_but_the_parents_beacon_is_the_engines_mistake() -> None:
    chain = grown(1)
    proof = chain.crypto.vrf_prove(chain.secret_of(chain.leader().key), digest("other"))
    with pytest.raises(AssertionError, match="proves over the parent's beacon"):
        chain.validator.build(
            chain.tip,
            chain.hash,
            chain.turn,
            certificate=chain.certificate(),
            view=2,
            tick=2,
            vrf_proof=proof,
            late_votes=(),
            candidates=(),
        )


# -- limits --------------------------------------------------------------------------------------------------------


def test_a_block_holds_so_many_transactions() -> None:
    chain = grown(1, max_block_transactions=3)
    built = chain.build(*(chain.anchor(number) for number in range(5)))
    assert len(built.transactions) == 3 and not built.rejected
    block = chain.seal(built)
    assert chain.refusal(block) is None
    fourth = chain.endorse(chain.anchor(4))
    assert chain.refusal(chain.rebody(block, transactions=(*block.transactions, fourth))) is Code.BLOCK_SIZE


def test_a_block_has_so_many_bytes() -> None:
    """The judge counts the whole block; the builder stays below with room for the header."""
    chain = grown(1, max_block_bytes=4_096)
    block = chain.seal(chain.build(*(chain.anchor(number) for number in range(20))))
    assert 4_096 - HEADER_BYTES - 400 < len(encode(block)) <= 4_096
    assert 0 < len(block.transactions) < 20
    assert chain.refusal(block) is None


@pytest.mark.parametrize(("spare", "code"), [(0, Code.BLOCK_STATE_ROOT), (-1, Code.BLOCK_SIZE)])
def test_the_byte_limit_is_inclusive(spare: int, code: Code) -> None:
    """The builder finds no room here, so the transaction is forced in; then only the state root lacks it."""
    roomy = grown(1, max_block_bytes=9_999)
    size = len(encode(roomy.seal(roomy.build(roomy.anchor()))))
    chain = grown(1, max_block_bytes=size + spare)
    forced = chain.rebody(chain.seal(chain.build()), transactions=(chain.endorse(chain.anchor()),))
    assert len(encode(forced)) == size
    assert chain.refusal(forced) is code


def test_a_smaller_transaction_still_finds_room() -> None:
    chain = grown(1, max_block_bytes=2_600, nodes=1)
    wide = chain.commit(ranges=tuple((3 * each, 1) for each in range(400)))
    built = chain.build(chain.anchor(), wide, chain.anchor(1))
    assert [type(each.payload).__name__ for each in built.transactions] == ["SessionAnchor", "SessionAnchor"]
    assert built.rejected == ()


def test_header_bytes_hold_the_widest_header() -> None:
    chain = grown(2, nodes=1, pools=("p" * 64,))
    block = chain.seal(chain.build())
    numbers = dict.fromkeys(("version", "height", "epoch", "view", "tick"), 2**53)
    wide = structs.replace(
        block, header=structs.replace(block.header, **numbers), parent_certificate=None, transactions=()
    )
    framing = 4 * 2  # longer heads of the lists of late votes and transactions
    assert len(encode(wide)) + framing <= HEADER_BYTES


def test_late_votes_never_make_a_block_too_large() -> None:
    """As many as an engine hands over alone exceed the smallest legal `max_block_bytes`."""
    # Two slots of eight views, all in the window.
    genesis = make_genesis(
        100, max_block_bytes=65_536, block_interval_ms=DAY_MS // 4, slot_duration_ms=2 * DAY_MS, leader_window_days=14
    )
    chain = Chain(genesis)
    late = []
    for view in range(1, 16):
        chain.grow()
        late += [chain.vote(key, NOTARIZE, chain.hash, view) for key in chain.tip.validators.keys[67:]]
    block = chain.seal(chain.build(chain.anchor(), late_votes=late))
    assert len(block.transactions) == 1 and chain.refusal(block) is None
    # The newest come in, as many as fit into half of the room.
    assert block.late_votes == tuple(late[-len(block.late_votes) :])
    room = (65_536 - HEADER_BYTES - len(encode(block.parent_certificate))) // 2
    size = sum(len(encode(vote)) for vote in block.late_votes)
    assert size <= room < size + len(encode(late[-len(block.late_votes) - 1]))


# -- the parent certificate ----------------------------------------------------------------------------------------


def with_certificate(chain: Chain, certificate: Certificate | None) -> Code | None:
    """What a judge makes of a block on the tip that carries this certificate.

    The state root is the one of a block with the right certificate: it differs where other votes are credited.
    """
    return chain.refusal(chain.rebody(chain.seal(chain.build()), parent_certificate=certificate))


def test_the_first_block_has_no_certificate() -> None:
    chain = Chain()
    assert with_certificate(chain, None) is None
    stray = grown(3).certificate()
    assert stray is not None and with_certificate(chain, stray) is Code.BLOCK_CERTIFICATE


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"kind": FINALIZE}, Code.BLOCK_CERTIFICATE),
        ({"kind": SKIP}, Code.BLOCK_CERTIFICATE),
        ({"view": 2}, Code.BLOCK_CERTIFICATE),
        ({"view": 4}, Code.BLOCK_CERTIFICATE),
        ({"epoch": 1}, Code.BLOCK_CERTIFICATE),
        ({"signers": [0, 1]}, Code.BLOCK_CERTIFICATE),
        ({"signers": []}, Code.BLOCK_CERTIFICATE),
        ({"signers": [0, 1, 3]}, Code.BLOCK_STATE_ROOT),
    ],
)
def test_within_an_epoch_a_notarization_of_the_parents_view(changes: dict[str, Any], code: Code | None) -> None:
    chain = grown(3)
    assert with_certificate(chain, chain.certificate(**changes)) is code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"view": 12}, None),
        ({"view": 13}, None),
        ({"view": 99}, None),
        ({"view": 11}, Code.BLOCK_CERTIFICATE),
        ({"kind": NOTARIZE}, Code.BLOCK_CERTIFICATE),
        ({"kind": SKIP}, Code.BLOCK_CERTIFICATE),
        ({"epoch": 1}, Code.BLOCK_CERTIFICATE),
        ({"signers": [0, 1]}, Code.BLOCK_CERTIFICATE),
    ],
)
def test_an_epoch_opens_on_finality_in_the_parents_view_or_a_later_one(
    changes: dict[str, Any], code: Code | None
) -> None:
    chain = grown(12)
    assert with_certificate(chain, chain.certificate(**changes)) is code


@pytest.mark.parametrize("blocks", [3, 12])
def test_what_is_no_certificate_of_the_parent(blocks: int) -> None:
    chain = grown(blocks)
    good = chain.certificate()
    assert good is not None
    older = Chain(chain.genesis)
    for _ in range(blocks - 1):
        older.grow()
    for certificate in (
        None,
        structs.replace(good, epoch=1),
        structs.replace(good, block=digest("other")),
        structs.replace(good, signatures=(*good.signatures[:2], bytes(64))),
        older.certificate(kind=good.kind, view=good.view),
    ):
        assert with_certificate(chain, certificate) is Code.BLOCK_CERTIFICATE


def test_the_set_of_the_parents_epoch_signs() -> None:
    chain = grown(11)
    chain.grow(chain.register(5, 0), chain.retire(0, 1))
    old, new = chain.tip.validators.keys, chain.tip.next_validators.keys
    assert old != new
    assert chain.grow(signers=[0, 1, 2]).header.epoch == 1
    assert chain.tip.validators.keys == new
    chain.grow(signers=[1, 2, 3])


# -- every field of the header -------------------------------------------------------------------------------------

Tamper = Callable[[Chain, Block], Block]


def altered(**changes: Any) -> Tamper:
    """Another header, signed by the proposer that it names."""
    return lambda chain, block: chain.resign(block, **changes)


def another_leader(chain: Chain, block: Block) -> Block:
    other = next(key for key in chain.tip.validators.keys if key != block.header.proposer)
    return chain.resign(block, proposer=other, entity=other)


def another_view(chain: Chain, block: Block) -> Block:
    view = next(view for view in range(block.header.view, 99) if chain.leader(view).key != block.header.proposer)
    return chain.resign(block, view=view)


def another_proof(chain: Chain, block: Block) -> Block:
    return chain.resign(block, vrf_proof=chain.crypto.vrf_prove(chain.secret_of(block.header.proposer), b"else"))


def unsigned(chain: Chain, block: Block) -> Block:
    return structs.replace(block, signature=bytes(64))


def bad_certificate(chain: Chain, block: Block) -> Block:
    return chain.rebody(block, parent_certificate=chain.certificate([0, 1]))


def late_vote_twice(chain: Chain, block: Block) -> Block:
    return chain.rebody(block, late_votes=block.late_votes * 2)


def bad_transaction(chain: Chain, block: Block) -> Block:
    broken = structs.replace(block.transactions[0], endorsement=bytes(64))
    return chain.rebody(block, transactions=(broken,))


def crowded(chain: Chain, block: Block) -> Block:
    return chain.rebody(block, transactions=block.transactions * 6)


X = digest("x")

# In the written order. The proposer signs again what was tampered with, except where the signature itself is meant.
TAMPERINGS: list[tuple[str, Code, Tamper]] = [
    ("version 1", Code.BLOCK_VERSION, altered(version=1)),
    ("version 0", Code.BLOCK_VERSION, altered(version=0)),
    ("another chain", Code.BLOCK_VERSION, altered(chain=X)),
    ("too many transactions", Code.BLOCK_SIZE, crowded),
    ("the parent's height", Code.BLOCK_HEIGHT, altered(height=5)),
    ("a height too far", Code.BLOCK_HEIGHT, altered(height=7)),
    ("the next epoch", Code.BLOCK_EPOCH, altered(epoch=1)),
    ("an epoch to come", Code.BLOCK_EPOCH, altered(epoch=2)),
    ("the parent's view", Code.BLOCK_VIEW, altered(view=5)),
    ("view 0", Code.BLOCK_VIEW, altered(view=0)),
    ("the parent's tick", Code.BLOCK_TICK, altered(tick=5)),
    ("a tick before", Code.BLOCK_TICK, altered(tick=0)),
    ("another leader", Code.BLOCK_LEADER, another_leader),
    ("a view of another leader", Code.BLOCK_LEADER, another_view),
    ("another entity", Code.BLOCK_LEADER, altered(entity=b"pool:attic")),
    ("no entity", Code.BLOCK_LEADER, altered(entity=b"")),
    ("no signature", Code.BLOCK_SIGNATURE, unsigned),
    ("another proof", Code.BLOCK_VRF, another_proof),
    ("no proof", Code.BLOCK_VRF, altered(vrf_proof=bytes(80))),
    ("another beacon", Code.BLOCK_VRF, altered(beacon=X)),
    ("hash of another certificate", Code.BLOCK_CERTIFICATE, altered(parent_certificate=X)),
    ("hash of no certificate", Code.BLOCK_CERTIFICATE, altered(parent_certificate=bytes(32))),
    ("another certificate", Code.BLOCK_CERTIFICATE, bad_certificate),
    ("hash of other late votes", Code.BLOCK_LATE_VOTES, altered(late_votes=X)),
    ("a late vote twice", Code.BLOCK_LATE_VOTES, late_vote_twice),
    ("root of other transactions", Code.BLOCK_TRANSACTIONS_ROOT, altered(transactions_root=X)),
    ("a bad transaction", Code.TX_ENDORSER, bad_transaction),
    ("another set", Code.BLOCK_VALIDATORS, altered(validators=X)),
    ("another next set", Code.BLOCK_VALIDATORS, altered(next_validators=X)),
    ("another state root", Code.BLOCK_STATE_ROOT, altered(state_root=X)),
    ("another tick", Code.BLOCK_STATE_ROOT, altered(tick=9)),
]
# What shares a field with another cannot be combined with it, and signing again mends what comes before.
UNCOMBINED = {"no signature", "another leader", "a view of another leader"}


@pytest.fixture(scope="module")
def ready() -> tuple[Chain, Block]:
    """A chain at height 5 and a valid block on it."""
    chain = grown(5, max_block_transactions=5)
    return chain, next_block(chain)


@pytest.mark.parametrize(("code", "tamper"), [case[1:] for case in TAMPERINGS], ids=[name for name, *_ in TAMPERINGS])
def test_every_field_is_checked(ready: tuple[Chain, Block], code: Code, tamper: Tamper) -> None:
    chain, block = ready
    assert chain.refusal(block) is None
    tampered = tamper(chain, block)
    assert tampered != block
    assert chain.refusal(tampered) is code


@pytest.mark.parametrize("place", range(len(TAMPERINGS)), ids=[name for name, *_ in TAMPERINGS])
def test_the_first_rule_broken_is_named(ready: tuple[Chain, Block], place: int) -> None:
    """The later one is applied first: what tampers with the body makes the header commit to it again."""
    chain, block = ready
    name, code, tamper = TAMPERINGS[place]
    for other, other_code, also in TAMPERINGS[place + 1 :]:
        if other_code is not code and not UNCOMBINED & {name, other}:
            assert chain.refusal(tamper(chain, also(chain, block))) is code, other


@pytest.mark.parametrize(
    ("before", "code"),
    [(unsigned, Code.BLOCK_SIGNATURE), (another_leader, Code.BLOCK_LEADER), (another_view, Code.BLOCK_LEADER)],
)
@pytest.mark.parametrize("after", [another_proof, bad_certificate, late_vote_twice, bad_transaction])
def test_leader_and_signature_come_before_the_body(
    ready: tuple[Chain, Block], before: Tamper, code: Code, after: Tamper
) -> None:
    chain, block = ready
    assert chain.refusal(before(chain, after(chain, block))) is code


def test_the_leader_comes_before_its_signature(ready: tuple[Chain, Block]) -> None:
    chain, block = ready
    assert chain.refusal(unsigned(chain, another_leader(chain, block))) is Code.BLOCK_LEADER
    for early in (altered(tick=5), altered(height=7), altered(version=1)):
        assert chain.refusal(early(chain, unsigned(chain, another_leader(chain, block)))) in {
            Code.BLOCK_TICK, Code.BLOCK_HEIGHT, Code.BLOCK_VERSION,
        }  # fmt: skip


def test_nothing_is_built_within_the_epoch_on_the_block_that_closes_it() -> None:
    chain = grown(12)
    block = chain.seal(chain.build())
    assert block.header.epoch == 1
    assert chain.refusal(chain.resign(block, epoch=0, view=13)) is Code.BLOCK_CLOSED
    assert chain.refusal(chain.resign(block, epoch=0)) is Code.BLOCK_CLOSED
    assert chain.refusal(chain.resign(block, epoch=2)) is Code.BLOCK_EPOCH
    assert chain.refusal(chain.resign(block, view=0)) is Code.BLOCK_VIEW
    assert chain.refusal(chain.resign(block, tick=12)) is Code.BLOCK_TICK
    assert chain.refusal(chain.resign(block, epoch=0, height=12)) is Code.BLOCK_HEIGHT


def test_ticks_may_leap() -> None:
    """Only a vote asks whether a block is timely."""
    chain = grown(2)
    assert chain.grow(tick=10**9).header.tick == 10**9
    assert chain.grow().header.tick == 10**9 + 1


def test_a_proof_of_the_wrong_length_is_no_block_of_this_version(ready: tuple[Chain, Block]) -> None:
    chain, block = ready
    with pytest.raises(Refusal) as refusal:
        chain.judge(chain.resign(block, vrf_proof=bytes(79)))
    assert refusal.value.code is Code.BLOCK_VERSION


def test_a_block_is_judged_on_its_own_parent(ready: tuple[Chain, Block]) -> None:
    chain, block = ready
    with pytest.raises(AssertionError, match="judged on another parent"):
        chain.judge(chain.resign(block, parent=X))


def test_a_refused_block_leaves_its_parent_as_it_was(ready: tuple[Chain, Block]) -> None:
    chain, block = ready
    root, core = chain.tip.root, chain.tip.core.encoded()
    for _, _, tamper in TAMPERINGS:
        chain.refusal(tamper(chain, block))
    assert (chain.tip.root, chain.tip.core.encoded()) == (root, core)
    assert chain.refusal(block) is None


def test_votes_that_were_credited_take_no_room_of_those_that_were_not() -> None:
    genesis = make_genesis(
        100, max_block_bytes=65_536, block_interval_ms=DAY_MS // 4, slot_duration_ms=2 * DAY_MS, leader_window_days=14
    )
    chain = Chain(genesis)
    late = []
    for view in range(1, 14):
        chain.grow()
        late += [chain.vote(key, NOTARIZE, chain.hash, view) for key in chain.tip.validators.keys[67:]]
    first = chain.grow(late_votes=late).late_votes
    # The engine does not know what a block credited, so it offers all of them again.
    second = chain.grow(late_votes=late).late_votes
    assert len(second) > 100 and not set(second) & set(first)
