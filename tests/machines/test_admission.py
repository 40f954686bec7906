"""The engine's door for transactions: what it accepts from clients is durable, offered again, and never expires."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from lucid.chain.challenges import SegmentAnswer
from lucid.chain.codec import decode
from lucid.chain.errors import Code
from lucid.chain.transactions import (
    Equivocation,
    FalseProof,
    RegisterNode,
    RelayMandate,
    RelayReceipt,
    ReplicaCommit,
    StorageProof,
    Transaction,
    UptimeBeacon,
    claim_message,
    endorsement_message,
)
from lucid.chain.versions import PROOF_RULES, RELAY_RULES
from lucid.chain.votes import FINALIZE, SKIP
from lucid.machines.effects import (
    BlockBuilt,
    Effects,
    Evicted,
    Finalized,
    Forward,
    Observe,
    Offer,
    Refused,
    Respond,
    Started,
    Store,
    Submitted,
)
from lucid.machines.engine.admission import MAX_FORGED, PENDING_TABLE
from lucid.machines.engine.mempool import Mempool
from lucid.machines.limits import DEFAULT_LIMITS, Limits
from lucid.machines.messages import MAX_GOSSIP_TRANSACTIONS, Transactions
from tests.builders import CRYPTO, secret
from tests.machines.bench import Bench, facts, told

LIFETIME = 16


@pytest.fixture
def bench() -> Bench:
    """A validator whose transactions live for sixteen blocks, past its own heartbeat."""
    return started()


def started() -> Bench:
    """The same, for properties."""
    bench = Bench(transaction_lifetime_blocks=LIFETIME)
    bench.handle(Started())
    bench.handle(bench.context(closing=True))
    return bench


def submit(bench: Bench, payload: Any, request: int = 1) -> Code | None:
    """What a client is answered."""
    [answer] = [each for each in bench.handle(Submitted(request, payload)) if isinstance(each, Respond)]
    assert answer.request == request
    assert bool(answer.transaction) == (answer.refusal is None)
    return answer.refusal


def final(bench: Bench, height: int, *identities: bytes) -> Effects:
    """Blocks are final up to a height."""
    return bench.handle(Finalized(0, height, height, identities))


def pool(bench: Bench) -> Mempool:
    """The engine's mempool."""
    return bench.engine.admission.mempool


def pending(bench: Bench) -> list[Transaction]:
    """What a restart would take up again."""
    return [decode(data, Transaction) for _, data in bench.store.scan(PENDING_TABLE)]


def holds(bench: Bench, transaction: Transaction) -> bool:
    """Whether the endorsement is the engine's own, and holds."""
    message = endorsement_message(bench.chain_id, transaction.id, transaction.valid_until)
    return transaction.endorser == bench.key and CRYPTO.verify(bench.key, message, transaction.endorsement)


# -- clients -----------------------------------------------------------------------------------------------------


def test_accepted_means_durable_before_the_answer(bench: Bench) -> None:
    store, answer, offer = bench.handle(Submitted(1, bench.anchor()))
    [transaction] = pending(bench)
    assert isinstance(store, Store) and [table for table, _, _ in store.writes] == [PENDING_TABLE]
    assert answer == Respond(1, transaction.id, None)
    assert offer == Forward(Offer((transaction,)))
    assert holds(bench, transaction) and transaction.valid_until == LIFETIME
    assert transaction.id in pool(bench)


def test_the_same_again_is_known(bench: Bench) -> None:
    assert submit(bench, bench.anchor()) is None
    assert submit(bench, bench.anchor()) is Code.MEMPOOL_KNOWN
    assert len(pending(bench)) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"session": bytes(16)}, Code.TX_FIELD),
        ({"chunks": 0}, Code.TX_FIELD),
        ({"ended_ms": 0}, Code.TX_FIELD),
        ({"policy": b"?"}, Code.TX_FIELD),
    ],
)
def test_an_anchor_that_no_block_can_hold_is_refused(bench: Bench, changes: dict[str, Any], code: Code) -> None:
    assert submit(bench, bench.anchor(**changes)) is code
    assert not pending(bench) and len(pool(bench)) == 0


def test_who_claims_must_have_signed(bench: Bench) -> None:
    claims: list[ReplicaCommit | UptimeBeacon] = [
        ReplicaCommit(bench.key, bench.anchor().owner, bench.anchor().session, ((0, 1),), bytes(64)),
        UptimeBeacon(bench.key, 0, 5, bench.chain_id, bytes(64)),
    ]
    for unsigned in claims:
        assert submit(bench, unsigned) is Code.TX_SIGNATURE
        signature = CRYPTO.sign(bench.secrets[bench.key], claim_message(bench.chain_id, unsigned))
        assert submit(bench, structs.replace(unsigned, signature=signature)) is None
    assert submit(bench, structs.replace(bench.anchor(), signature=bytes(64))) is Code.TX_SIGNATURE


