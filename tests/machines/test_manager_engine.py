"""The manager and its engine: blocks built and published, votes cast, and large proposals passed on."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec.structs import replace

from lucid.chain.errors import Code
from lucid.chain.votes import NOTARIZE, PROPOSE, SKIP
from lucid.machines.chain import BLOCK_TABLE
from lucid.machines.effects import (
    GAP_TIMER,
    REPAIR_TIMER,
    SPREAD_TIMER,
    Assembled,
    BlockBuilt,
    Broadcast,
    BroadcastVote,
    Build,
    Forward,
    Offer,
    Publish,
    Store,
    Verdict,
    ViewContext,
)
from lucid.machines.limits import DEFAULT_LIMITS
from lucid.machines.messages import (
    BlocksRequest,
    CertificateMessage,
    Certificates,
    CertificatesRequest,
    Proposal,
    Standing,
    Transactions,
    VoteMessage,
    encode_message,
)
from tests.builders import CRYPTO, Chain, secret
from tests.machines.peers import Peer, facts, key_of, refusals, sends, tiny_genesis, told
from tests.machines.statements import certificate, notarize, proposal

GENESIS = tiny_genesis()
TIMEOUT_MS = 5_000
LAST_VIEW = GENESIS.parameters.epoch_views


# -- the engine --------------------------------------------------------------------------------------------------


def own_block(peer: Peer, chain: Chain, *anchors: int) -> tuple[Chain, int, Build]:
    """Skip on until "node 0" leads a view on genesis; returns its `Build` and the view."""
    view = next(each for each in range(1, LAST_VIEW) if chain.leader(each).key == key_of(0))
    for skipped in range(1, view):
        peer.hear(CertificateMessage(certificate(chain, SKIP, skipped)))
    context = peer.manager.chain.context()
    assert (context.view, context.leader, context.ready) == (view, key_of(0), True)
    proof = CRYPTO.vrf_prove(secret("node 0"), context.beacon)
    candidates = tuple([chain.endorse(chain.anchor(number)) for number in anchors])
    return chain, view, Build(view, context.parent, 1, proof, (), candidates)


def published(peer: Peer, chain: Chain, view: int, built: BlockBuilt) -> Publish:
    """What the engine answers to a built block."""
    vote = chain.vote(key_of(0), PROPOSE, built.hash, view)
    return Publish(vote, CRYPTO.sign(secret("node 0"), built.hash), TIMEOUT_MS)


def test_an_own_block_is_durable_before_it_leaves(peer: Peer, chain: Chain) -> None:
    chain, view, build = own_block(peer, chain, 1, 2, 2)
    [built] = told(peer.step(build), BlockBuilt)
    assert (built.view, built.parent) == (view, GENESIS.chain_id)
    assert [code for _, code in built.rejected] == [Code.SESSION_DUPLICATE]
    assert not list(peer.store.scan(BLOCK_TABLE)), "nothing is stored before it is signed"
    publish = published(peer, chain, view, built)
    effects = peer.step(publish)
    [(receiver, message)] = sends(effects)
    assert receiver is None and isinstance(message, Proposal)
    assert message.block.header.hash == built.hash
    assert [verdict.block for verdict in told(effects, Verdict)] == [built.hash]
    assert told(effects, VoteMessage) == [VoteMessage(publish.vote)]
    assert isinstance(effects[0], Store) and effects[0].writes[0][:2] == (BLOCK_TABLE, built.hash)
    other = Peer(GENESIS, 1)
    for skipped in range(1, view):
        other.hear(CertificateMessage(certificate(chain, SKIP, skipped)))
    assert not refusals(other.hear(message, 0))
    assert refusals(peer.hear(message, 1)) == [Code.REPLAYED]


def test_an_own_vote_too_waits_for_the_skips_between(chain: Chain) -> None:
    """Rule 3 binds a leader as well; the others may hold the skips that it lacks, so it proposes all the same."""
    peer, view = Peer(GENESIS), next(each for each in range(3, LAST_VIEW) if chain.leader(each).key == key_of(0))
    peer.hear(CertificateMessage(certificate(chain, SKIP, view - 1)))
    context = peer.manager.chain.context()
    assert (context.view, context.leader, context.ready) == (view, key_of(0), True)
    proof = CRYPTO.vrf_prove(secret("node 0"), context.beacon)
    [built] = told(peer.step(Build(view, context.parent, 1, proof, (), ())), BlockBuilt)
    effects = peer.step(published(peer, chain, view, built))
    assert not told(effects, Verdict)
    sent = [message for _, message in sends(effects)]
    assert [type(each) for each in sent] == [Proposal, CertificatesRequest]
    assert not told(peer.fire(GAP_TIMER), Verdict), "it asks the next one"
    number, request = peer.asked()
    assert isinstance(request, CertificatesRequest) and (request.first, request.last) == (1, view - 1)
    page = Certificates(tuple(certificate(chain, SKIP, each) for each in range(1, view - 1)))
    effects = peer.hear(page, number)
    assert [verdict.block for verdict in told(effects, Verdict)] == [built.hash]
    assert not [each for each in sends(effects) if isinstance(each[1], Proposal)], "it was sent already"


def test_for_what_its_own_proposal_waits_a_node_asks_others(chain: Chain) -> None:
    """Its proposal waits as if it had come from itself, and is looked at again with every block."""
    peer, view = Peer(GENESIS), next(each for each in range(4, LAST_VIEW) if chain.leader(each).key == key_of(0))
    peer.hear(CertificateMessage(certificate(chain, SKIP, view - 1)))
    context = peer.manager.chain.context()
    proof = CRYPTO.vrf_prove(secret("node 0"), context.beacon)
    [built] = told(peer.step(Build(view, context.parent, 1, proof, (), ())), BlockBuilt)
    peer.step(published(peer, chain, view, built))
    asked = [to for to, _ in sends(peer.manager.proposals.look_again(peer.now))]
    assert len(asked) == 1 and asked != [key_of(0)]


def test_an_own_block_leaves_out_what_its_ancestors_hold(peer: Peer, chain: Chain) -> None:
    first = proposal(chain, chain.endorse(chain.anchor(1)), view=1)
    peer.hear(first)
    notarize(peer, chain, first)
    view = next(each for each in range(2, LAST_VIEW) if chain.leader(each).key == key_of(0))
    context = peer.manager.chain.context()
    candidates = tuple([chain.endorse(chain.anchor(number)) for number in (1, 2)])
    proof = CRYPTO.vrf_prove(secret("node 0"), context.beacon)
    [built] = told(peer.step(Build(view, context.parent, 2, proof, (), candidates)), BlockBuilt)
    assert built.rejected == (), "they are not rejects: their block may become final"


def test_a_block_is_built_on_nothing_but_the_best(peer: Peer, chain: Chain, closed: Proposal) -> None:
    proof = CRYPTO.vrf_prove(secret("node 0"), chain.tip.core.head.beacon)
    assert peer.step(Build(LAST_VIEW + 1, GENESIS.chain_id, 1, proof, (), ())) == []
    assert peer.step(Build(LAST_VIEW + 1, closed.vote.block, 1, proof, (), ())) == []


@pytest.mark.parametrize("late", ["view", "epoch", "block", "nothing built"])
def test_a_publication_that_comes_too_late_is_dropped(peer: Peer, chain: Chain, late: str) -> None:
    chain, view, build = own_block(peer, chain, 1)
    [built] = told(peer.step(build), BlockBuilt)
    publish = published(peer, chain, view, built)
    if late == "view":
        peer.hear(CertificateMessage(certificate(chain, SKIP, view)))
    elif late == "epoch":
        publish = replace(publish, vote=chain.vote(key_of(0), PROPOSE, built.hash, view, 1))
    elif late == "block":
        publish = replace(publish, vote=chain.vote(key_of(0), PROPOSE, bytes(32), view))
    else:
        peer.manager = peer.restarted()
    before = facts(peer.manager)
    assert peer.step(publish) == []
    assert facts(peer.manager) == before


def test_an_own_block_on_a_parent_that_went_meanwhile_is_dropped(peer: Peer, chain: Chain) -> None:
    fork = chain.copy()
    orphan = proposal(fork, view=2)
    peer.hear(CertificateMessage(certificate(chain, SKIP, 1)))
    peer.hear(orphan)
    notarize(peer, fork, orphan)
    context = peer.manager.chain.context()
    proof = CRYPTO.vrf_prove(secret("node 0"), context.beacon)
    view = next(each for each in range(3, LAST_VIEW) if fork.leader(each).key == key_of(0))
    for skipped in range(3, view):
        peer.hear(CertificateMessage(certificate(chain, SKIP, skipped)))
    [built] = told(peer.step(Build(view, orphan.vote.block, 5, proof, (), ())), BlockBuilt)
    del peer.manager.chain.tree.nodes[orphan.vote.block]
    assert peer.step(published(peer, chain, view, built)) == []


def test_a_closing_block_is_published_again_with_its_notarization(peer: Peer, chain: Chain, closed: Proposal) -> None:
    view = LAST_VIEW + 1
    vote = chain.vote(key_of(0), PROPOSE, closed.vote.block, view)
    effects = peer.step(Publish(vote, bytes(64), TIMEOUT_MS))
    [(receiver, message)] = sends(effects)
    notarization = peer.manager.chain.tree.certificates[LAST_VIEW, NOTARIZE]
    assert (receiver, message) == (None, Proposal(vote, closed.block, notarization))
    [verdict] = told(effects, Verdict)
    assert (verdict.base_view, verdict.fresh) == (LAST_VIEW, False)


def test_what_the_engine_casts_and_offers_goes_to_all(peer: Peer, chain: Chain) -> None:
    vote = chain.vote(key_of(0), SKIP, b"", 1)
    assert sends(peer.step(BroadcastVote(vote))) == [(None, VoteMessage(vote))]
    transaction = chain.endorse(chain.anchor())
    assert sends(peer.step(Offer((transaction,)))) == [(None, Transactions((transaction,)))]


def test_votes_and_transactions_are_the_engine_s_to_judge(peer: Peer, chain: Chain) -> None:
    vote = VoteMessage(chain.vote(key_of(2), SKIP, b"", 1))
    offer = Transactions((chain.endorse(chain.anchor()),))
    assert peer.hear(vote, 2) == [Forward(vote)]
    assert refusals(peer.hear(vote, 1)) == [Code.VOTE_SIGNER], "nobody passes on votes"
    standing = Standing(0, 1, 0, (vote.vote,), None)
    assert told(peer.hear(standing, 2), VoteMessage) == [vote] and not told(peer.hear(standing, 1), VoteMessage)
    endorser = next(number for number in range(4) if key_of(number) == offer.transactions[0].endorser)
    assert peer.hear(offer, endorser) == [Forward(offer)]
    assert refusals(peer.hear(offer, (endorser + 1) % 4)) == [Code.TX_ENDORSER], "nor transactions"


def test_what_the_engine_assembled_is_stored_told_and_forwarded_once(peer: Peer, chain: Chain) -> None:
    skip = certificate(chain, SKIP, 1)
    effects = peer.step(Assembled(skip))
    assert [type(effect) for effect in effects] == [Store, Forward, Broadcast]
    assert peer.step(Assembled(skip)) == []
    first = proposal(chain, view=2)
    effects = peer.step(Assembled(certificate(chain, NOTARIZE, 2, first.vote.block)))
    assert REPAIR_TIMER in peer.timers, "the others have a block that is missing here"
    peer.fire(REPAIR_TIMER)
    assert peer.asked() == (1, BlocksRequest(1, 1))


def test_a_start_tells_where_the_chain_stands_and_stores_genesis_once() -> None:
    peer = Peer(GENESIS)
    [step] = peer.steps
    assert [type(effect) for effect in step.effects] == [Store, Forward]
    assert told(step.effects, ViewContext) == [peer.manager.chain.context()]
    again_ = peer.copy()
    assert [type(effect) for effect in again_.steps[0].effects] == [Forward]


# -- large proposals ---------------------------------------------------------------------------------------------


def large_network() -> tuple[Chain, Proposal]:
    """Ten validators, and a first block that is too large to be pushed to all."""
    chain = Chain(tiny_genesis(10, max_block_bytes=1 << 20))
    each = proposal(chain, *(chain.anchor(number) for number in range(300)), view=1)
    assert len(encode_message(each)) > DEFAULT_LIMITS.push_bytes
    return chain, each


def leading() -> tuple[Chain, Proposal, int, dict[int, Peer]]:
    """Ten validators of whom one has just put a large block forward; its number, and all by number."""
    chain, each = large_network()
    numbers = {key_of(number): number for number in range(10)}
    leader = numbers[each.vote.signer]
    peers = {
        number: Peer(chain.genesis, number, peers=[other for other in range(10) if other != number])
        for number in range(10)
    }
    start = peers[leader]
    context = start.manager.chain.context()
    proof = CRYPTO.vrf_prove(chain.secret_of(each.vote.signer), context.beacon)
    candidates = each.block.transactions
    [built] = told(start.step(Build(1, context.parent, 1, proof, (), candidates)), BlockBuilt)
    assert built.hash == each.vote.block
    start.outbox.clear()
    start.step(Publish(each.vote, each.block.signature, TIMEOUT_MS))
    return chain, each, leader, peers


def test_a_large_proposal_reaches_all_in_two_hops() -> None:
    _, each, leader, peers = leading()
    numbers = {key_of(number): number for number in range(10)}
    start = peers[leader]
    hops: Counter[int] = Counter()
    mail = [(leader, receiver, data) for receiver, data in start.outbox]
    while mail:
        sender, receiver, data = mail.pop()
        assert receiver is not None, "it goes to some, not to all"
        to = numbers[receiver]
        hops[to] += 1
        peers[to].outbox.clear()
        assert [verdict.block for verdict in told(peers[to].hear(data, sender), Verdict)] == [each.vote.block]
        mail += [(to, receiver, data) for receiver, data in peers[to].outbox]
    assert hops == Counter({number: 1 for number in range(10) if number != leader})


@pytest.mark.parametrize("dead", [(0, 3, 6), (0, 1, 2), (0, 4, 8), ()], ids=str)
def test_a_large_proposal_reaches_all_that_are_up_whoever_is_not(dead: tuple[int, ...]) -> None:
    """Three of ten may be down, and they may be just those to whom the leader sends it first."""
    chain, each, leader, peers = leading()
    numbers = {key_of(number): number for number in range(10)}
    keys = sorted(numbers)
    place = keys.index(each.vote.signer)
    down = {numbers[keys[(place + 1 + number) % 10]] for number in dead}
    start = peers[leader]
    voted: set[int] = set()
    while True:
        mail = [(leader, receiver, data) for receiver, data in start.outbox]
        start.outbox.clear()
        while mail:
            sender, receiver, data = mail.pop()
            to = numbers[receiver or b""]
            if to in down or to == leader:
                continue
            peers[to].outbox.clear()
            voted |= {to for _ in told(peers[to].hear(data, sender), Verdict)}
            mail += [(to, receiver, data) for receiver, data in peers[to].outbox]
        for number in voted:
            vote = chain.vote(key_of(number), NOTARIZE, each.vote.block, 1)
            start.hear(VoteMessage(vote), number)
        if SPREAD_TIMER not in start.timers:
            break
        start.fire(SPREAD_TIMER)
    assert voted == set(range(10)) - down - {leader}
    assert start.now - chain.genesis.genesis_time_ms <= TIMEOUT_MS


def test_what_is_refused_is_not_passed_on() -> None:
    chain, each = large_network()
    for number in range(10):
        peer = Peer(chain.genesis, number)
        bad = replace(each, block=replace(each.block, signature=bytes(64)))
        assert sends(peer.hear(bad)) == []
