"""The ledger against its naive second implementation, over histories and forgeries that Hypothesis makes up.

Everything is small so that everything happens: slots of a few views, epochs and windows of a few slots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from harness.reference.schedule import absolute_slot
from lucid.chain.blocks import Block, late_votes_hash
from lucid.chain.errors import Code
from lucid.chain.genesis import Activation, Genesis, GenesisNode, GenesisOfRules
from lucid.chain.parameters import DAY_MS, Parameters
from lucid.chain.transactions import (
    FalseProof,
    NodeCapacity,
    RegisterNode,
    RelayMandate,
    RelayReceipt,
    SetAdministrators,
    StorageProof,
    Transaction,
    UptimeBeacon,
)
from lucid.chain.versions import ADMINISTRATOR_RULES, CAPACITY_RULES, PROOF_RULES, RELAY_RULES
from lucid.chain.votes import NOTARIZE
from lucid.ledger.rows import WEIGHTS_KEY, relayed_key
from lucid.ledger.validation import Built
from lucid.ledger.weights import entries
from sim.crypto import ModeledCrypto
from tests.harness.forger import Forger
from tests.harness.twin import Twin

CRYPTO = ModeledCrypto()
NODE_SECRETS = [bytes((number,)) * 32 for number in range(1, 13)]
ADMINISTRATOR_SECRETS = [bytes((number,)) * 32 for number in range(101, 104)]
OWNER_SECRETS = [bytes((number,)) * 32 for number in range(201, 203)]
NODES, ADMINISTRATORS, OWNERS = (
    [CRYPTO.public_key(secret) for secret in secrets]
    for secrets in (NODE_SECRETS, ADMINISTRATOR_SECRETS, OWNER_SECRETS)
)
FORGED_AT_ONCE = 3


def genesis_drawn_by(random: Random) -> Genesis:
    """A genesis document with parameters smaller than a real chain's may be."""
    window, views = random.choice((4, 2, 3, 6, 12)), random.choice((2, 1, 3))
    parameters = Parameters(
        slot_duration_ms=DAY_MS // window,
        block_interval_ms=DAY_MS // window // views,
        leader_window_days=1,
        cooldown_slots=random.choice((2, 1, 3, 16)),
        epoch_slots=random.choice((3, 1, 2, 20)),
        min_uptime_ppm=random.choice((200_000, 0, 700_000, 1_000_000)),
        missed_slot_penalty_ppm=random.choice((500_000, 333_333, 0, 1_000_000)),
        max_block_bytes=random.choice((1 << 20, 1 << 20, 3_000)),
        max_block_transactions=random.choice((1_000, 1_000, 3)),
        max_transaction_bytes=random.choice((65_536, 65_536, 400)),
        transaction_lifetime_blocks=random.choice((16, 1, 2)),
        evidence_epochs=random.choice((1, 2)),
        vote_credits=random.choice((1, 7, 0)),
    )
    pools = [random.choice(("", "red", "blue")) for _ in range(random.choice((4, 1, 2, 3, 5, 7, 9)))]
    nodes = tuple([GenesisNode(NODES[number], f"n{number}", pool) for number, pool in enumerate(pools)])
    threshold = random.choice((2, 1, 3, 0))
    named = (
        Activation(2),
        Activation(2, 5),
        Activation(3, 1),
        Activation(4),
        Activation(5),
        Activation(6),
        Activation(7),
    )
    rules = random.choice((None, None, *named))
    fields = (0, nodes, tuple(ADMINISTRATORS) if threshold else (), threshold, parameters)
    return Genesis(*fields) if rules is None else GenesisOfRules(*fields, rules=rules)


def proving_genesis(rules: Activation) -> Genesis:
    """Epochs of two slots of two views, three nodes, and credits that leave room for proofs."""
    parameters = Parameters(
        slot_duration_ms=DAY_MS // 4,
        block_interval_ms=DAY_MS // 8,
        leader_window_days=1,
        epoch_slots=2,
        transaction_lifetime_blocks=16,
        vote_credits=7,
    )
    nodes = tuple([GenesisNode(NODES[number], f"n{number}") for number in range(3)])
    return GenesisOfRules(0, nodes, tuple(ADMINISTRATORS), 2, parameters, rules=rules)


