"""The manager among hostile peers: nothing that they send raises, is half taken, fills memory or stops it."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate
from lucid.chain.errors import Code
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP
from lucid.machines.decodedmessages import decode_message
from lucid.machines.effects import GAP_TIMER, CertificateStored, Effects, Verdict
from lucid.machines.forktree import ForkNode
from lucid.machines.limits import DEFAULT_LIMITS, Limits
from lucid.machines.manager.forgeries import UNASKED_A_MINUTE
from lucid.machines.messages import (
    MAX_PAGE_CERTIFICATES,
    BlocksRequest,
    CertificateMessage,
    Certificates,
    CertificatesRequest,
    Message,
    PartRequest,
    Proposal,
    Standing,
    VoteMessage,
)
from tests.builders import CRYPTO, Chain
from tests.machines.durability import assert_in_order
from tests.machines.fleets import Fleet
from tests.machines.hostility import Hostility, sent
from tests.machines.peers import Peer, converse, everything, facts, key_of, passing, refusals, sends, tiny_genesis, told
from tests.machines.statements import certificate, extend, proposal

GENESIS = tiny_genesis()
GAP = 4


# -- hostile peers -----------------------------------------------------------------------------------------------


class Situation(NamedTuple):
    """A node in the middle of something, what a hostile peer may send it, and an honest node that is further."""

    victim: Peer
    hostility: Hostility
    server: Peer


@cache
def situations() -> list[Situation]:
    """Moments within half an epoch and beyond, among them the closing of one; blocks are certified but not final."""
    fleet = Fleet(GENESIS, limits=Limits(snapshot_blocks=5, snapshot_gap=GAP)).start()
    moments: list[tuple[int, Peer]] = [(fleet.now, Peer(GENESIS))]
    for number in range(14):
        fleet.submit(number % 4, fleet.signer.anchor(number))
        if number >= 6:
            for _ in range(6):
                fleet.run(11)
                moments.append((fleet.now, fleet.peer(0)))
        fleet.run(1_000 - 66 * (number >= 6))
    server = fleet.run(3_000).peer(1)
    height = server.manager.snapshots.index.height if server.manager.snapshots.index else 0
    requests: list[Message] = [BlocksRequest(1, first) for first in range(1, 17, 2)]
    requests.append(PartRequest(1, height, 0))
    answers = [server.answer(request) for request in requests]
    requests += [CertificatesRequest(epoch, 1, 300) for epoch in (0, 1)]
    skips = [certificate(fleet.signer, SKIP, view) for view in (2, 7, 8)]
    answers += [Certificates(tuple(skips)), Standing(1, 3, 11, (), skips[-1])]
    return [
        Situation(
            victim, Hostility(GENESIS.chain_id, sent(fleet, now - 1_500, now + 2_500) + requests + answers), server
        )
        for now, victim in moments
    ]


SITUATIONS = st.integers(0, 48).map(lambda number: situations()[number])


def question(peer: Peer) -> tuple[int, int]:
    """Whom a node asked last, and the number of the question."""
    for receiver, data in reversed(peer.outbox):
        message = decode_message(data)
        if receiver is not None and isinstance(message, BlocksRequest | PartRequest):
            return next(number for number in range(8) if key_of(number) == receiver), message.request
    return 1, 1


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(SITUATIONS, st.data())
def test_no_message_raises_or_is_half_taken(situation: Situation, data: st.DataObject) -> None:
    """Whatever comes: what is refused changed nothing, what is known is stored, what is final is the others' chain."""
    victim, server = situation.victim.copy(), situation.server
    if data.draw(st.booleans()):
        victim.hear(Standing(9, 1, 9, (), None), 1)
    for _ in range(data.draw(st.integers(1, 8))):
        before = everything(victim)
        asked, request = question(victim)
        sender = data.draw(st.sampled_from([asked, asked, 1, 2, 3, 4]))
        effects = victim.hear(situation.hostility.message(data.draw, request), sender)
        if effects and len(refusals(effects)) == len(effects):
            *rest, passed = everything(victim)
            *rest_before, passed_before = before
            # But for what its leader signed and is invalid: no other block of that leader is judged in the view.
            proposals, known = passed.pop("proposals"), passed_before.pop("proposals")
            assert (rest, passed) == (rest_before, passed_before) and proposals.items() >= known.items()
        assert facts(victim.manager) == facts(victim.restarted())
        assert_in_order(effects, before[0], GENESIS.chain_id)
    tree = victim.manager.chain.tree
    assert tree.root.height == 0 or server.manager.chain.block_at(tree.root.height) == tree.root.block
    assert len(passing(victim.manager)["waiting"]) <= DEFAULT_LIMITS.max_waiting  # type: ignore[arg-type]


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(SITUATIONS, st.data())
def test_a_node_goes_on_after_any_attack(situation: Situation, data: st.DataObject) -> None:
    """Nothing that a hostile peer did keeps a node from the chain that the others made."""
    victim, server = situation.victim.copy(), situation.server.copy()
    for _ in range(data.draw(st.integers(1, 6))):
        asked, request = question(victim)
        victim.hear(situation.hostility.message(data.draw, request), data.draw(st.sampled_from([asked, 2, 3])))
    goal = server.manager.chain.tree
    for _ in range(6):
        victim.hear(Standing(goal.epoch, goal.entry_view + 1, goal.root.height, (), goal.entry), 1)
        mine = victim.manager.chain.tree
        server.hear(Standing(mine.epoch, mine.entry_view + 1, mine.root.height, (), mine.entry), 0)
        converse([victim, server])
    assert victim.manager.chain.tree.root.hash == goal.root.hash
    assert victim.manager.chain.context() == server.manager.chain.context()


