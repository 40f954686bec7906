"""Catching up: by pages across epochs, from peers of whom some lie, never answer, or answer with garbage."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP
from lucid.ledger.memory import MemoryStore
from lucid.machines.decodedmessages import decode_message
from lucid.machines.effects import (
    REPAIR_TIMER,
    SYNC_TIMER,
    Forward,
    Received,
    Send,
    SetTimer,
    TimerFired,
    ViewContext,
)
from lucid.machines.messages import (
    Blocks,
    BlocksRequest,
    CertificateMessage,
    Message,
    Proposal,
    SnapshotOffer,
    Standing,
    encode_message,
)
from tests.builders import Chain
from tests.machines.fleets import Fleet, Site
from tests.machines.history import GENESIS, SERVER, behind, history, level, questions, server, standing
from tests.machines.peers import Peer, converse, facts, key_of, passing, writes_of
from tests.machines.statements import certificate, extend, proposal

# -- pages -------------------------------------------------------------------------------------------------------


def pages(peer: Peer) -> list[Blocks]:
    """The pages that a node heard."""
    heard = [decode_message(step.event.data) for step in peer.steps if isinstance(step.event, Received)]
    return [each for each in heard if isinstance(each, Blocks)]


@pytest.mark.parametrize("limit", ["none", "blocks", "bytes"])
def test_a_node_that_lost_everything_catches_up_across_epochs(limit: str) -> None:
    changes: dict[str, int] = {"none": {}, "blocks": {"page_blocks": 4}, "bytes": {"page_bytes": 1}}[limit]
    serving, lost = server().limited(**changes), behind()
    converse([serving, lost])
    assert level(lost, serving)
    assert facts(lost.manager) == facts(lost.restarted())
    height = serving.manager.chain.tree.root.height
    for each in range(1, height + 1):
        assert lost.manager.chain.block_at(each) == serving.manager.chain.block_at(each)
    assert key_of(4) in lost.manager.chain.validators.index
    heard = [page for page in pages(lost) if page.blocks]
    assert all(len({block.header.epoch for block in page.blocks}) == 1 for page in heard)
    most = {"none": 64, "blocks": 4, "bytes": 1}[limit]
    assert max(len(page.blocks) for page in heard) == (most if limit != "none" else 9)


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_a_node_catches_up_from_wherever_it_stopped(cut: int) -> None:
    """Its store holds what any prefix of another run's writes left: some blocks final, some not, some certified."""
    stopped = Peer(GENESIS, 0, store_after(history().sites[0], cut))
    stopped.now = history().now
    serving = server()
    for _ in range(2):
        # As engines have them do for as long as anything is outstanding.
        stopped.hear(standing(serving), SERVER)
        serving.hear(standing(stopped), 0)
        converse([serving, stopped])
    assert level(stopped, serving)
    assert facts(stopped.manager) == facts(stopped.restarted())


def store_after(site: Site, cut: int) -> MemoryStore:
    """The store of a recorded node after some of its writes."""
    writes = [each.writes for step in site.steps for each in writes_of(step.effects)]
    store = MemoryStore()
    for batch in writes[: 1 + cut % len(writes)]:
        store.write(batch)
    return store


def unfinished(peer: Peer, views: int) -> Chain:
    """Let a node hold a notarized chain above its root that nobody finalized."""
    chain = Chain(GENESIS)
    for view in range(1, views + 1):
        peer.hear(proposal(chain, *(chain.anchor(100 * view + each) for each in range(3)), view=view))
        peer.hear(CertificateMessage(certificate(chain, NOTARIZE, view, chain.hash)))
    return chain


def test_what_is_notarized_above_the_root_is_served() -> None:
    serving = Peer(GENESIS, SERVER)
    chain = unfinished(serving, 5)
    lost = Peer(GENESIS)
    lost.hear(CertificateMessage(certificate(chain, NOTARIZE, 5, chain.hash)), SERVER)
    assert not [data for receiver, data in lost.outbox if receiver is not None], "it may be on its way"
    lost.fire(REPAIR_TIMER)
    assert lost.asked() == (SERVER, BlocksRequest(1, 1))
    converse([serving, lost])
    assert lost.manager.chain.context() == serving.manager.chain.context()
    assert facts(lost.manager) == facts(lost.restarted()) == facts(serving.manager)