class Tame(Random):
    """Always takes the first alternative."""

    def randrange(self, *_: object) -> int:
        return 0

    def choice(self, seq: Any) -> Any:
        return seq[0]


class History:
    """Grows one chain in both implementations, and offers both what they have to refuse on the way."""

    def __init__(self, random: Random, rules: Activation | None = None) -> None:
        self.random = random
        self.judged: Counter[tuple[type, Code | None]] = Counter()
        """What became of each kind of transaction, as its builder and then both judged it."""
        genesis = genesis_drawn_by(random) if rules is None else proving_genesis(rules)
        self.twin = Twin(genesis, CRYPTO, NODE_SECRETS + ADMINISTRATOR_SECRETS + OWNER_SECRETS)
        self.forger = Forger(random, self.twin, NODES, ADMINISTRATORS, OWNERS)
        self.refused: list[Code] = []

    def step(self, make: Callable[[], Transaction] | None = None) -> None:
        """One more block of what `make` makes (anything), after skipped views or none, and forgeries of it."""
        twin, head, parameters = self.twin, self.twin.ledger.core.head, self.twin.genesis.parameters
        views = parameters.slot_views
        gap = self.random.choice((1, 1, 1, 1, 1, 2, 3, views, 2 * views + 1, parameters.epoch_views))
        view = min(gap, 30) + (0 if twin.closed else head.view)
        self.forger.place = head.height + 1, twin.epoch, absolute_slot(twin.epoch, view, parameters)
        candidates = tuple([(make or self.forger.transaction)() for _ in range(self.random.choice((0, 1, 3, 8)))])
        if self.random.randrange(2):
            candidates += self.forger.heartbeats()
        if make == self.forger.weighing and self.random.randrange(2):
            # Nobody grows where most show nothing.
            honest = Forger(Tame(), twin, NODES, ADMINISTRATORS, OWNERS)
            honest.place = self.forger.place
            candidates += honest.showings()
        late_votes = self.forger.late_votes() if self.random.randrange(2) else ()
        tick = head.tick + self.random.choice((1, 5))
        block, built = twin.build(view, tick, self.forger.certificate(), late_votes, candidates)
        self.judged += Counter((type(each.payload), None) for each in block.transactions)
        rejected = built.rejected[:FORGED_AT_ONCE] if make is None else built.rejected
        self.judged += Counter((type(each.payload), code) for each, code in rejected)
        forged: list[tuple[Block, Code | None]] = [
            self._with_refused(block, candidates, refused, code) for refused, code in rejected
        ]
        forged += [(self.forger.forged(block), None) for _ in range(self.random.randrange(FORGED_AT_ONCE))]
        for other, code in forged:
            verdict = twin.offer(other)
            assert code in {None, verdict}, "a block is refused for what its builder left out"
            if verdict is None:
                return
            self.refused.append(verdict)
        verdict = twin.offer(block)
        assert verdict is None, f"a leader builds an invalid block: {verdict!r}"
        if self.random.randrange(2):
            twin.flush()

    def _with_refused(
        self, block: Block, candidates: tuple[Transaction, ...], refused: Transaction, code: Code
    ) -> tuple[Block, Code]:
        """The block as if its builder had let one transaction through."""
        before = candidates[: next(place for place, each in enumerate(candidates) if each is refused)]
        included = [each for each in before if any(each is other for other in block.transactions)]
        return self.forger.with_transactions(block, (*included, refused)), code


@settings(deadline=None, max_examples=60)
@given(random=st.randoms(use_true_random=False), length=st.integers(1, 24))
def test_both_implementations_agree_block_by_block(random: Random, length: int) -> None:
    history = History(random)
    for _ in range(length):
        history.step()
    history.twin.flush()


