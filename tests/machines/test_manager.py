"""The manager: what a proposal, a certificate and a standing do, again and again, and in the wrong order."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from lucid.chain.certificates import Certificate
from lucid.chain.errors import Code
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP
from lucid.machines.effects import (
    CertificateStored,
    Finalized,
    Observe,
    Refused,
    Retransmit,
    Send,
    Verdict,
    ViewContext,
)
from lucid.machines.messages import (
    CertificateMessage,
    Certificates,
    Message,
    Proposal,
    Standing,
    VoteMessage,
)
from tests.builders import Chain
from tests.machines.fleets import Fleet
from tests.machines.peers import (
    Peer,
    converse,
    everything,
    facts,
    key_of,
    passing,
    refusals,
    sends,
    tiny_genesis,
    told,
    writes_of,
)
from tests.machines.statements import again, certificate, notarize, proposal

GENESIS = tiny_genesis()
LAST_VIEW = GENESIS.parameters.epoch_views


# -- what may not be refused halfway -----------------------------------------------------------------------------


def test_a_certificate_inside_a_proposal_that_is_refused_is_no_less_durable(peer: Peer, chain: Chain) -> None:
    """A forged proposal that carries a true certificate must not make it known and yet neither stored nor told."""
    first = proposal(chain, view=1)
    peer.hear(first)
    second = proposal(chain, view=2)
    forged = replace(second, block=replace(second.block, signature=bytes(64)))
    effects = peer.hear(forged)
    assert refusals(effects) == [Code.BLOCK_SIGNATURE]
    assert [each.certificate for each in told(effects, CertificateStored)] == [second.block.parent_certificate]
    assert facts(peer.manager) == facts(peer.restarted())
    assert peer.manager.chain.tree.entry_view == 1
    assert refusals(peer.hear(second)) == []


@pytest.mark.parametrize("signed", [False, True])
def test_finality_inside_a_forged_proposal_does_not_break_the_ledger(peer: Peer, chain: Chain, signed: bool) -> None:
    """A block whose parent certificate finalizes its parent: it is refused, and what became final is so in full."""
    first = proposal(chain, view=1)
    peer.hear(first)
    second = proposal(chain, view=2)
    final = certificate(chain, FINALIZE, 1, first.vote.block)
    block = replace(second.block, parent_certificate=final)
    stranger = next(key_of(number) for number in range(4) if key_of(number) != second.vote.signer)
    vote = second.vote if signed else chain.vote(stranger, PROPOSE, second.vote.block, 2)
    effects = peer.hear(Proposal(vote, block, None))
    assert refusals(effects) == [Code.PROPOSAL_INVALID], "the body is another"
    assert facts(peer.manager) == facts(peer.restarted())
    assert peer.manager.chain.tree.root.height == int(signed)
    assert len(told(effects, Finalized)) == int(signed)
    notarize(peer, chain, first)
    assert refusals(peer.hear(second)) == [], "the ledger is what it was"


@pytest.mark.parametrize("bad", ["signature", "leader", "vote signature", "other block", "kind"])
def test_a_proposal_that_is_not_its_leader_s_changes_nothing(peer: Peer, chain: Chain, bad: str) -> None:
    each = proposal(chain, view=1)
    stranger = next(key_of(number) for number in range(4) if key_of(number) != each.vote.signer)
    forms = {
        "signature": replace(each, block=replace(each.block, signature=bytes(64))),
        "leader": replace(each, vote=chain.vote(stranger, PROPOSE, each.vote.block, 1)),
        "vote signature": replace(each, vote=replace(each.vote, signature=bytes(64))),
        "other block": replace(each, vote=chain.vote(each.vote.signer, PROPOSE, bytes(32), 1)),
        "kind": replace(each, vote=chain.vote(each.vote.signer, NOTARIZE, each.vote.block, 1)),
    }
    before = everything(peer)
    code = Code.BLOCK_SIGNATURE if bad == "signature" else Code.PROPOSAL_INVALID
    assert peer.hear(forms[bad]) == [Observe(Refused(code))]
    assert everything(peer) == before
    assert refusals(peer.hear(each)) == [], "the true one is not shut out"


# -- replays -----------------------------------------------------------------------------------------------------


def test_a_proposal_again_is_refused_as_replayed_and_as_stale_when_its_view_is_over(peer: Peer, chain: Chain) -> None:
    first, second = proposal(chain, view=1), proposal(chain, view=2)
    peer.hear(first)
    assert refusals(peer.hear(first)) == [Code.REPLAYED]
    notarize(peer, chain, first)
    peer.hear(second)
    peer.hear(CertificateMessage(certificate(chain, FINALIZE, 1, first.vote.block)))
    before = everything(peer)
    assert refusals(peer.hear(first)) == [Code.PROPOSAL_STALE]
    assert everything(peer) == before


def test_the_proposal_of_the_root_again_is_stale_even_if_its_notarization_never_came(peer: Peer, chain: Chain) -> None:
    """Finality may overtake notarization: then the root's view is not over for this node, and yet its block is."""
    first = proposal(chain, view=1)
    peer.hear(first)
    peer.hear(CertificateMessage(certificate(chain, FINALIZE, 1, first.vote.block)))
    assert (peer.manager.chain.tree.root.height, peer.manager.chain.tree.entry_view) == (1, 0)
    assert refusals(peer.hear(first)) == [Code.PROPOSAL_STALE]


