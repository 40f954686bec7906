"""Catching up from peers of whom some lie, never answer, or answer with garbage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lucid.chain.blocks import Block
from lucid.chain.errors import Code
from lucid.chain.votes import PROPOSE
from lucid.machines.decodedmessages import decode_message
from lucid.machines.effects import SYNC_TIMER, Received
from lucid.machines.messages import Blocks, BlocksRequest, Message, Standing, encode_message
from tests.builders import Chain
from tests.machines.history import GENESIS, SERVER, behind, level, questions, server, standing
from tests.machines.peers import Peer, converse, everything, facts, key_of, refusals
from tests.machines.statements import certificate

# -- lies --------------------------------------------------------------------------------------------------------


def own_chain(views: int) -> list[Block]:
    """Blocks of another history, which three nodes of four could not finalize."""
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
    """A node that is level is asked to look for more, forever; it must not send more than it is sent."""
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


def test_what_one_of_four_says_of_its_height_is_not_believed() -> None:
    """A node must not call itself billions of blocks behind because one peer lies; what two say, one honest said."""
    peer = server(0)
    syncing = peer.manager.syncing
    assert syncing.sources.vouched_height == 0
    peer.hear(Standing(1, 1, 2**53, (), None), 3)
    assert syncing.sources.vouched_height == 0
    peer.hear(Standing(1, 1, 900, (), None), 1)
    assert syncing.sources.vouched_height == 900
    peer.hear(Standing(1, 1, 1_000, (), None), 2)
    assert syncing.sources.vouched_height == 1_000
    peer.hear(Standing(1, 1, 0, (), None), 3)
    assert syncing.sources.vouched_height == 900, "a lie is taken back"


@settings(max_examples=25)
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