# -- floods ------------------------------------------------------------------------------------------------------


def waiting(peer: Peer) -> dict[Any, Any]:
    """The proposals that wait."""
    return peer.manager.pool.waiting


def test_a_stranger_fills_no_waiting_room(peer: Peer, chain: Chain) -> None:
    """A proposal on an unknown parent cannot be judged; it is kept only if a validator answers for it."""
    orphan = proposal(chain, view=1)
    lost = replace(orphan.block, header=replace(orphan.block.header, parent=bytes(32)))
    before = everything(peer)
    for view in range(1, 8):
        vote = replace(orphan.vote, view=view, block=lost.header.hash, signer=key_of(9))
        assert refusals(peer.hear(Proposal(vote, lost, None))) == [Code.PROPOSAL_INVALID]
        forged = replace(vote, signer=key_of(2))
        assert refusals(peer.hear(Proposal(forged, lost, None))) == [Code.PROPOSAL_INVALID]
    assert everything(peer) == before


def test_a_peer_that_sends_what_does_not_hold_is_not_heard_for_a_while(peer: Peer, chain: Chain) -> None:
    """Whatever it is that fails: a signature is verified for each, and an honest peer sends none."""
    honest = proposal(chain, view=1)
    forged = replace(honest, vote=replace(honest.vote, signature=bytes(64)))
    codes = [code for _ in range(40) for code in refusals(peer.hear(forged, 3))]
    most = DEFAULT_LIMITS.forgeries_a_minute
    assert codes == [Code.PROPOSAL_INVALID] * most + [Code.THROTTLED] * (40 - most)
    assert refusals(peer.hear(honest, 3)) == [Code.THROTTLED]
    assert refusals(peer.hear(honest, 2)) == [], "the others are heard"
    peer.now += 60_000
    assert refusals(peer.hear(honest, 3)) == [Code.REPLAYED], "and so is it, a minute later"


def test_one_block_of_a_leader_is_judged_in_a_view(peer: Peer, chain: Chain) -> None:
    """However many it signs; of the invalid ones each costs as much as a valid one."""
    honest = proposal(chain.copy(), view=1)
    judged = count_judged(peer)
    for number in range(5):
        block = chain.resign(honest.block, state_root=bytes([number]) * 32)
        vote = chain.vote(honest.vote.signer, PROPOSE, block.header.hash, 1)
        codes = refusals(peer.hear(Proposal(vote, block, None), 3))
        assert codes == [Code.PROPOSAL_EQUIVOCATES if number else Code.BLOCK_STATE_ROOT]
    assert len(judged) == 1
    evidence = [step for step in peer.steps if told(step.effects, VoteMessage)]
    assert len(evidence) == 1, "and evidence is made once"


