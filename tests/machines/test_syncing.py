"""Catching up: by pages across epochs, from peers of whom some lie, never answer, or answer with garbage."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lucid.chain.blocks import Block
from lucid.chain.errors import Code
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP
from lucid.ledger.memory import MemoryStore
from lucid.machines import syncing
from lucid.machines.effects import REPAIR_TIMER, SYNC_TIMER, Received, Send, TimerFired
from lucid.machines.messages import (
    Blocks,
    BlocksRequest,
    CertificateMessage,
    Message,
    Proposal,
    Standing,
    decode_message,
    encode_message,
)
from tests.builders import Chain
from tests.machines.fleets import (
    Fleet,
    Peer,
    Site,
    certificate,
    contents,
    converse,
    facts,
    key_of,
    passing,
    proposal,
    refusals,
    tiny_genesis,
    writes_of,
)

GENESIS = tiny_genesis()
SERVER = 1


@cache
def history() -> Fleet:
    """A chain of four epochs that admits a fifth node; one node is down for a while, so that views are skipped."""
    fleet = Fleet(GENESIS).start()
    for number in range(36):
        fleet.submit(number % 2, fleet.signer.anchor(number))
        if number == 3:
            fleet.submit(0, fleet.signer.register(4, 0))
        if number == 20:
            fleet.sites[3].stop()
        if number == 24:
            fleet.sites[3].start()
        fleet.run(1_000)
    return fleet


def server(number: int = SERVER) -> Peer:
    """A node that holds the history."""
    return history().peer(number)


def standing(peer: Peer) -> Standing:
    """What a node says of where it is."""
    tree = peer.manager.chain.tree
    return Standing(tree.epoch, tree.entry_view + 1, tree.root.height, (), tree.entry)


def behind(number: int = 0, claim: int = SERVER, **options: Any) -> Peer:
    """A node that lost everything and has just heard of the server's height from "node N"."""
    peer = Peer(GENESIS, number, **options)
    peer.hear(standing(server()), claim)
    return peer


def level(peer: Peer, other: Peer) -> bool:
    """Whether a node is where the other is, after it heard where that is."""
    peer.hear(standing(other), SERVER)
    one, two = facts(peer.manager), facts(other.manager)
    # Which certificates each happens to keep of views that are over may differ.
    del one["certificates"], two["certificates"], one["nodes"], two["nodes"]
    return one == two and peer.manager.chain.context() == other.manager.chain.context()


def everything(peer: Peer) -> tuple[Any, ...]:
    """All that a refused message must leave as it is."""
    return contents(peer.store), facts(peer.manager), passing(peer.manager)


# -- pages -------------------------------------------------------------------------------------------------------


def pages(peer: Peer) -> list[Blocks]:
    """The pages that a node heard."""
    heard = [decode_message(step.event.data) for step in peer.steps if isinstance(step.event, Received)]
    return [each for each in heard if isinstance(each, Blocks)]