def test_a_page_of_what_is_notarized_keeps_to_its_bytes() -> None:
    """Else a node whose network could not finalize for a while would answer with what everyone refuses as oversized."""
    serving = Peer(GENESIS, SERVER).limited(page_bytes=2_000)
    unfinished(serving, 8)
    page = serving.answer(BlocksRequest(1, 1))
    assert isinstance(page, Blocks)
    sizes = [len(encode_message(Blocks(1, (block,), ()))) for block in page.blocks]
    assert page.blocks and sum(sizes[:-1]) < 2_000
    assert len(page.blocks) < 8
    lost = Peer(GENESIS)
    lost.hear(Standing(0, 9, 8, (), None), SERVER)
    converse([serving, lost])
    assert len(lost.manager.chain.tree.nodes) == 9, "page by page it gets there"


def test_a_page_ends_with_its_epoch_and_with_what_vouches_for_it() -> None:
    serving = server()
    closing = next(
        height
        for height in range(1, 36)
        if (block := serving.manager.chain.block_at(height)) and block.header.view >= 9
    )
    page = serving.answer(BlocksRequest(1, closing - 1))
    assert isinstance(page, Blocks)
    assert [block.header.height for block in page.blocks] == [closing - 1, closing]
    assert {each.kind for each in page.certificates} == {FINALIZE}
    assert all(each.block == page.blocks[-1].header.hash for each in page.certificates)


@pytest.mark.parametrize("height", [0, 10_000, 2**53])
def test_a_height_where_there_is_nothing_is_answered_with_nothing(height: int) -> None:
    serving = server()
    page = serving.answer(BlocksRequest(5, height))
    assert isinstance(page, Blocks)
    assert (page.request, page.blocks) == (5, ())


def test_a_closed_epoch_is_served_by_its_finality() -> None:
    """The root closes its epoch and nothing is built on it: the page that ends there is vouched for all the same."""
    fleet = Fleet(GENESIS).start()
    while not fleet.sites[1].manager.chain.tree.root.closing:
        fleet.run(10)
    serving, lost = fleet.peer(1), Peer(GENESIS)
    lost.hear(standing(serving), SERVER)
    converse([serving, lost])
    assert level(lost, serving)
    assert lost.manager.chain.tree.epoch == 1


# -- when to ask, and whom ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ahead", "asks"), [(0, False), (1, False), (2, False), (3, True)])
def test_a_peer_that_is_barely_ahead_is_not_asked(ahead: int, asks: bool) -> None:
    peer = server(0)
    tree = peer.manager.chain.tree
    peer.hear(Standing(tree.epoch, tree.entry_view + 1, tree.root.height + ahead, (), None), 2)
    assert questions(peer) == ([2] if asks else [])


@pytest.mark.parametrize("kind", ["certificate", "proposal", "standing"])
def test_a_sign_of_a_later_epoch_is_a_reason_to_ask(kind: str) -> None:
    chain = Chain(GENESIS)
    each = proposal(chain, view=1)
    messages: dict[str, Message] = {
        "certificate": CertificateMessage(certificate(chain, NOTARIZE, 1, bytes(32), 3)),
        "proposal": replace(each, vote=chain.vote(each.vote.signer, PROPOSE, each.vote.block, 1, 3)),
        "standing": Standing(3, 1, 0, (), None),
    }
    peer = Peer(GENESIS)
    peer.hear(messages[kind], 2)
    peer.hear(messages[kind], 3)
    assert questions(peer) == [2], "one question at a time"


def test_who_never_answers_is_followed_by_the_next_in_order() -> None:
    lost = behind(claim=2)
    for _ in range(3):
        lost.fire(SYNC_TIMER)
    assert questions(lost) == [2, 3, 1]
    assert lost.timers, "when all had their turn, it waits"
    lost.fire(SYNC_TIMER)
    assert questions(lost) == [2, 3, 1], "what was claimed is believed no more"
    assert not lost.timers
    lost.hear(standing(server()), 3)
    assert questions(lost) == [2, 3, 1, 3]


def test_a_block_that_is_certified_is_asked_for_again_and_again() -> None:
    lost, chain = Peer(GENESIS), Chain(GENESIS)
    missing = proposal(chain, view=1)
    lost.hear(CertificateMessage(certificate(chain, NOTARIZE, 1, missing.vote.block)), 3)
    lost.fire(REPAIR_TIMER)
    for _ in range(8):
        lost.fire(REPAIR_TIMER)
    asked = questions(lost)
    assert asked[0] == 3 and set(asked[:3]) == set(asked[3:6]) == {1, 2, 3}, "of each in turn"


def test_a_timer_that_fires_too_early_blames_nobody() -> None:
    """It waited behind the event that set it anew: the peer asked meanwhile has all its time."""
    lost, chain = Peer(GENESIS), Chain(GENESIS)
    missing = proposal(chain, view=1)
    lost.hear(CertificateMessage(certificate(chain, NOTARIZE, 1, missing.vote.block)), 3)
    lost.fire(REPAIR_TIMER)
    at_ms = lost.timers[REPAIR_TIMER]
    assert lost.step(TimerFired(REPAIR_TIMER)) == [SetTimer(REPAIR_TIMER, at_ms)]
    assert questions(lost) == [3]