def test_the_block_that_opened_an_epoch_is_stale_in_it(peer: Peer, chain: Chain) -> None:
    closing = proposal(chain, view=LAST_VIEW)
    for view in range(1, LAST_VIEW):
        peer.hear(CertificateMessage(certificate(chain, SKIP, view)))
    peer.hear(closing)
    peer.hear(CertificateMessage(certificate(chain, FINALIZE, LAST_VIEW, closing.vote.block)))
    assert peer.manager.chain.tree.epoch == 1
    vote = chain.vote(closing.vote.signer, PROPOSE, closing.vote.block, LAST_VIEW, 1)
    assert refusals(peer.hear(replace(closing, vote=vote))) == [Code.PROPOSAL_STALE]
    assert refusals(peer.hear(closing)) == [Code.PROPOSAL_STALE]


def test_a_proposal_that_comes_twice_while_it_waits_is_taken_once(peer: Peer, chain: Chain) -> None:
    """Two nodes of one block in the tree would part its children from it, and finality would drop them."""
    first, second, third = (proposal(chain, view=view) for view in (1, 2, 3))
    peer.hear(second)
    peer.hear(third)
    effects = peer.hear(first)
    assert [verdict.view for verdict in told(effects, Verdict)] == [1, 2, 3]
    assert refusals(peer.hear(second)) == [Code.REPLAYED]
    nodes = peer.manager.chain.tree.nodes
    assert nodes[third.vote.block].parent is nodes[second.vote.block]
    peer.hear(CertificateMessage(certificate(chain, FINALIZE, 2, second.vote.block)))
    assert third.vote.block in peer.manager.chain.tree.nodes


def test_proposals_that_wait_for_one_another_are_taken_in_one_go(peer: Peer, chain: Chain) -> None:
    """Each carries the certificate that the next one waits for, so each leads to a look at the rest."""
    first, *others = [proposal(chain, view=view) for view in (1, 2, 3, 4, 5)]
    for each in others:
        peer.hear(each)
    effects = peer.hear(first)
    assert [verdict.view for verdict in told(effects, Verdict)] == [1, 2, 3, 4, 5]
    assert facts(peer.manager) == facts(peer.restarted())


def test_a_proposal_that_waits_for_a_block_is_looked_at_though_the_block_is_final_at_once(
    peer: Peer, chain: Chain
) -> None:
    """The tree then holds no more blocks than before: what counts is that one came."""
    first, second = proposal(chain, view=1), proposal(chain, view=2)
    peer.hear(second)
    peer.hear(CertificateMessage(certificate(chain, FINALIZE, 1, first.vote.block)))
    effects = peer.hear(first)
    assert peer.manager.chain.tree.root.hash == first.vote.block
    assert [verdict.view for verdict in told(effects, Verdict)] == [1, 2]


def test_a_proposal_that_waited_may_be_refused_after_all(peer: Peer, chain: Chain) -> None:
    first, second = proposal(chain, view=1), proposal(chain, view=2)
    stranger = next(key_of(number) for number in range(4) if key_of(number) != second.vote.signer)
    peer.hear(replace(second, vote=chain.vote(stranger, PROPOSE, second.vote.block, 2)))
    effects = peer.hear(first)
    assert refusals(effects) == [Code.PROPOSAL_INVALID]
    assert passing(peer.manager)["waiting"] == {}
    assert first.vote.block in peer.manager.chain.tree.nodes, "that is no reason to forget its parent"
    assert refusals(peer.hear(second)) == []