def test_what_only_a_ledger_can_judge_is_left_to_it(bench: Bench) -> None:
    assert submit(bench, Equivocation(bench.vote(1, SKIP), bench.vote(1, FINALIZE, block=bytes(32)))) is None


def test_approvals_that_cannot_hold_are_refused_at_once() -> None:
    """There are no more of them than administrators, each once; a thousand would fill the blocks of others."""
    bench = Bench()
    bench.handle(bench.context())
    for approvals in ((), ((0, bytes(64)),), ((0, bytes(64)), (0, bytes(64))), ((7, bytes(64)),)):
        code = submit(bench, RegisterNode(bench.keys[1], "again", "", 0, approvals, bytes(64)))
        assert code in (Code.TX_ADMIN_THRESHOLD, Code.TX_SIGNATURE)


def test_what_is_too_large_for_a_block_is_refused(bench: Bench) -> None:
    limit = bench.genesis.parameters.max_transaction_bytes
    assert submit(bench, RegisterNode(bench.key, "x" * limit, "", 0, (), bytes(64))) is Code.TX_SIZE
    assert not pending(bench)


def test_a_node_that_is_no_validator_takes_nothing() -> None:
    bench = Bench()
    bench.handle(bench.context(validators=tuple(bench.keys[1:])))
    assert submit(bench, bench.anchor()) is Code.MEMPOOL_CLOSED


def test_a_full_mempool_says_so(bench: Bench) -> None:
    bench.engine.admission.mempool = Mempool(bench.key, Limits(mempool_transactions=1))
    assert submit(bench, bench.anchor("one")) is None
    assert submit(bench, bench.anchor("two")) is Code.MEMPOOL_FULL
    assert len(pending(bench)) == 1


def test_a_heartbeat_that_finds_no_room_is_lost(bench: Bench) -> None:
    bench.engine.admission.mempool = Mempool(bench.key, Limits(mempool_transactions=1))
    submit(bench, bench.anchor())
    effects = bench.handle(bench.context(view=2))
    assert facts(effects, Refused) == [Refused(Code.MEMPOOL_FULL)] and not told(effects, Offer)


# -- peers -------------------------------------------------------------------------------------------------------


def test_takes_what_another_validator_endorsed(bench: Bench) -> None:
    transaction = bench.endorse(bench.anchor(), valid_until=LIFETIME)
    assert bench.handle(Transactions((transaction, transaction))) == []
    assert pool(bench).transaction(transaction.id) == transaction
    assert not pending(bench), "the endorser answers for it"


@pytest.mark.parametrize(
    ("height", "valid_until", "taken"), [(0, 0, False), (0, 1, True), (9, 9, False), (9, 41, True), (9, 42, False)]
)
def test_takes_nothing_that_has_expired_or_lives_too_long(
    bench: Bench, height: int, valid_until: int, taken: bool
) -> None:
    final(bench, height)
    effects = bench.handle(Transactions((bench.endorse(bench.anchor(), valid_until=valid_until),)))
    assert effects == ([] if taken else [Observe(Refused(Code.TX_EXPIRED))])


def test_one_bad_offer_spoils_no_other(bench: Bench) -> None:
    good = bench.endorse(bench.anchor("good"), valid_until=5)
    forged = structs.replace(bench.endorse(bench.anchor("forged"), valid_until=5), valid_until=6)
    stranger = structs.replace(bench.endorse(bench.anchor("stranger"), valid_until=5), endorser=bytes(32))
    large = bench.endorse(RegisterNode(bench.key, "x" * 70_000, "", 0, (), bytes(64)), valid_until=5)
    effects = bench.handle(Transactions((forged, stranger, large, good)))
    assert facts(effects, Refused) == [Refused(Code.TX_ENDORSER), Refused(Code.TX_ENDORSER), Refused(Code.TX_SIZE)]
    assert good.id in pool(bench) and len(pool(bench)) == 1


@pytest.mark.parametrize("rejected", [False, True])
def test_an_endorsement_that_is_of_no_use_gives_way_to_one_that_is(bench: Bench, rejected: bool) -> None:
    """Whoever hears of a payload first could else endorse it for a height far ahead, and keep the honest one out."""
    final(bench, 9)
    anchor = bench.anchor()
    first = bench.endorse(anchor, 1, valid_until=20 if rejected else 9 + LIFETIME + 5)
    honest = bench.endorse(anchor, 2, valid_until=20)
    bench.handle(Transactions((first,)))
    if rejected:
        pool(bench).reject(first.id)
    bench.handle(Transactions((honest,)))
    assert pool(bench).transaction(honest.id) == honest
    bench.handle(Transactions((bench.endorse(anchor, 3, valid_until=21),)))
    assert pool(bench).transaction(honest.id) == honest, "one that is of use stays"