def unfinal(blocks: int, page: int = 4) -> tuple[Peer, Chain]:
    """A node that holds so many notarized blocks, none of them final but genesis, and serves small pages."""
    serving = Peer(GENESIS, SERVER).limited(page_blocks=page, max_uncertified=2)
    return serving, unfinished(serving, blocks)


@pytest.mark.parametrize("own_page", [4, 64])
@pytest.mark.parametrize("held", [0, 1, 3, 4, 7])
def test_an_unfinal_chain_longer_than_a_page_is_followed_to_its_end(held: int, own_page: int) -> None:
    """Whatever of it is known already: a page that brings nothing new leads on to the next.

    The server's pages may be smaller than this node's own, so that it begins below what it knows.
    """
    serving, chain = unfinal(9)
    lost = Peer(GENESIS).limited(page_blocks=own_page)
    unfinished(lost, held)
    lost.hear(CertificateMessage(certificate(chain, NOTARIZE, 9, chain.hash)), SERVER)
    lost.fire(REPAIR_TIMER)
    converse([serving, lost])
    assert lost.manager.chain.tree.best.hash == chain.hash
    assert facts(lost.manager) == facts(lost.restarted())
    heights = [
        message.height
        for step in lost.steps
        for effect in step.effects
        if isinstance(effect, Send) and isinstance(message := decode_message(effect.data), BlocksRequest)
    ]
    assert heights == sorted(set(heights)), "no page is asked for twice"


@pytest.mark.parametrize("drop", range(6))
def test_a_lost_answer_costs_one_question(drop: int) -> None:
    """A node far behind that loses one page goes on from where it is, with whoever is next."""
    serving, lost = server().limited(page_blocks=4), behind()
    number = 0
    for _ in range(60):
        mail, lost.outbox = lost.outbox, []
        for receiver, data in mail:
            message = decode_message(data)
            if receiver is None or not isinstance(message, BlocksRequest):
                continue
            number += 1
            if number != drop + 1:
                source = next(each for each in range(4) if key_of(each) == receiver)
                lost.hear(serving.answer(message, 0), source)
        if not lost.outbox and SYNC_TIMER in lost.timers:
            lost.fire(SYNC_TIMER)
    assert level(lost, serving)


def test_who_has_a_block_is_told_that_it_is_certified() -> None:
    """A proposal was heard here and its certificate there: neither can go on alone, and there may be nobody else."""
    holder, lost, chain = Peer(GENESIS, SERVER), Peer(GENESIS), Chain(GENESIS)
    put = proposal(chain)
    holder.hear(put)
    lost.hear(CertificateMessage(certificate(chain, NOTARIZE, put.vote.view, chain.hash)), SERVER)
    holder.outbox, lost.outbox = [], []
    lost.fire(REPAIR_TIMER)
    converse([holder, lost])
    assert holder.manager.chain.tree.best.hash == lost.manager.chain.tree.best.hash == chain.hash


def test_a_page_of_a_fork_is_asked_for_from_the_last_final_block() -> None:
    """The start is above the best block where pages lie between; who parted from it below is asked once more."""
    serving, chain = unfinal(9)
    lost = Peer(GENESIS).limited(page_blocks=4)
    forked = Chain(GENESIS)
    extend(lost, forked, 1, 2, 3, 4, 5)
    lost.hear(CertificateMessage(certificate(chain, NOTARIZE, 9, chain.hash)), SERVER)
    lost.fire(REPAIR_TIMER)
    converse([serving, lost])
    assert lost.manager.chain.tree.best.hash == chain.hash


def test_a_fork_that_is_as_high_is_found_though_nothing_is_above_it() -> None:
    """Who parted from this node's best chain has nothing above its height, and says so by an empty page."""
    serving, lost = Peer(GENESIS, SERVER).limited(page_blocks=4), Peer(GENESIS).limited(page_blocks=4)
    chain = Chain(GENESIS)
    extend(serving, chain, 2, 4, 6, 8, 10)
    extend(lost, Chain(GENESIS), 1, 3, 5, 7, 9)
    serving.outbox, lost.outbox = [], []
    lost.hear(CertificateMessage(certificate(chain, NOTARIZE, 10, chain.hash)), SERVER)
    lost.fire(REPAIR_TIMER)
    converse([serving, lost])
    assert lost.manager.chain.tree.best.hash == chain.hash