def count_judged(peer: Peer) -> list[bytes]:
    """The hashes of the blocks that a peer judges from now on."""
    judged: list[bytes] = []
    judge = peer.manager.chain.judge

    def counted(block: Block, hash_: bytes) -> ForkNode:
        judged.append(hash_)
        return judge(block, hash_)

    peer.manager.chain.judge = counted  # type: ignore[method-assign]
    return judged


@pytest.mark.parametrize("what", ["transactions", "signature", "certificate"])
@pytest.mark.parametrize("parent", ["at hand", "lacking"])
def test_nobody_displaces_a_proposal_by_one_with_another_body(peer: Peer, chain: Chain, what: str, parent: str) -> None:
    """The leader's vote is true, and so is the header; what is beside them can be replaced on the way."""
    first, second = proposal(chain, view=1), proposal(chain, chain.anchor(), view=2)
    true = first if parent == "at hand" else second
    changes: dict[str, dict[str, Any]] = {
        "transactions": {"transactions": (chain.endorse(chain.anchor(7)),)},
        "signature": {"signature": bytes(64)},
        "certificate": {"parent_certificate": certificate(chain, FINALIZE, 1, first.vote.block)},
    }
    effects = peer.hear(replace(true, block=replace(true.block, **changes[what])), 3)
    assert refusals(effects) in ([Code.PROPOSAL_INVALID], [Code.BLOCK_SIGNATURE])
    for each in {first, true} if parent == "lacking" else (true,):
        assert refusals(peer.hear(each, 2)) == []
    if parent == "lacking":
        effects = peer.hear(CertificateMessage(certificate(chain, NOTARIZE, 1, first.vote.block)))
        assert true.vote.block in peer.manager.chain.tree.nodes


def test_standings_are_answered_so_often_a_second(peer: Peer, chain: Chain) -> None:
    extend(peer, chain, 1, 2, 3)
    behind = Standing(0, 1, 0, (), None)
    answers = [len(sends(peer.hear(behind, 2))) for _ in range(20)]
    assert all(answers[: DEFAULT_LIMITS.standings_a_second]) and not any(answers[DEFAULT_LIMITS.standings_a_second :])
    assert sends(peer.hear(behind, 3)), "another peer's are"
    peer.now += 1_000
    assert sends(peer.hear(behind, 2))


def test_a_traitor_crowds_nobody_out_of_the_waiting_room(peer: Peer, chain: Chain) -> None:
    first, honest = proposal(chain, view=1), proposal(chain, view=2)
    traitor = next(number for number in range(4) if key_of(number) != honest.vote.signer)
    lost = chain.resign(honest.block, parent=bytes(32))
    for view in [2, *range(1_000, 1_000 + 2 * DEFAULT_LIMITS.max_waiting)]:
        peer.hear(Proposal(chain.vote(key_of(traitor), PROPOSE, lost.header.hash, view), lost, None))
    assert len(waiting(peer)) == DEFAULT_LIMITS.max_waiting
    peer.hear(honest)
    assert len(waiting(peer)) == DEFAULT_LIMITS.max_waiting
    effects: Effects = peer.hear(first)
    assert honest.vote.block in [verdict.block for verdict in told(effects, Verdict)]


def test_a_block_that_is_too_large_does_not_wait(peer: Peer, chain: Chain) -> None:
    each = proposal(chain, view=1)
    large = replace(each.block, transactions=(chain.endorse(chain.anchor()),) * 400)
    large = replace(large, header=replace(large.header, parent=bytes(32)))
    before = everything(peer)
    vote = chain.vote(key_of(2), PROPOSE, large.header.hash, 1)
    assert refusals(peer.hear(Proposal(vote, large, None))) == [Code.BLOCK_SIZE]
    assert everything(peer) == before


def far(chain: Chain, view: int) -> Proposal:
    """A proposal on genesis in a view of the far future, by its leader."""
    block = chain.build(view=1)
    header = replace(block.header, view=view, proposer=chain.leader(view).key)
    sealed = Block(header, CRYPTO.sign(chain.secret_of(header.proposer), header.hash), None, (), ())
    return Proposal(chain.vote(header.proposer, PROPOSE, header.hash, view), sealed, None)