@pytest.mark.parametrize("limit", ["none", "blocks", "bytes"])
def test_a_node_that_lost_everything_catches_up_across_epochs(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if limit == "blocks":
        monkeypatch.setattr(syncing, "MAX_PAGE_BLOCKS", 4)
    if limit == "bytes":
        monkeypatch.setattr(syncing, "MAX_PAGE_BYTES", 1)
    serving, lost = server(), behind()
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
    """Let a node hold a notarised chain above its root that nobody finalised."""
    chain = Chain(GENESIS)
    for view in range(1, views + 1):
        peer.hear(proposal(chain, *(chain.anchor(100 * view + each) for each in range(3)), view=view))
        peer.hear(CertificateMessage(certificate(chain, NOTARIZE, view, chain.hash)))
    return chain


def test_what_is_notarised_above_the_root_is_served() -> None:
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


def test_a_page_of_what_is_notarised_keeps_to_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a node whose network could not finalise for a while would answer with what everyone refuses as oversized."""
    monkeypatch.setattr(syncing, "MAX_PAGE_BYTES", 2_000)
    serving = Peer(GENESIS, SERVER)
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


def questions(peer: Peer) -> list[int]:
    """Whom a node asked for blocks so far, in order."""
    asked = []
    for step in peer.steps:
        for effect in step.effects:
            if isinstance(effect, Send) and isinstance(decode_message(effect.data), BlocksRequest):
                asked.append(next(number for number in range(64) if key_of(number) == effect.peer))
    return asked


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
        lost.fire(SYNC_TIMER)
    assert questions(lost) == [3, 1, 2, 1, 2, 3, 1]


def test_a_repair_without_a_known_source_asks_anyone() -> None:
    lost, chain = Peer(GENESIS), Chain(GENESIS)
    missing = proposal(chain, view=1)
    lost.manager.chain.hold_final(certificate(chain, FINALIZE, 1, missing.vote.block))
    lost.manager.syncing.repair_from(None)
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


# -- lies --------------------------------------------------------------------------------------------------------


def own_chain(views: int) -> list[Block]:
    """Blocks of another history, which three nodes of four could not finalise."""
    chain = Chain(GENESIS)
    return [chain.grow(chain.anchor(view), view=view, tick=view + 100) for view in range(1, views + 1)]


def resealed(page: Blocks, place: int, **changes: Any) -> Blocks:
    """The page with one block's body changed, header as it was."""
    blocks = list(page.blocks)
    blocks[place] = replace(blocks[place], **changes)
    return replace(page, blocks=tuple(blocks))


Lie = Callable[[Blocks], Message]
LIES: dict[str, Lie] = {
    "no certificates": lambda page: replace(page, certificates=()),
    "a certificate of the block before": lambda page: replace(page, blocks=page.blocks[:-1]),
    "a block left out": lambda page: replace(page, blocks=page.blocks[:2] + page.blocks[3:]),
    "blocks in another order": lambda page: replace(page, blocks=page.blocks[::-1]),
    "a block twice": lambda page: replace(page, blocks=(page.blocks[0], *page.blocks)),
    "blocks of another history": lambda page: replace(page, blocks=tuple(own_chain(4))),
    "blocks of another history before": lambda page: replace(page, blocks=(own_chain(1)[0], *page.blocks[1:])),
    "a wrong signature in a certificate": lambda page: replace(
        page,
        certificates=tuple([replace(each, signatures=(bytes(64), *each.signatures[1:])) for each in page.certificates]),
    ),
    "one true and one false certificate": lambda page: replace(
        page, certificates=(page.certificates[0], replace(page.certificates[0], signers=b"\xff"))
    ),
    "a certificate of a proposal": lambda page: replace(
        page,
        certificates=(certificate(Chain(GENESIS), PROPOSE, page.blocks[-1].header.view, page.blocks[-1].header.hash),),
    ),
    "another epoch": lambda page: replace(
        page,
        blocks=tuple([replace(block, header=replace(block.header, epoch=1)) for block in page.blocks]),
    ),
    "a block without its signature": lambda page: resealed(page, 2, signature=bytes(64)),
    "a block without its transactions": lambda page: resealed(page, 3, transactions=()),
    "a block without its parent certificate": lambda page: resealed(page, 4, parent_certificate=None),
    "blocks in the air": lambda page: replace(page, blocks=page.blocks[3:]),
}


def asked_page(peer: Peer) -> Blocks:
    """The honest answer to what a node asked last."""
    _, request = peer.asked()
    page = server().answer(request)
    assert isinstance(page, Blocks) and len(page.blocks) > 6
    return page


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_page_that_does_not_hold_is_refused_and_somebody_else_is_asked(lie: Lie) -> None:
    lost = behind()
    page = asked_page(lost)
    before = everything(lost)
    codes = refusals(lost.hear(lie(page), SERVER))
    assert len(codes) == 1
    if codes in ([Code.SYNC_INVALID], [Code.BLOCK_PARENT]):
        assert everything(lost) == before
    else:
        assert codes[0] in (Code.BLOCK_SIGNATURE, Code.BLOCK_TRANSACTIONS_ROOT, Code.BLOCK_CERTIFICATE)
    assert facts(lost.manager) == facts(lost.restarted()), "what was kept of the page is stored"
    assert lost.manager.chain.tree.root.height == 0, "and nothing of it is final"
    assert lost.asked()[0] != SERVER
    converse([lost, server(2), server(3)])
    assert level(lost, server())


@pytest.mark.parametrize("wrong", ["peer", "number"])
def test_an_answer_to_another_question_is_refused(wrong: str) -> None:
    lost = behind()
    page = asked_page(lost)
    before = everything(lost)
    if wrong == "peer":
        assert refusals(lost.hear(page, 2)) == [Code.UNEXPECTED]
    else:
        assert refusals(lost.hear(replace(page, request=page.request + 1), SERVER)) == [Code.UNEXPECTED]
    assert everything(lost) == before
    assert refusals(lost.hear(page, SERVER)) == [], "the question still waits for its answer"
    assert refusals(lost.hear(page, SERVER)) == [Code.UNEXPECTED], "which comes once"


class Liar:
    """Claims to be ahead at every turn, and answers each question with whatever `lie` makes of it, or not at all."""

    def __init__(self, number: int, lie: Callable[[Message], Message | None]) -> None:
        self.key = key_of(number)
        self.lie = lie
        self.outbox: list[tuple[bytes | None, bytes]] = []

    def step(self, event: Received) -> None:
        """Hear a message."""
        answer = self.lie(decode_message(event.data))
        if answer is not None:
            self.outbox.append((event.peer, encode_message(answer)))
        self.outbox.append((event.peer, encode_message(Standing(2**40, 1, 2**40, (), None))))


def silence(message: Message) -> None:
    """Never answer."""


def nothing(message: Message) -> Message | None:
    """Say that there is nothing."""
    return Blocks(message.request, (), ()) if isinstance(message, BlocksRequest) else None


def old_blocks(message: Message) -> Message | None:
    """Answer with true blocks that everyone holds."""
    first = server(2).answer(BlocksRequest(0, 1))
    assert isinstance(first, Blocks)
    return replace(first, request=message.request) if isinstance(message, BlocksRequest) else None


def garbage(message: Message) -> Message | None:
    """Answer with blocks that nothing vouches for."""
    return Blocks(message.request, tuple(own_chain(2)), ()) if isinstance(message, BlocksRequest) else None


@pytest.mark.parametrize("liars", [(2,), (2, 3)], ids=["one", "two"])
@pytest.mark.parametrize("lie", [silence, nothing, old_blocks, garbage])
def test_liars_do_not_keep_a_node_from_catching_up(
    lie: Callable[[Message], Message | None], liars: tuple[int, ...]
) -> None:
    """They are first to claim, first again after each of their answers, and the honest node speaks up now and then."""
    lost, serving = behind(claim=liars[0]), server()
    net: dict[bytes | None, Peer | Liar] = {serving.key: serving}
    net |= {key_of(number): Liar(number, lie) for number in liars}
    for _ in range(300):
        mail, lost.outbox = lost.outbox, []
        for receiver, data in mail:
            if receiver in net:
                net[receiver].step(Received(lost.key, data))
        for number in liars:
            liar = net[key_of(number)]
            said, liar.outbox = liar.outbox, []
            for _receiver, data in said:
                lost.hear(data, number)
        said, serving.outbox = serving.outbox, []
        for receiver, data in [*said, (lost.key, encode_message(standing(serving)))]:
            if receiver == lost.key:
                lost.hear(data, SERVER)
        if not lost.outbox and SYNC_TIMER in lost.timers:
            lost.fire(SYNC_TIMER)
        if lost.manager.chain.tree.root.height == serving.manager.chain.tree.root.height:
            break
    assert level(lost, serving)


def test_a_liar_that_is_always_asked_costs_one_message_for_each_of_its_own() -> None:
    """A node that is level is asked to look for more, for ever; it must not send more than it is sent."""
    peer = server(0)
    for _ in range(50):
        peer.outbox.clear()
        peer.hear(Standing(2**40, 1, 2**40, (), None), 2)
        for receiver, data in list(peer.outbox):
            message = decode_message(data)
            if receiver is not None and isinstance(message, BlocksRequest):
                number = next(each for each in range(4) if key_of(each) == receiver)
                peer.hear(Blocks(message.request, (), ()), number)
    assert len(questions(peer)) <= 50 + 3


def test_a_goal_out_of_this_world_is_given_up() -> None:
    peer = server(0)
    others = [server(1), server(2)]
    peer.hear(Standing(2**53, 1, 2**53, (), None), 3)
    converse([peer, *others])
    assert not peer.timers
    assert level(peer, others[0])


@settings(max_examples=40)
@given(st.lists(st.sampled_from([*LIES, "silence", "nothing", "honest"]), max_size=12), st.randoms())
def test_any_order_of_lies_ends_level(plan: list[str], chance: Any) -> None:
    """Every peer answers as drawn until the plan is used up, and honestly from then on."""
    lost = behind()
    for _ in range(120):
        asked = [
            (next(number for number in range(4) if key_of(number) == receiver), decode_message(data))
            for receiver, data in lost.outbox
            if receiver is not None
        ]
        lost.outbox.clear()
        for number, request in asked:
            if not isinstance(request, BlocksRequest):
                continue
            page = server(number).answer(request)
            assert isinstance(page, Blocks)
            how = plan.pop() if plan else "honest"
            if how == "honest" or (how in LIES and len(page.blocks) < 6):
                lost.hear(page, number)
            elif how == "nothing":
                lost.hear(Blocks(request.request, (), ()), number)
            elif how in LIES:
                lost.hear(LIES[how](page), number)
            assert facts(lost.manager) == facts(lost.restarted())
        if not lost.outbox and lost.timers:
            lost.fire(min(lost.timers))
        elif not lost.outbox:
            if lost.manager.chain.tree.root.height == server().manager.chain.tree.root.height:
                break
            lost.hear(standing(server()), chance.choice([1, 2, 3]))
    assert level(lost, server())


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
