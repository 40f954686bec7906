"""The signer: what leaves it is signed, in the log, and stored before it is sent; a lost log waits for an epoch."""

from __future__ import annotations

import pytest

from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP, vote_message
from lucid.ledger.memory import MemoryStore
from lucid.machines.effects import BroadcastVote, Forward, Observe, Publish, Signed, Store
from lucid.machines.engine.signer import Signer
from lucid.machines.votelog import new_log
from tests.builders import CRYPTO
from tests.machines.bench import BLOCK_A, GENESIS_MS, Bench

BENCH = Bench()


def signer(*, log: bool = True) -> Signer:
    """That of the bench's key, in view 1 if it has a log."""
    store = MemoryStore()
    if log:
        store.write([new_log()])
    made = Signer(BENCH.secrets[BENCH.key], BENCH.genesis, CRYPTO, store)
    if log:
        made.log.enter((0, 1))
    return made


def test_a_vote_is_stored_before_it_is_sent() -> None:
    own = signer()
    vote, effects = own.vote(0, 1, NOTARIZE, BLOCK_A)
    assert effects == [Store(own.log.writes()), Observe(Signed(vote)), Forward(BroadcastVote(vote))]
    assert own.log.votes((0, 1)) == {NOTARIZE: vote}
    assert CRYPTO.verify(BENCH.key, vote_message(BENCH.chain_id, 0, 1, NOTARIZE, BLOCK_A), vote.signature)
    with pytest.raises(AssertionError, match="never twice"):
        own.vote(0, 1, NOTARIZE, BLOCK_A)


def test_a_new_block_is_signed_and_one_that_is_repeated_has_its_signature() -> None:
    own = signer()
    first = own.propose(0, 1, BLOCK_A, 7)
    own.log.enter((0, 2))
    second = own.repeat(0, 2, BLOCK_A, 7)
    for effects, signature, view in (
        (first, CRYPTO.sign(BENCH.secrets[BENCH.key], BLOCK_A), 1),
        (second, bytes(64), 2),
    ):
        vote = own.log.votes((0, view))[PROPOSE]
        assert effects[1:] == [Observe(Signed(vote)), Forward(Publish(vote, signature, 7))]
        assert isinstance(effects[0], Store), "first of all"


@pytest.mark.parametrize(("kind", "tick", "forgiven"), [(SKIP, 2, True), (FINALIZE, 2, False), (SKIP, 1, False)])
def test_a_lost_log_is_forgiven_by_an_epoch_that_was_seen_to_open_later(kind: int, tick: int, forgiven: bool) -> None:
    """A tick is 10 s, the drift 2 s: it was lost as epoch 0 went on, 9 s after genesis."""
    own = signer(log=False)
    assert own.open_epoch(BENCH.context(), GENESIS_MS + 9_000)
    own.witness(kind)
    own.open_epoch(BENCH.context(epoch=1, parent_tick=tick), GENESIS_MS + 21_000)
    assert (own.log.lost_ms == 0) is forgiven