def test_certificates_again_are_dropped_before_any_signature_is_looked_at(peer: Peer, chain: Chain) -> None:
    first = proposal(chain, view=1)
    peer.hear(first)
    messages = [
        CertificateMessage(certificate(chain, NOTARIZE, 1, first.vote.block)),
        CertificateMessage(certificate(chain, FINALIZE, 1, first.vote.block)),
        CertificateMessage(certificate(chain, SKIP, 2)),
    ]
    for message in messages:
        assert writes_of(peer.hear(message))
    before = everything(peer)
    for message in messages:
        blank = tuple(bytes(64) for _ in message.certificate.signatures)
        assert peer.hear(message) == []
        assert peer.hear(replace(message, certificate=replace(message.certificate, signatures=blank))) == []
    assert everything(peer) == before


def test_two_proposals_of_one_view_are_evidence_for_the_engine(peer: Peer, chain: Chain) -> None:
    other = chain.copy()
    first, second = proposal(chain, view=1), proposal(other, view=1, tick=7)
    peer.hear(first)
    before = everything(peer)
    effects = peer.hear(second)
    assert refusals(effects) == [Code.PROPOSAL_EQUIVOCATES]
    assert told(effects, VoteMessage) == [VoteMessage(second.vote)]
    assert everything(peer) == before


@pytest.mark.parametrize("kind", ["proposal", "certificate", "certificates", "standing"])
def test_what_is_of_an_epoch_that_is_over_changes_nothing(kind: str, chain: Chain) -> None:
    peer = Fleet(GENESIS).start().run(11_000).peer(0)
    assert peer.manager.chain.tree.epoch == 1
    old = certificate(chain, SKIP, 5)
    messages: dict[str, Message] = {
        "proposal": proposal(chain, view=1),
        "certificate": CertificateMessage(old),
        "certificates": Certificates((old, old)),
        "standing": Standing(0, 3, 2, (), old),
    }
    before = everything(peer)
    effects = peer.hear(messages[kind], 2)
    assert everything(peer) == before
    codes = {"proposal": [Code.PROPOSAL_STALE], "certificates": [Code.UNEXPECTED]}
    assert refusals(effects) == codes.get(kind, [])
    assert [type(message) for _, message in sends(effects)] == (
        [CertificateMessage, Standing] if kind == "standing" else []
    ), "who is behind hears how the epoch ended"


def test_a_certificate_of_a_proposal_is_nothing(peer: Peer, chain: Chain) -> None:
    assert peer.hear(CertificateMessage(certificate(chain, PROPOSE, 1, bytes(32)))) == []


@pytest.mark.parametrize("kind", [NOTARIZE, SKIP, FINALIZE])
@pytest.mark.parametrize("bad", ["too few", "signature", "block", "view", "stranger"])
def test_a_certificate_that_does_not_hold_is_refused(peer: Peer, chain: Chain, kind: int, bad: str) -> None:
    block = b"" if kind == SKIP else bytes(32)
    true = certificate(chain, kind, 1, block)
    forms: dict[str, Certificate] = {
        "too few": certificate(chain, kind, 1, block, signers=(0, 1)),
        "signature": replace(true, signatures=(bytes(64), *true.signatures[1:])),
        "block": replace(true, block=bytes([9]) * 32),
        "view": replace(true, view=2),
        "stranger": replace(true, signers=b"\xff"),
    }
    before = everything(peer)
    assert peer.hear(CertificateMessage(forms[bad])) == [Observe(Refused(Code.CERTIFICATE_INVALID))]
    assert everything(peer) == before


# -- closing blocks ----------------------------------------------------------------------------------------------


def test_a_closing_block_comes_again_on_its_notarization(peer: Peer, chain: Chain, closed: Proposal) -> None:
    repeat = again(chain, closed.block, LAST_VIEW + 1)
    effects = peer.hear(repeat)
    [verdict] = told(effects, Verdict)
    assert (verdict.view, verdict.block, verdict.base_view, verdict.fresh) == (
        LAST_VIEW + 1,
        closed.vote.block,
        LAST_VIEW,
        False,
    )
    assert refusals(peer.hear(repeat)) == [Code.REPLAYED]