@pytest.mark.parametrize("view", [2**20, 2**53])
def test_a_leader_of_the_far_future_costs_no_more_than_any_other(peer: Peer, chain: Chain, view: int) -> None:
    """To look at each view before it would stop the node for good."""
    effects = peer.hear(far(chain, view))
    assert sends(effects) == [(key_of(1), CertificatesRequest(0, 1, view - 1))]
    assert len(waiting(peer)) == 1


def test_a_page_of_skips_is_asked_for_once(peer: Peer, chain: Chain) -> None:
    """A page answers a gap of many views; to ask anew after each of its certificates would be a flood of pages."""
    peer.hear(far(chain, 60))
    skips = tuple([certificate(chain, SKIP, view) for view in range(1, 31)])
    effects = peer.hear(Certificates(skips))
    asked = [message for _, message in sends(effects) if isinstance(message, CertificatesRequest)]
    assert asked == [CertificatesRequest(0, 31, 59)]
    assert refusals(peer.hear(Certificates(skips))) == [Code.UNEXPECTED], "what was not asked for is not looked at"


def test_the_skips_that_a_proposal_lacks_are_asked_of_one_peer_after_the_other(peer: Peer, chain: Chain) -> None:
    """Its sender may be a liar, or gone, or not hold them all itself."""
    for view in (*range(1, 6), 7):
        peer.hear(CertificateMessage(certificate(chain, SKIP, view)))
    peer.manager.chain.tree.certificates.pop((3, SKIP))
    late = proposal(chain, view=8)
    asked = [[number for number, message in sends(peer.hear(late, 3)) if isinstance(message, CertificatesRequest)]]
    for _ in range(4):
        asked.append([key for key, message in sends(peer.fire(GAP_TIMER)) if isinstance(message, CertificatesRequest)])
    assert asked[0] == [key_of(3)] and {key for [key] in asked[1:]} == {key_of(1), key_of(2), key_of(3)}
    [last] = asked[-1]
    number = next(each for each in range(4) if key_of(each) == last)
    skips = (certificate(chain, SKIP, 3), certificate(chain, SKIP, 6))
    effects = peer.hear(Certificates(skips), number)
    assert [verdict.view for verdict in told(effects, Verdict)] == [8]
    assert not sends(peer.fire(GAP_TIMER)) and GAP_TIMER not in peer.timers, "and then no more"


def test_a_page_of_certificates_ends_with_the_first_that_does_not_hold(peer: Peer, chain: Chain) -> None:
    peer.hear(far(chain, 60))
    false = [Certificate(0, view, SKIP, b"", b"\x07", (bytes(64),) * 3) for view in range(1, 50)]
    before = everything(peer)
    assert refusals(peer.hear(Certificates(tuple(false)))) == [Code.CERTIFICATE_INVALID]
    assert refusals(peer.hear(Certificates(tuple(false)))) == [Code.UNEXPECTED]
    assert everything(peer) == before
    for view in range(31, 50):
        effects = peer.hear(CertificateMessage(certificate(chain, SKIP, view)), 2)
        assert not [message for _, message in sends(effects) if isinstance(message, CertificatesRequest)]


def test_a_proposal_is_judged_when_the_last_skip_has_come(peer: Peer, chain: Chain) -> None:
    late = proposal(chain, view=5)
    effects = peer.hear(late, 2)
    assert sends(effects) == [(key_of(2), CertificatesRequest(0, 1, 4))]
    for view in (4, 2, 1):
        assert not told(peer.hear(CertificateMessage(certificate(chain, SKIP, view))), Verdict)
    effects = peer.hear(CertificateMessage(certificate(chain, SKIP, 3)))
    [verdict] = told(effects, Verdict)
    assert (verdict.view, verdict.block, verdict.base_view, verdict.fresh) == (5, late.vote.block, 0, True)
    assert not waiting(peer)


