"""The counting of votes: certificates exactly at a quorum, evidence once, and nothing kept without bound."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain.certificates import Certificate, verify_certificate, votes_of
from lucid.chain.errors import Code, Refusal
from lucid.chain.validators import ValidatorSet
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP, Vote, conflict, vote_message
from lucid.machines.engine.polls import MAX_FORGED, Polls
from lucid.machines.limits import DEFAULT_LIMITS
from lucid.poot.crypto import Edwards25519
from tests.builders import CRYPTO, digest, secret

CHAIN = digest("chain")
VIEWS_AHEAD = DEFAULT_LIMITS.views_ahead
BLOCKS = [digest("a"), digest("b")]
EPOCH = 3


def keys_of(nodes: int) -> list[bytes]:
    """Keys of the validators, in their order."""
    return sorted(CRYPTO.public_key(secret(f"node {number}")) for number in range(nodes))


SECRETS = {CRYPTO.public_key(secret(f"node {number}")): secret(f"node {number}") for number in range(12)}


def cast(key: bytes, kind: int, view: int = 1, block: bytes = BLOCKS[0], epoch: int = EPOCH) -> Vote:
    """A vote of the holder of a key."""
    block = b"" if kind == SKIP else block
    message = vote_message(CHAIN, epoch, view, kind, block)
    return Vote(epoch, view, kind, block, key, CRYPTO.sign(SECRETS[key], message))


def new_polls(nodes: int = 4) -> Polls:
    """Polls of an epoch with this many validators."""
    polls = Polls(CHAIN, CRYPTO, VIEWS_AHEAD)
    polls.open_epoch(EPOCH, ValidatorSet(tuple(keys_of(nodes))))
    return polls


def refusal(polls: Polls, vote: Vote) -> Code:
    """The code with which a vote is refused."""
    with pytest.raises(Refusal) as caught:
        polls.count(vote)
    return caught.value.code


# -- certificates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("nodes", "quorum"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5)])
@pytest.mark.parametrize("kind", [NOTARIZE, SKIP, FINALIZE])
def test_a_certificate_comes_with_the_quorums_last_vote_and_once(nodes: int, quorum: int, kind: int) -> None:
    polls, keys = new_polls(nodes), keys_of(nodes)
    given_out = [polls.count(cast(key, kind)) for key in keys]
    assert [place for place, certificate in enumerate(given_out, 1) if certificate] == [quorum]
    certificate = given_out[quorum - 1]
    assert certificate is not None
    assert verify_certificate(certificate, CHAIN, ValidatorSet(tuple(keys)), CRYPTO)
    assert list(votes_of(certificate, ValidatorSet(tuple(keys)))) == [cast(key, kind) for key in keys[:quorum]]


def test_proposals_are_kept_for_evidence_only() -> None:
    polls = new_polls()
    assert [polls.count(cast(key, PROPOSE)) for key in keys_of(4)] == [None] * 4


def test_votes_for_different_blocks_make_no_quorum() -> None:
    polls, keys = new_polls(), keys_of(4)
    blocks = [BLOCKS[0], BLOCKS[0], BLOCKS[1], BLOCKS[1]]
    assert [polls.count(cast(key, NOTARIZE, 1, block)) for key, block in zip(keys, blocks, strict=True)] == [None] * 4


def test_a_view_may_have_both_certificates() -> None:
    polls, keys = new_polls(), keys_of(4)
    kinds = [kind for key in keys for kind in (NOTARIZE, SKIP) if polls.count(cast(key, kind)) is not None]
    assert kinds == [NOTARIZE, SKIP]
    assert not polls.evidence


def test_real_signatures_make_a_certificate_that_holds() -> None:
    crypto = Edwards25519()
    secrets = {crypto.public_key(secret(f"node {number}")): secret(f"node {number}") for number in range(4)}
    validators = ValidatorSet(tuple(secrets))
    polls = Polls(CHAIN, crypto, VIEWS_AHEAD)
    polls.open_epoch(EPOCH, validators)
    message = vote_message(CHAIN, EPOCH, 1, SKIP, b"")
    votes = [Vote(EPOCH, 1, SKIP, b"", key, crypto.sign(each, message)) for key, each in secrets.items()]
    certificate = [polls.count(vote) for vote in votes][2]
    assert certificate is not None and verify_certificate(certificate, CHAIN, validators, crypto)


# -- refusals ----------------------------------------------------------------------------------------------------


def test_what_is_no_vote_of_the_epoch_is_refused_with_its_reason() -> None:
    polls, [key, *_] = new_polls(), keys_of(4)
    stranger = CRYPTO.public_key(secret("node 7"))
    good = cast(key, NOTARIZE)
    forged = Vote(EPOCH, 1, NOTARIZE, BLOCKS[1], key, good.signature)
    assert refusal(Polls(CHAIN, CRYPTO, VIEWS_AHEAD), cast(key, NOTARIZE, epoch=0)) is Code.VOTE_EPOCH
    assert refusal(polls, cast(key, NOTARIZE, epoch=EPOCH + 1)) is Code.VOTE_EPOCH
    assert refusal(polls, cast(stranger, NOTARIZE)) is Code.VOTE_SIGNER
    assert refusal(polls, forged) is Code.VOTE_SIGNATURE
    assert polls.count(good) is None, "what was refused has left no trace"
    assert refusal(polls, forged) is Code.VOTE_SIGNATURE
    assert not polls.evidence


@pytest.mark.parametrize(("kind", "block"), [(SKIP, BLOCKS[0]), (NOTARIZE, b""), (FINALIZE, BLOCKS[0][:31])])
def test_a_vote_that_names_no_block_or_one_too_many_is_refused(kind: int, block: bytes) -> None:
    polls, [key, *_] = new_polls(), keys_of(4)
    signature = CRYPTO.sign(SECRETS[key], vote_message(CHAIN, EPOCH, 1, kind, block))
    assert refusal(polls, Vote(EPOCH, 1, kind, block, key, signature)) is Code.VOTE_SIGNATURE


def test_views_far_ahead_and_long_gone_are_refused() -> None:
    polls, [key, *_] = new_polls(), keys_of(4)
    assert refusal(polls, cast(key, SKIP, 0)) is Code.VOTE_FAR
    assert refusal(polls, cast(key, SKIP, VIEWS_AHEAD + 1)) is Code.VOTE_FAR
    polls.keep_views(10, 12)
    assert refusal(polls, cast(key, SKIP, 9)) is Code.VOTE_FAR
    assert polls.count(cast(key, SKIP, 10)) is None
    assert polls.count(cast(key, SKIP, 12 + VIEWS_AHEAD)) is None
    assert refusal(polls, cast(key, SKIP, 12 + VIEWS_AHEAD + 1)) is Code.VOTE_FAR


def test_a_view_that_is_forgotten_takes_its_votes_with_it() -> None:
    polls, keys = new_polls(), keys_of(4)
    for key in keys[:2]:
        polls.count(cast(key, NOTARIZE, 5))
    polls.keep_views(5, 6)
    assert len(polls.late_votes(None, 1, 99, 99)) == 2
    polls.keep_views(6, 7)
    assert polls.late_votes(None, 1, 99, 99) == ()


def test_another_epoch_starts_from_nothing() -> None:
    polls, keys = new_polls(), keys_of(4)
    polls.keep_views(50, 60)
    for key in keys[:2]:
        polls.count(cast(key, SKIP, 55))
    polls.open_epoch(EPOCH + 1, ValidatorSet(tuple(keys)))
    assert [polls.count(cast(key, SKIP, 1, epoch=EPOCH + 1)) is None for key in keys[:3]] == [True, True, False]


class Counting:
    """`ModeledCrypto` that counts how often it verifies."""

    def __init__(self) -> None:
        self.verified = 0

    def __getattr__(self, name: str) -> object:
        return getattr(CRYPTO, name)

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """See `Crypto`."""
        self.verified += 1
        return CRYPTO.verify(public_key, message, signature)


def counting_polls() -> tuple[Counting, Polls]:
    """Polls of four validators, and the count of the signatures that they look at."""
    crypto = Counting()
    polls = Polls(CHAIN, crypto, VIEWS_AHEAD)  # type: ignore[arg-type]
    polls.open_epoch(EPOCH, ValidatorSet(tuple(keys_of(4))))
    return crypto, polls


def test_of_a_signer_under_evidence_nothing_more_is_verified() -> None:
    crypto, polls = counting_polls()
    [key, *_] = keys_of(4)
    for number in range(200):
        polls.count(cast(key, NOTARIZE, block=bytes([number]) * 32))
    assert (crypto.verified, len(polls.evidence)) == (2, 1)


def test_of_a_signer_whose_votes_do_not_hold_few_are_looked_at_in_a_view() -> None:
    crypto, polls = counting_polls()
    [key, other, *_] = keys_of(4)
    for number in range(200):
        assert refusal(polls, Vote(EPOCH, 1, NOTARIZE, bytes([number]) * 32, key, bytes(64))) is Code.VOTE_SIGNATURE
    assert crypto.verified == MAX_FORGED
    assert polls.count(cast(other, SKIP)) is None, "others are heard"
    polls.keep_views(1, 2)
    assert polls.count(cast(key, SKIP)) is None and crypto.verified == MAX_FORGED + 2, "and it is, in the next view"


def test_nobody_loses_its_votes_for_proposals_forged_in_its_name() -> None:
    """Votes come from their signers, proposals from anyone."""
    polls, [key, *_] = new_polls(), keys_of(4)
    for number in range(200):
        refusal(polls, Vote(EPOCH, 1, PROPOSE, bytes([number]) * 32, key, bytes(64)))
    assert polls.count(cast(key, SKIP)) is None


def test_votes_for_views_to_come_take_no_room_from_late_ones() -> None:
    polls, keys = new_polls(), keys_of(4)
    for view in range(1, VIEWS_AHEAD):
        polls.count(cast(keys[0], NOTARIZE, view))
    assert [vote.view for vote in polls.late_votes(None, 1, 3, 8)] == [1, 2, 3]


def test_known_votes_are_dropped_before_a_signature_is_looked_at() -> None:
    crypto = Counting()
    polls = Polls(CHAIN, crypto, VIEWS_AHEAD)  # type: ignore[arg-type]
    polls.open_epoch(EPOCH, ValidatorSet(tuple(keys_of(4))))
    for key in [*keys_of(4), *keys_of(4)]:
        polls.count(cast(key, SKIP))
    assert crypto.verified == 3, "one vote each up to the quorum, none for the fourth nor again"


# -- late votes --------------------------------------------------------------------------------------------------


def test_late_votes_are_the_newest_within_the_limit_in_order() -> None:
    polls, keys = new_polls(), keys_of(4)
    for view in (3, 1, 2):
        for key in (keys[2], keys[0]):
            polls.count(cast(key, NOTARIZE, view))
        polls.count(cast(keys[1], SKIP, view))
    late = polls.late_votes(None, 2, 99, 3)
    assert [(vote.view, keys.index(vote.signer)) for vote in late] == [(2, 2), (3, 0), (3, 2)]


def test_late_votes_leave_out_only_what_the_certificate_carries() -> None:
    polls, keys = new_polls(), keys_of(4)
    certificate = None
    for key in keys:
        certificate = polls.count(cast(key, NOTARIZE, 1)) or certificate
        polls.count(cast(key, NOTARIZE, 2))
    late = polls.late_votes(certificate, 1, 99, 99)
    assert [(vote.view, keys.index(vote.signer)) for vote in late] == [(1, 3), (2, 0), (2, 1), (2, 2), (2, 3)]


def test_late_votes_leave_out_the_certificates_signers_in_large_sets_too() -> None:
    polls, keys = new_polls(12), keys_of(12)
    certificate = None
    for key in keys[3:]:
        certificate = polls.count(cast(key, NOTARIZE, 1)) or certificate
    polls.count(cast(keys[0], NOTARIZE, 1))
    late = polls.late_votes(certificate, 1, 99, 99)
    assert [keys.index(vote.signer) for vote in late] == [0], "the signers' bitmap has two bytes"


# -- against a naive count ---------------------------------------------------------------------------------------


@dataclass
class Naive:
    """What polls should say of votes that all hold: every vote is remembered, and the rule is read off the pile."""

    nodes: int
    pile: list[Vote] = field(default_factory=list)
    certified: set[tuple[int, int, bytes]] = field(default_factory=set)

    def count(self, vote: Vote) -> bool:
        """Whether this vote completes a certificate."""
        subject = (vote.view, vote.kind, vote.block)
        if subject in self.certified and vote.kind in (SKIP, FINALIZE):
            return False
        first = all((each.view, each.kind, each.signer) != (vote.view, vote.kind, vote.signer) for each in self.pile)
        self.pile.append(vote)
        counted: dict[tuple[int, int, bytes], Vote] = {}
        for each in self.pile:
            counted.setdefault((each.view, each.kind, each.signer), each)
        same = [each for each in counted.values() if (each.view, each.kind, each.block) == subject]
        complete = first and len(same) == 2 * self.nodes // 3 + 1 and vote.kind != PROPOSE
        if complete:
            self.certified.add(subject)
        return complete

    def guilty(self) -> set[tuple[bytes, int]]:
        """(signer, view) of all who signed what conflicts."""
        return {(one.signer, one.view) for one, other in combinations(self.pile, 2) if conflict(one, other)}


@pytest.mark.slow
@settings(max_examples=150)
@given(st.data())
def test_agrees_with_a_naive_count(data: st.DataObject) -> None:
    nodes = data.draw(st.integers(1, 5), "nodes")
    polls, naive, keys = new_polls(nodes), Naive(nodes), keys_of(nodes)
    votes = st.builds(
        cast,
        st.sampled_from(keys),
        st.sampled_from([PROPOSE, NOTARIZE, SKIP, FINALIZE]),
        st.integers(1, 2),
        st.sampled_from(BLOCKS),
    )
    for vote in data.draw(st.lists(votes, max_size=60), "votes"):
        certificate = polls.count(vote)
        assert (certificate is not None) == naive.count(vote)
        if certificate is not None:
            check_certificate(certificate, vote, keys)
    accused = [(each.first.signer, each.first.view) for each in polls.evidence]
    assert len(set(accused)) == len(accused), "once a validator and view"
    assert set(accused) == naive.guilty()
    assert all(conflict(each.first, each.second) for each in polls.evidence)


def check_certificate(certificate: Certificate, vote: Vote, keys: list[bytes]) -> None:
    """A certificate is of the vote's subject, and holds."""
    subject = (certificate.epoch, certificate.view, certificate.kind, certificate.block)
    assert subject == (vote.epoch, vote.view, vote.kind, vote.block)
    assert verify_certificate(certificate, CHAIN, ValidatorSet(tuple(keys)), CRYPTO)