REPEATS = ["no notarization", "another kind", "another block", "its own view", "false signatures", "another leader"]


@pytest.mark.parametrize("bad", REPEATS)
def test_a_closing_block_comes_again_only_as_the_rules_have_it(
    peer: Peer, chain: Chain, closed: Proposal, bad: str
) -> None:
    repeat = again(chain, closed.block, LAST_VIEW + 1)
    true = repeat.notarization
    assert true is not None
    stranger = next(key_of(number) for number in range(4) if key_of(number) != repeat.vote.signer)
    forms = {
        "no notarization": replace(repeat, notarization=None),
        "another kind": replace(repeat, notarization=certificate(chain, FINALIZE, LAST_VIEW, closed.vote.block)),
        "another block": replace(repeat, notarization=certificate(chain, NOTARIZE, LAST_VIEW, bytes(32))),
        "its own view": replace(repeat, notarization=certificate(chain, NOTARIZE, LAST_VIEW + 1, closed.vote.block)),
        "false signatures": replace(repeat, notarization=replace(true, signatures=(bytes(64),) * 4)),
        "another leader": replace(repeat, vote=chain.vote(stranger, PROPOSE, closed.vote.block, LAST_VIEW + 1)),
    }
    before = everything(peer)
    assert refusals(peer.hear(forms[bad])) == [Code.PROPOSAL_INVALID]
    assert everything(peer) == before


def test_a_block_that_does_not_close_never_comes_again(peer: Peer, chain: Chain) -> None:
    first = proposal(chain, view=1)
    peer.hear(first)
    notarize(peer, chain, first)
    vote = chain.vote(chain.leader(2).key, PROPOSE, first.vote.block, 2)
    before = everything(peer)
    notarization = certificate(chain, NOTARIZE, 1, first.vote.block)
    assert refusals(peer.hear(Proposal(vote, first.block, notarization))) == [Code.PROPOSAL_INVALID]
    assert everything(peer) == before


@pytest.mark.parametrize("part", ["transactions", "signature", "late_votes", "parent_certificate"])
def test_a_closing_block_with_another_body_is_not_passed_on(
    peer: Peer, chain: Chain, closed: Proposal, part: str
) -> None:
    """Its header is known, so nobody judges it again; whoever lacks the block would get it from here."""
    repeat = again(chain, closed.block, LAST_VIEW + 1)
    changes: dict[str, Any] = {
        "transactions": (),
        "signature": bytes(64),
        "late_votes": (closed.vote,),
        "parent_certificate": repeat.notarization,
    }
    before = everything(peer)
    bad = replace(repeat, block=replace(repeat.block, **{part: changes[part]}))
    assert refusals(peer.hear(bad)) == [Code.PROPOSAL_INVALID]
    assert everything(peer) == before
    assert not refusals(peer.hear(repeat))


def test_a_repetition_brings_the_notarization_that_is_missing(chain: Chain) -> None:
    peer = Peer(GENESIS)
    for view in range(1, LAST_VIEW):
        peer.hear(CertificateMessage(certificate(chain, SKIP, view)))
    closing = proposal(chain, view=LAST_VIEW)
    peer.hear(closing)
    repeat = again(chain, closing.block, LAST_VIEW + 1)
    effects = peer.hear(repeat)
    assert [each.certificate for each in told(effects, CertificateStored)] == [repeat.notarization]
    assert len(told(effects, Verdict)) == 1
    assert facts(peer.manager) == facts(peer.restarted())


def test_a_closing_block_whose_finality_came_first_opens_the_epoch(peer: Peer, chain: Chain) -> None:
    for view in range(1, LAST_VIEW):
        peer.hear(CertificateMessage(certificate(chain, SKIP, view)))
    closing = proposal(chain, view=LAST_VIEW)
    peer.hear(CertificateMessage(certificate(chain, FINALIZE, LAST_VIEW, closing.vote.block)))
    effects = peer.hear(closing)
    assert peer.manager.chain.tree.epoch == 1
    final = CertificateMessage(certificate(chain, FINALIZE, LAST_VIEW, closing.vote.block))
    assert (None, final) in sends(effects), "who misses it would go on proposing the closing block"
    assert not told(effects, Verdict), "its view is over"
    assert passing(peer.manager)["proposals"] == {}
    assert told(effects, ViewContext)[-1] == peer.manager.chain.context()