def test_a_proposal_that_waited_is_used_though_its_view_is_over(peer: Peer, chain: Chain) -> None:
    """It waits for a skip; the others have it and notarize it: it need not be fetched from them."""
    late = proposal(chain, view=3)
    peer.hear(late)
    peer.hear(CertificateMessage(certificate(chain, SKIP, 1)))
    effects = peer.hear(CertificateMessage(certificate(chain, NOTARIZE, 3, late.vote.block)))
    assert late.vote.block in peer.manager.chain.tree.wanted
    effects = peer.hear(CertificateMessage(certificate(chain, SKIP, 2)))
    assert late.vote.block in peer.manager.chain.tree.nodes
    assert [stored.held for stored in told(effects, CertificateStored)] == [False, True]


def test_a_proposal_whose_view_is_over_waits_no_longer(peer: Peer, chain: Chain) -> None:
    peer.hear(proposal(chain, view=3))
    assert waiting(peer)
    peer.hear(CertificateMessage(certificate(chain, SKIP, 3)))
    assert not waiting(peer)


def test_a_peer_that_answers_what_nobody_asked_is_not_heard_for_a_while(peer: Peer, chain: Chain) -> None:
    """Each page is decoded before it is known to be unasked: as many as it likes would keep a core busy."""
    page = Certificates((certificate(chain, SKIP, 5),))
    codes = [code for _ in range(UNASKED_A_MINUTE + 40) for code in refusals(peer.hear(page, 3))]
    assert codes == [Code.UNEXPECTED] * UNASKED_A_MINUTE + [Code.THROTTLED] * 40
    assert refusals(peer.hear(page, 2)) == [Code.UNEXPECTED], "the others are heard"
    peer.now += 60_000
    assert refusals(peer.hear(page, 3)) == [Code.UNEXPECTED], "and so is it, a minute later"


def test_a_flood_of_certificates_leaves_nothing_behind(peer: Peer, chain: Chain) -> None:
    before = everything(peer)
    for view in range(1, 2_000):
        false = Certificate(0, view, SKIP, b"", b"\x07", (bytes(64),) * 3)
        peer.hear(CertificateMessage(false))
    assert everything(peer) == before
    assert len(peer.manager.book.peer_views) == 1


def test_a_request_is_answered_with_a_page_at_most(peer: Peer, chain: Chain) -> None:
    for view in range(1, MAX_PAGE_CERTIFICATES + 50):
        peer.hear(CertificateMessage(certificate(chain, SKIP, view)))
    [(receiver, page)] = sends(peer.hear(CertificatesRequest(0, 1, 2**53), 3))
    assert receiver == key_of(3) and isinstance(page, Certificates)
    assert [each.view for each in page.certificates] == list(range(1, MAX_PAGE_CERTIFICATES + 1))
    assert peer.hear(CertificatesRequest(0, 2**53 - 5, 2**53)) == []
    assert peer.hear(CertificatesRequest(0, 9, 8)) == []
    assert peer.hear(CertificatesRequest(1, 1, 8)) == []


def test_a_peer_that_asks_without_end_is_throttled() -> None:
    """A question of twelve bytes is answered with a page of megabytes, read and encoded anew each time."""
    fleet = Fleet(GENESIS).start().run(6_000)
    peer = fleet.peer(0)
    codes = Counter(code for number in range(1_000) for code in refusals(peer.hear(BlocksRequest(number, 1), 3)))
    assert codes[Code.THROTTLED] > 500


def test_pages_of_certificates_are_throttled_with_the_others(peer: Peer, chain: Chain) -> None:
    peer.hear(CertificateMessage(certificate(chain, SKIP, 1)))
    steps = [peer.hear(CertificatesRequest(0, 1, 2**53), 3) for _ in range(DEFAULT_LIMITS.requests_a_second + 5)]
    assert len([step for step in steps if sends(step)]) == DEFAULT_LIMITS.requests_a_second
    assert (
        refusals(peer.hear(BlocksRequest(1, 1), 3)) == [Code.THROTTLED] != refusals(peer.hear(BlocksRequest(1, 1), 2))
    )


def test_the_bound_on_blocks_is_one_that_a_pi_can_hold() -> None:
    assert DEFAULT_LIMITS.max_uncertified <= 256 and DEFAULT_LIMITS.max_waiting <= 64