def all_asked(lost: Peer, answer: Callable[[BlocksRequest], Blocks]) -> list[tuple[int, int]]:
    """Whom a node asks, and from which height on, while each that it asks gives this answer."""
    asked: list[tuple[int, int]] = []
    while lost.outbox and len(asked) < 20:
        mail, lost.outbox = lost.outbox, []
        for receiver, data in mail:
            request = decode_message(data)
            if receiver is not None and isinstance(request, BlocksRequest):
                source = next(each for each in range(4) if key_of(each) == receiver)
                asked.append((source, request.height))
                lost.hear(answer(request), source)
    return asked


def lacking() -> Peer:
    """A node that holds more than a page without finality, and lacks a block that is certified."""
    lost, chain = Peer(GENESIS).limited(page_blocks=4), Chain(GENESIS)
    extend(lost, chain, 1, 2, 3, 4, 5)
    lost.hear(CertificateMessage(certificate(chain, NOTARIZE, 6, b"x" * 32)), SERVER)
    lost.outbox = []
    lost.fire(REPAIR_TIMER)
    return lost


@pytest.mark.parametrize("end", ["silence", "junk", "invalid", "snapshot"])
def test_however_a_catching_up_ends_the_engine_hears_how_far_it_came(end: str) -> None:
    """A full page brings all that was missing, so one more is asked for, and that one brings nothing."""
    serving, lost = Peer(GENESIS, SERVER).limited(page_blocks=4), Peer(GENESIS).limited(page_blocks=4)
    chain = Chain(GENESIS)
    extend(serving, chain, 1, 2, 3, 4)
    lost.hear(CertificateMessage(certificate(chain, NOTARIZE, 4, chain.hash)), SERVER)
    lost.fire(REPAIR_TIMER)
    source, request = lost.asked()
    lost.hear(serving.answer(request), source)
    source, request = lost.asked()
    assert isinstance(request, BlocksRequest) and request.height == 5 and lost.manager.chain.tree.best.height == 4
    block = proposal(chain, view=5).block
    tip = certificate(chain, NOTARIZE, 5, chain.hash)
    answers: dict[str, Message] = {
        "junk": Blocks(request.request, (block,), ()),
        "invalid": Blocks(request.request, (replace(block, signature=bytes(64)),), (tip,)),
        "snapshot": SnapshotOffer(request.request, (), block, tip, ()),
    }
    effects = lost.fire(REPAIR_TIMER) if end == "silence" else lost.hear(answers[end], source)
    told = [each for each in effects if isinstance(each, Forward) and isinstance(each.event, ViewContext)]
    assert (len(told) == 1) is not any(
        isinstance(decode_message(each.data), BlocksRequest) for each in effects if isinstance(each, Send)
    )


def test_who_has_nothing_is_asked_from_the_last_final_block_once() -> None:
    """A peer that answers with empty pages does not keep the slot."""
    asked = all_asked(lacking(), lambda request: Blocks(request.request, (), ()))
    assert len(asked) == len(set(asked)) and {height for _, height in asked} == {6, 1}


def test_who_parts_from_every_page_is_asked_from_the_last_final_block_once() -> None:
    """A peer that gives what is known, and then what stands on nothing here, does not keep the slot."""
    liar = Peer(GENESIS, SERVER).limited(page_blocks=4)
    extend(liar, Chain(GENESIS), 1, 2, 3, 4, 5)
    known = liar.answer(BlocksRequest(1, 1))
    assert isinstance(known, Blocks) and len(known.blocks) == 4
    later = replace(known.blocks[0], header=replace(known.blocks[0].header, epoch=7))

    def answer(request: BlocksRequest) -> Blocks:
        return replace(known, request=request.request) if request.height == 1 else Blocks(request.request, (later,), ())

    asked = all_asked(lacking(), answer)
    assert len(asked) == len(set(asked)), asked
    assert {source for source, _ in asked} == {1, 2, 3}


@pytest.mark.parametrize("drip_ms", [9_900, 900, 100])
def test_who_drips_is_left_for_who_is_faster(drip_ms: int) -> None:
    """One true block each time, at the last moment or a little faster, would hold a node behind as long as it goes on.

    A page that falls short though more blocks are known of is as suspicious as one that comes late.
    """
    serving, lost = server(), behind(claim=2)
    dripped = 0
    for _ in range(60):
        mail, lost.outbox = lost.outbox, []
        for receiver, data in mail:
            request = decode_message(data)
            if receiver is None or not isinstance(request, BlocksRequest):
                continue
            page = serving.answer(request, 0)
            source = next(each for each in range(4) if key_of(each) == receiver)
            if source == 2 and isinstance(page, Blocks) and page.blocks:
                dripped += 1
                lost.now += drip_ms
                page = serving.limited(page_blocks=1).answer(request, 0)
                serving.limited(page_blocks=64)
            lost.hear(page, source)
        lost.hear(standing(serving), 2)
        if lost.manager.chain.tree.root.height == serving.manager.chain.tree.root.height:
            break
    assert level(lost, serving)
    assert dripped <= 2