def test_a_refusal_says_what_is_wrong_with_a_vote() -> None:
    polls, key = new_polls(), keys_of(4)[0]
    blockless = Vote(EPOCH, 1, NOTARIZE, b"", key, bytes(64))
    with pytest.raises(Refusal) as caught:
        polls.count(blockless)
    assert caught.value.detail == "a vote names a block if and only if it is not a skip"
    for _ in range(MAX_FORGED + 1):
        with pytest.raises(Refusal) as caught:
            polls.count(Vote(EPOCH, 1, NOTARIZE, BLOCKS[0], key, bytes(64)))
    assert caught.value.detail == "too many of this signer's did not hold"


def test_votes_that_do_not_hold_are_counted_again_after_views_were_let_go_of() -> None:
    polls, key = new_polls(), keys_of(4)[0]
    polls.keep_views(2, 3)
    assert refusal(polls, Vote(EPOCH, 3, NOTARIZE, BLOCKS[0], key, bytes(64))) is Code.VOTE_SIGNATURE
    assert polls.count(cast(key, NOTARIZE, view=3)) is None, "one is not too many"


def test_before_an_epoch_is_open_nothing_is_counted() -> None:
    polls = Polls(CHAIN, CRYPTO, VIEWS_AHEAD)
    assert refusal(polls, cast(keys_of(4)[0], NOTARIZE, epoch=0)) is Code.VOTE_EPOCH