@pytest.mark.slow
def test_both_agree_on_what_is_proven_and_on_lies() -> None:
    """Chains of short epochs whose nodes hold and prove: all that can become of a proof is among what both agree on."""
    judged: Counter[tuple[type, Code | None]] = Counter()
    for seed in range(6):
        history = History(Random(f"proofs/{seed}"), Activation(PROOF_RULES))
        for _ in range(60):
            history.step(history.forger.storing)
        history.twin.flush()
        judged += history.judged
    proofs, lies = ({code for kind, code in judged if kind is each} for each in (StorageProof, FalseProof))
    drawn = {Code.TX_PROOF_EPOCH, Code.TX_PROOF_DUE, Code.TX_PROOF_DRAW, Code.TX_PROOF_FALSE, Code.TX_SIGNATURE}
    assert {None, Code.TX_FIELD, Code.SESSION_UNKNOWN, Code.TX_NOT_MEMBER, *drawn} <= proofs
    assert {None, Code.TX_PROOF_TRUE, Code.TX_EVIDENCE_TWICE, Code.SESSION_UNKNOWN} <= lies
    assert judged[StorageProof, None] > 20


@pytest.mark.slow
def test_both_agree_on_what_relays_are_owed() -> None:
    """The same chains with relays: all that can become of what owners and holders say is among what both agree on."""
    judged: Counter[tuple[type, Code | None]] = Counter()
    paid = 0
    for seed in range(6):
        history = History(Random(f"relays/{seed}"), Activation(RELAY_RULES))
        for _ in range(60):
            history.step(history.forger.relaying)
            paid += any(history.twin.ledger.row(relayed_key(node)) is not None for node in NODES)
        history.twin.flush()
        judged += history.judged
    mandates, receipts = ({code for kind, code in judged if kind is each} for each in (RelayMandate, RelayReceipt))
    both = {None, Code.TX_NOT_MEMBER, Code.TX_SIGNATURE, Code.SESSION_UNKNOWN, Code.TX_RELAY_TWICE}
    assert both | {Code.TX_RELAY_STALE} <= mandates
    assert both | {Code.TX_FIELD, Code.TX_RELAY_OTHER, Code.TX_RELAY_STALE, Code.TX_RELAY_CLAIM} <= receipts
    assert judged[RelayReceipt, None] > 8 and paid > 20


@pytest.mark.slow
def test_both_agree_on_what_nodes_weigh() -> None:
    """The same chains with declarations: weights go up and down, and all that can become of a declaration is there."""
    judged: Counter[tuple[type, Code | None]] = Counter()
    changes: Counter[int] = Counter()
    for seed in range(8):
        history = History(Random(f"weights/{seed}"), Activation(CAPACITY_RULES))
        weights: list[int] = []
        for _ in range(80):
            history.step(history.forger.weighing)
            row = history.twin.ledger.row(WEIGHTS_KEY)
            before, weights = weights, [each.weight for each in entries(row)]
            changes.update((new > old) - (new < old) for old, new in zip(before, weights, strict=False))
        history.twin.flush()
        judged += history.judged
    declared = {code for kind, code in judged if kind is NodeCapacity}
    assert declared >= {None, Code.TX_NOT_MEMBER, Code.TX_FIELD, Code.TX_HOLDING_HEIGHT, Code.TX_SIGNATURE}
    assert changes[1] > 20 and changes[-1] > 10, changes


@pytest.mark.slow
def test_both_agree_on_who_decides_after_whom() -> None:
    """Short epochs in which administrators give way to others, some of whom may not follow."""
    judged: Counter[tuple[type, Code | None]] = Counter()
    epochs = set()
    for seed in range(4):
        history = History(Random(f"administrators/{seed}"), Activation(ADMINISTRATOR_RULES))
        for _ in range(40):
            history.step(history.forger.administering)
            epochs.add((seed, history.twin.ledger.core.administration))
        history.twin.flush()
        judged += history.judged
    handed = {code for kind, code in judged if kind is SetAdministrators}
    refusals = {Code.TX_FIELD, Code.TX_ADMIN_SEQUENCE, Code.TX_ADMIN_THRESHOLD, Code.TX_SIGNATURE}
    assert {None, *refusals} <= handed
    assert len({entry.current for _, entry in epochs if entry is not None}) > 3, "they took over, again and again"