def test_who_has_said_how_far_it_is_comes_before_who_may_be_out_of_reach() -> None:
    serving, lost = server(), behind(claim=2)
    [(_, data)] = lost.outbox
    lost.outbox = []
    request = decode_message(data)
    assert isinstance(request, BlocksRequest)
    lost.hear(standing(serving), 1)
    lost.hear(serving.limited(page_blocks=1).answer(request, 0), 2)
    assert questions(lost) == [2, 1], "3 comes next by its place, but was never heard of"


def test_a_repair_does_not_wait_for_who_occupies_the_other_question() -> None:
    lost, chain = behind(claim=2), Chain(GENESIS)
    missing = proposal(chain, view=1)
    lost.hear(CertificateMessage(certificate(chain, NOTARIZE, 1, missing.vote.block)), 3)
    lost.fire(REPAIR_TIMER)
    assert questions(lost) == [2], "pages may be on their way"
    lost.fire(REPAIR_TIMER)
    assert questions(lost) == [2, 3], "but it waits for them for two seconds only"
    assert lost.now - GENESIS.genesis_time_ms < 3_000


@pytest.mark.parametrize("kind", [NOTARIZE, FINALIZE])
def test_who_certified_a_missing_block_is_asked_for_it_first(kind: int) -> None:
    lost, chain = Peer(GENESIS), Chain(GENESIS)
    missing = proposal(chain, view=1)
    lost.hear(CertificateMessage(certificate(chain, kind, 1, missing.vote.block)), 3)
    lost.fire(REPAIR_TIMER)
    assert questions(lost) == [3]


def test_a_repair_without_a_known_source_asks_anyone() -> None:
    lost, chain = Peer(GENESIS), Chain(GENESIS)
    missing = proposal(chain, view=1)
    lost.manager.chain.hold_final(certificate(chain, FINALIZE, 1, missing.vote.block))
    lost.manager.syncing.repair_from(lost.now, None)
    lost.now += 250
    lost.step(TimerFired(REPAIR_TIMER))
    assert questions(lost) == [1]


def test_a_repair_of_what_has_come_meanwhile_asks_nobody() -> None:
    lost, chain = Peer(GENESIS), Chain(GENESIS)
    late = proposal(chain, view=1)
    lost.hear(CertificateMessage(certificate(chain, NOTARIZE, 1, late.vote.block)), 3)
    lost.hear(late, 3)
    lost.fire(REPAIR_TIMER)
    assert questions(lost) == []


def test_a_node_without_peers_asks_only_who_speaks_to_it() -> None:
    """A lone node may hear a stranger; when that one does not answer, there is nobody left to ask."""
    lone, chain = Peer(GENESIS, peers=()), Chain(GENESIS)
    lone.hear(CertificateMessage(certificate(chain, NOTARIZE, 1, bytes(32), 7)), 9)
    assert questions(lone) == [9]
    lone.fire(SYNC_TIMER)
    lone.fire(SYNC_TIMER)
    lone.hear(CertificateMessage(certificate(chain, NOTARIZE, 1, bytes(32))), 9)
    lone.fire(REPAIR_TIMER)
    assert questions(lone) == [9]


# -- old proposals -----------------------------------------------------------------------------------------------


def test_a_proposal_that_waited_is_looked_at_again_after_a_page() -> None:
    lost, chain = Peer(GENESIS), Chain(GENESIS)
    serving = Peer(GENESIS, SERVER)
    made: list[Proposal] = []
    for view in (1, 2, 3):
        made.append(proposal(chain, view=view))
        serving.hear(made[-1])
        serving.hear(CertificateMessage(certificate(chain, NOTARIZE, view, chain.hash)))
    last = proposal(chain, view=4)
    lost.hear(last, SERVER)
    assert passing(lost.manager)["waiting"]
    converse([lost, serving])
    assert last.vote.block in lost.manager.chain.tree.nodes
    assert not passing(lost.manager)["waiting"]


def test_a_skip_is_no_reason_to_repair() -> None:
    lost = Peer(GENESIS)
    lost.hear(CertificateMessage(certificate(Chain(GENESIS), SKIP, 1)), 2)
    assert REPAIR_TIMER not in lost.timers