def test_finality_inside_a_proposal_may_end_its_epoch(peer: Peer, chain: Chain, closed: Proposal) -> None:
    """A block on the closing one, in a view of the old epoch, with its finality inside: the epoch is over, no more."""
    block = chain.seal(chain.build(view=1, certificate=certificate(chain, FINALIZE, LAST_VIEW, closed.vote.block)))
    header = replace(block.header, view=LAST_VIEW + 1, proposer=chain.leader(LAST_VIEW + 1).key)
    vote = chain.vote(header.proposer, PROPOSE, header.hash, LAST_VIEW + 1)
    effects = peer.hear(Proposal(vote, replace(block, header=header), None))
    assert peer.manager.chain.tree.epoch == 1
    assert not told(effects, Verdict) and not refusals(effects), "nobody judges it any more"
    assert facts(peer.manager) == facts(peer.restarted())
    assert passing(peer.manager)["waiting"] == {}


# -- standing ----------------------------------------------------------------------------------------------------


def test_who_is_behind_hears_the_certificates_that_it_lacks(peer: Peer, chain: Chain) -> None:
    first, second = proposal(chain, view=1), proposal(chain, view=2)
    for each in (first, second):
        peer.hear(each)
        notarize(peer, chain, each)
    final = certificate(chain, FINALIZE, 1, first.vote.block)
    peer.hear(CertificateMessage(final))
    vote = chain.vote(key_of(2), SKIP, b"", 1)
    effects = peer.hear(Standing(0, 1, 0, (vote,), None), 2)
    assert told(effects, VoteMessage) == [VoteMessage(vote)]
    tree = peer.manager.chain.tree
    assert sends(effects) == [
        (key_of(2), CertificateMessage(tree.certificates[1, NOTARIZE])),
        (key_of(2), CertificateMessage(final)),
        (key_of(2), Standing(0, 3, 1, (), tree.entry)),
    ]
    effects = peer.hear(Standing(0, 2, 1, (), None), 2)
    assert sends(effects) == [(key_of(2), Standing(0, 3, 1, (), tree.entry))], "its entry is what it lacks"
    effects = peer.hear(Standing(0, 3, 0, (), None), 2)
    assert sends(effects) == [(key_of(2), CertificateMessage(final))]
    answers = [*effects, *peer.hear(Standing(0, 3, 0, (), None), 3)]
    one, other = (effect.data for effect in answers if isinstance(effect, Send))
    assert one is other, "encoded once for all who are behind"
    assert peer.hear(Standing(0, 3, 1, (), None), 2) == []


def test_two_nodes_that_tell_each_other_where_they_stand_come_to_rest(chain: Chain) -> None:
    ahead, behind = Peer(GENESIS, 0), Peer(GENESIS, 1)
    for view in (1, 2):
        each = proposal(chain, view=view)
        ahead.hear(each)
        notarize(ahead, chain, each)
    ahead.outbox.clear()
    ahead.hear(Standing(0, 1, 0, (), None), 1)
    assert converse([ahead, behind]) < 20
    assert facts(ahead.manager) == facts(behind.manager)


def test_a_stand_goes_to_all_while_votes_are_outstanding_and_else_to_who_is_behind(peer: Peer, chain: Chain) -> None:
    peer.hear(CertificateMessage(certificate(chain, SKIP, 1)), 1)
    vote = chain.vote(key_of(0), NOTARIZE, bytes(32), 2)
    old = chain.vote(key_of(0), FINALIZE, bytes(32), 0)
    [(receiver, standing)] = sends(peer.step(Retransmit(0, 2, (vote, old))))
    assert receiver is None and isinstance(standing, Standing)
    assert standing.votes == (vote,), "a finalize of what is final says nothing any more"
    assert [receiver for receiver, _ in sends(peer.step(Retransmit(0, 2, ())))] == [key_of(2), key_of(3)]
    peer.hear(Standing(0, 2, 0, (), None), 2)
    assert [receiver for receiver, _ in sends(peer.step(Retransmit(0, 2, (old,))))] == [key_of(3)]
    assert peer.step(Retransmit(0, 1, (vote,))) == [], "the engine will hear of the later view"
    assert peer.step(Retransmit(1, 2, (vote,))) == []