@settings(deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_no_genesis_makes_them_differ(random: Random) -> None:
    Twin(genesis_drawn_by(random), CRYPTO, NODE_SECRETS)


# What the property above once found, in the smallest form.


def small_twin(nodes: int = 1, **parameters: int) -> tuple[Twin, Forger]:
    """A chain at genesis, whose forger makes what is valid."""
    small = Parameters(slot_duration_ms=DAY_MS // 4, block_interval_ms=DAY_MS // 8, leader_window_days=1, epoch_slots=3)
    genesis = Genesis(
        0,
        tuple([GenesisNode(key, "n") for key in NODES[:nodes]]),
        tuple(ADMINISTRATORS),
        2,
        structs.replace(small, **parameters),
    )
    twin = Twin(genesis, CRYPTO, NODE_SECRETS + ADMINISTRATOR_SECRETS)
    return twin, Forger(Tame(), twin, NODES, ADMINISTRATORS, OWNERS)


def extend(twin: Twin, forger: Forger, view: int, *payloads: Any) -> Built:
    """The block of `view` with what its leader accepts of the payloads, added."""
    head = twin.ledger.core.head
    forger.place = head.height + 1, twin.epoch, absolute_slot(twin.epoch, view, twin.genesis.parameters)
    candidates = tuple([forger.endorse(payload) for payload in payloads])
    block, built = twin.build(view, head.tick + 1, twin.certificate(()), (), candidates)
    assert twin.offer(block) is None
    return built


def heartbeat(forger: Forger, slot: int, block: bytes) -> Any:
    return forger.claim(UptimeBeacon(NODES[0], 0, slot, block, bytes(64)), NODES[0])


def registration(forger: Forger) -> Any:
    return forger.approve(forger.claim(RegisterNode(NODES[1], "x", "", 0, (), bytes(64)), NODES[1]))


def test_a_late_vote_for_genesis_is_refused() -> None:
    twin, _ = small_twin()
    block, _ = twin.build(1, 1, None)
    votes = (twin.vote(NODES[0], 0, 0, NOTARIZE, twin.tip),)
    late = twin.seal(structs.replace(block, late_votes=votes), late_votes=late_votes_hash(votes))
    assert twin.offer(late) == Code.BLOCK_LATE_VOTES


def test_a_heartbeat_left_out_leaves_no_trace_in_the_block() -> None:
    twin, forger = small_twin()
    genesis = twin.tip
    extend(twin, forger, 1, heartbeat(forger, 0, genesis))
    extend(twin, forger, 3)
    built = extend(twin, forger, 4, registration(forger), heartbeat(forger, 0, genesis))
    assert [code for _, code in built.rejected] == [Code.TX_BEACON_TWICE]
    assert len(built.transactions) == 1


def test_an_approval_by_nobody_is_a_bad_signature() -> None:
    twin, forger = small_twin()
    change = registration(forger)
    change = structs.replace(change, approvals=(*change.approvals, (len(ADMINISTRATORS), bytes(64))))
    assert [code for _, code in extend(twin, forger, 1, change).rejected] == [Code.TX_SIGNATURE]


def test_nobody_registers_where_there_are_no_administrators() -> None:
    genesis = Genesis(0, (GenesisNode(NODES[0], "n"),))
    twin = Twin(genesis, CRYPTO, NODE_SECRETS)
    forger = Forger(Tame(), twin, NODES, [], OWNERS)
    assert [code for _, code in extend(twin, forger, 1, registration(forger)).rejected] == [Code.TX_ADMIN_THRESHOLD]