def test_a_claim_that_its_owner_did_not_sign_is_not_taken_from_a_peer(bench: Bench) -> None:
    anchor = structs.replace(bench.anchor(), signature=bytes(64))
    effects = bench.handle(Transactions((bench.endorse(anchor, valid_until=5),)))
    assert facts(effects, Refused) == [Refused(Code.TX_SIGNATURE)] and not len(pool(bench))


def test_an_endorser_whose_offers_do_not_hold_is_not_heard_until_the_next_block(bench: Bench) -> None:
    good = bench.endorse(bench.anchor("good"), valid_until=5)
    for number in range(MAX_FORGED):
        forged = structs.replace(bench.endorse(bench.anchor(f"{number}"), valid_until=5), valid_until=6)
        bench.handle(Transactions((forged,)))
    bench.handle(Transactions((good,)))
    assert not len(pool(bench))
    final(bench, 1)
    bench.handle(Transactions((good,)))
    assert len(pool(bench)) == 1


def test_what_has_to_make_room_is_observed(bench: Bench) -> None:
    bench.engine.admission.mempool = Mempool(bench.key, Limits(mempool_transactions=1))
    transaction = bench.endorse(bench.anchor("peer"), valid_until=5)
    bench.handle(Transactions((transaction,)))
    effects = bench.handle(Submitted(1, bench.anchor("own")))
    assert effects[0] == Observe(Evicted(transaction.id, Code.MEMPOOL_FULL))


def test_what_has_expired_is_observed(bench: Bench) -> None:
    transaction = bench.endorse(bench.anchor(), valid_until=5)
    bench.handle(Transactions((transaction,)))
    assert final(bench, 4) == []
    assert final(bench, 5) == [Observe(Evicted(transaction.id, Code.TX_EXPIRED))]


# -- until it is final -------------------------------------------------------------------------------------------


def test_what_is_final_is_forgotten(bench: Bench) -> None:
    submit(bench, bench.anchor())
    [transaction] = pending(bench)
    assert final(bench, 1, transaction.id) == [Store(((PENDING_TABLE, transaction.id, None),))]
    assert not pending(bench) and len(pool(bench)) == 0
    assert final(bench, 9) == []


def test_what_still_waits_is_offered_again(bench: Bench) -> None:
    submit(bench, bench.anchor())
    [transaction] = pending(bench)
    often = DEFAULT_LIMITS.reoffer_blocks
    offers = {height: told(final(bench, height), Offer) for height in range(1, 2 * often + 1)}
    assert [height for height, offer in offers.items() if offer] == [often, 2 * often]
    assert offers[often] == [Offer((transaction,))]


def test_it_is_endorsed_again_before_it_expires(bench: Bench) -> None:
    submit(bench, bench.anchor())
    [old] = pending(bench)
    effects = final(bench, LIFETIME // 2 + 1)
    [new] = pending(bench)
    assert effects == [
        Store(((PENDING_TABLE, old.id, bench.store.get(PENDING_TABLE, old.id)),)),
        Forward(Offer((new,))),
    ]
    assert new.payload == old.payload and new.valid_until == LIFETIME // 2 + 1 + LIFETIME and holds(bench, new)
    assert pool(bench).transaction(new.id) == new


def test_many_are_offered_in_messages_of_a_size(bench: Bench) -> None:
    count = MAX_GOSSIP_TRANSACTIONS + 1
    for number in range(count):
        bench.handle(Submitted(number, bench.anchor(f"{number}")))
    offers = told(final(bench, DEFAULT_LIMITS.reoffer_blocks), Offer)
    assert [len(offer.transactions) for offer in offers] == [MAX_GOSSIP_TRANSACTIONS, 1]


def test_a_restart_takes_up_what_was_accepted(bench: Bench) -> None:
    submit(bench, bench.anchor())
    [transaction] = pending(bench)
    bench.restart()
    bench.handle(Started())
    assert pool(bench).transaction(transaction.id) == transaction
    bench.handle(bench.context(closing=True))
    assert submit(bench, bench.anchor()) is Code.MEMPOOL_KNOWN
    [offer] = told(final(bench, 1_000), Offer)
    assert [(each.id, each.valid_until) for each in offer.transactions] == [(transaction.id, 1_000 + LIFETIME)]


def test_a_restarted_node_endorses_for_blocks_to_come(bench: Bench) -> None:
    bench.restart()
    bench.handle(Started())
    [offer] = told(bench.handle(bench.context(view=50, parent_height=1_000)), Offer)
    assert [each.valid_until > 1_000 for each in offer.transactions] == [True]


def test_a_restarted_node_takes_offers_for_blocks_to_come(bench: Bench) -> None:
    bench.restart()
    bench.handle(Started())
    bench.handle(bench.context(view=50, parent_height=1_000, closing=True))
    transaction = bench.endorse(bench.anchor(), valid_until=1_000 + LIFETIME)
    assert bench.handle(Transactions((transaction,))) == []


def test_what_three_of_its_own_builds_refuse_is_given_up(bench: Bench) -> None:
    submit(bench, bench.anchor())
    [transaction] = pending(bench)
    rejected = BlockBuilt(1, bench.chain_id, bytes(32), ((transaction.id, Code.SESSION_DUPLICATE),))
    effects = [bench.handle(rejected) for _ in range(3)]
    assert effects == [
        [],
        [],
        [
            Store(((PENDING_TABLE, transaction.id, None),)),
            Observe(Evicted(transaction.id, Code.SESSION_DUPLICATE)),
        ],
    ]
    assert not pending(bench)


def test_a_proof_that_a_builder_finds_false_becomes_evidence_against_who_signed_it(bench: Bench) -> None:
    bench.engine.admission.rules = PROOF_RULES
    liar, anchor = bench.keys[1], bench.anchor()
    answer = SegmentAnswer(0, bytes(32), (), 1, 0, b"x", ())
    blank = StorageProof(liar, anchor.owner, anchor.session, 0, (answer, answer), bytes(64))
    signature = CRYPTO.sign(bench.secrets[liar], claim_message(bench.chain_id, blank))
    lie = bench.endorse(structs.replace(blank, signature=signature), valid_until=LIFETIME)
    assert bench.handle(Transactions((bench.endorse(blank, valid_until=LIFETIME),))) == [
        Observe(Refused(Code.TX_SIGNATURE))
    ]
    assert bench.handle(Transactions((lie,))) == []
    honest = BlockBuilt(1, bench.chain_id, bytes(32), ((lie.id, Code.TX_PROOF_DUE),))
    assert bench.handle(honest) == []
    caught = BlockBuilt(1, bench.chain_id, bytes(32), ((lie.id, Code.TX_PROOF_FALSE), (bytes(32), Code.TX_PROOF_FALSE)))
    [offer] = told(bench.handle(caught), Offer)
    assert [each.payload for each in offer.transactions] == [FalseProof(structs.replace(blank, signature=signature))]
    assert told(bench.handle(caught), Offer) == []


def test_what_an_owner_and_a_holder_say_of_a_relay_is_taken_by_their_signatures(bench: Bench) -> None:
    owner, node, anchor = secret("owner"), bench.keys[1], bench.anchor()
    owned = RelayMandate(node, CRYPTO.public_key(owner), anchor.session, bytes(64))
    held = RelayReceipt(node, bench.keys[0], anchor.owner, anchor.session, 1, 1, bytes(64))
    assert submit(bench, owned) is submit(bench, held) is Code.TX_RULES
    bench.engine.admission.rules = RELAY_RULES
    for blank, signer, other in ((owned, owner, bench.secrets[node]), (held, bench.secrets[node], owner)):
        forged, said = (
            structs.replace(blank, signature=CRYPTO.sign(by, claim_message(bench.chain_id, blank)))
            for by in (other, signer)
        )
        assert submit(bench, forged) is Code.TX_SIGNATURE
        assert submit(bench, said) is None


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.integers(0, 5)),
        st.tuples(st.just("final"), st.integers(1, 20)),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=60)
@given(STEPS)
def test_what_was_accepted_never_expires(steps: list[tuple[str, int]]) -> None:
    """However far finality jumps, and through restarts: it waits, durable, and endorsed for blocks to come."""
    bench, height = started(), 0
    accepted: set[bytes] = set()
    for step, number in steps:
        if step == "submit":
            for effect in bench.handle(Submitted(number, bench.anchor(f"session {number}"))):
                if isinstance(effect, Respond) and effect.refusal is None:
                    accepted.add(effect.transaction)
        elif step == "final":
            height += number
            assert not facts(final(bench, height), Evicted)
        else:
            bench.restart()
            bench.handle(Started())
            bench.handle(bench.context(closing=True))
        assert {each.id for each in pending(bench)} == accepted
        for each in pending(bench):
            assert pool(bench).transaction(each.id) == each and holds(bench, each)
            assert step != "final" or each.valid_until > height


def test_a_final_block_costs_one_write_however_many_of_its_transactions_are_own(bench: Bench) -> None:
    """On a card that takes 50 ms a sync, the next vote would wait seconds for a block of a hundred anchors."""
    for number in range(50):
        assert submit(bench, bench.anchor(f"session {number}"), number) is None
    waiting = tuple(key for key, _ in bench.store.scan(PENDING_TABLE))
    assert len(waiting) == 50
    effects = bench.handle(Finalized(0, 1, 1, waiting))
    assert sum(isinstance(effect, Store) for effect in effects) == 1
    assert not list(bench.store.scan(PENDING_TABLE))
