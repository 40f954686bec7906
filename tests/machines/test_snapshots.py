"""Snapshots: taken in time, served in parts, and believed only as far as certificates from genesis on carry them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code
from lucid.chain.hashing import snapshot_digest
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP
from lucid.ledger.rows import HEAD_KEY, ROSTER_KEY, Roster
from lucid.ledger.state import ROW_TABLE
from lucid.machines import snapshots, syncing
from lucid.machines.chain import BLOCK_TABLE, UNFINAL_TABLE
from lucid.machines.effects import SYNC_TIMER, CaughtUp, Finalised, Observe, Tell
from lucid.machines.messages import (
    Blocks,
    BlocksRequest,
    CertificateMessage,
    Part,
    PartRequest,
    SnapshotOffer,
    Standing,
    encode_message,
)
from lucid.machines.snapshots import INDEX_KEY, SNAPSHOT_TABLE, Index, Rows
from tests.builders import Chain
from tests.machines.fleets import (
    Fleet,
    Peer,
    certificate,
    contents,
    converse,
    facts,
    key_of,
    passing,
    proposal,
    refusals,
    tiny_genesis,
)

GENESIS = tiny_genesis()
EVERY = 8
SERVER = 1


@cache
def history() -> Fleet:
    """Half a minute and more of a chain that admits a fifth node in its second epoch."""
    fleet = Fleet(GENESIS, snapshot_blocks=EVERY).start()
    for number in range(36):
        fleet.submit(number % 4, fleet.signer.anchor(number))
        if number == 12:
            fleet.submit(0, fleet.signer.register(4, 0))
        fleet.run(1_000)
    return fleet


@pytest.fixture(autouse=True)
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot is offered to who is four blocks behind it."""
    monkeypatch.setattr(syncing, "SNAPSHOT_GAP", 4)


def server() -> Peer:
    """A node that holds the history."""
    return history().peer(SERVER)


def joiner() -> Peer:
    """A node that holds nothing and has just heard of the server's height."""
    peer = Peer(GENESIS, snapshot_blocks=EVERY)
    peer.hear(Standing(4, 1, server().manager.chain.tree.root.height, (), None), SERVER)
    return peer


def offered() -> tuple[Peer, Peer, SnapshotOffer]:
    """Server, joiner, and the offer that the joiner is to hear."""
    serving, joining = server(), joiner()
    number, request = joining.asked()
    assert number == SERVER and isinstance(request, BlocksRequest)
    offer = serving.answer(request)
    assert isinstance(offer, SnapshotOffer)
    return serving, joining, offer


def everything(peer: Peer) -> tuple[Any, ...]:
    """All that a refused message must leave as it is."""
    return contents(peer.store), facts(peer.manager), passing(peer.manager)


# -- taking and serving ------------------------------------------------------------------------------------------


def rows_of(peer: Peer) -> list[tuple[bytes, bytes]]:
    """The rows in the parts of the snapshot that a store holds, in order."""
    index = decode(peer.store.get(SNAPSHOT_TABLE, INDEX_KEY) or b"", Index)
    parts = [peer.store.get(SNAPSHOT_TABLE, snapshots.part_key(place)) or b"" for place in range(len(index.parts))]
    assert [snapshot_digest(part) for part in parts] == list(index.parts)
    return [row for part in parts for row in decode(part, Rows)]


def test_a_snapshot_is_the_final_state_at_a_height(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(GENESIS, snapshot_blocks=EVERY).start()
    site = fleet.sites[0]
    while site.manager.chain.tree.root.height < EVERY:
        assert not list(site.store.scan(SNAPSHOT_TABLE))
        fleet.run(100)
    rows = list(site.store.scan(ROW_TABLE))
    fleet.run(100)
    index = site.manager.snapshots.index
    assert index is not None
    assert (index.height, index.block) == (EVERY, site.manager.chain.tree.root.hash)
    assert rows_of(fleet.peer(0)) == rows
    assert fleet.peer(0).manager.snapshots.index == index, "it is found again after a restart"


def test_the_newest_snapshot_takes_the_place_of_the_older(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "PART_BYTES", 64)
    fleet = Fleet(GENESIS, snapshot_blocks=EVERY).start().run(10_000)
    site = fleet.sites[0]
    many = len(list(site.store.scan(SNAPSHOT_TABLE)))
    assert many > 3
    monkeypatch.setattr(snapshots, "PART_BYTES", 1 << 20)
    fleet.run(10_000)
    index = site.manager.snapshots.index
    assert index is not None and index.height == 2 * EVERY
    assert len(list(site.store.scan(SNAPSHOT_TABLE))) == 1 + len(index.parts) < many
    assert dict(rows_of(fleet.peer(0)))[HEAD_KEY]


def test_a_node_that_began_at_genesis_has_no_snapshot_to_take() -> None:
    peer = Peer(GENESIS, snapshot_blocks=1)
    peer.manager.snapshots.due = True
    assert peer.manager.snapshots.take() == []
    assert peer.manager.snapshots.take() == [], "it is not due any more"


def test_a_snapshot_is_offered_to_who_is_far_behind_and_blocks_to_who_is_near() -> None:
    serving = server()
    index = serving.manager.snapshots.index
    assert index is not None
    assert isinstance(serving.answer(BlocksRequest(1, index.height - 4)), SnapshotOffer)
    assert isinstance(serving.answer(BlocksRequest(1, index.height - 3)), Blocks)


def test_blocks_are_served_when_the_snapshot_is_unusable() -> None:
    serving = server()
    index = serving.manager.snapshots.index
    assert index is not None
    serving.store.write([(BLOCK_TABLE, index.block, None)])
    assert isinstance(serving.answer(BlocksRequest(1, 1)), Blocks)


@pytest.mark.parametrize("other", ["height", "part"])
def test_a_part_that_is_not_kept_is_not_answered(other: str) -> None:
    serving = server()
    index = serving.manager.snapshots.index
    assert index is not None
    part = serving.answer(PartRequest(1, index.height, 0))
    assert isinstance(part, Part) and snapshot_digest(part.rows) == index.parts[0]
    request = PartRequest(1, index.height + 1, 0) if other == "height" else PartRequest(1, index.height, 77)
    assert serving.hear(request) == []
    assert Peer(GENESIS).hear(PartRequest(1, 0, 0)) == []


# -- joining late ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part_bytes", [1 << 20, 64])
def test_a_late_joiner_ends_where_the_others_are(part_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "PART_BYTES", part_bytes)
    serving = server()
    serving.manager.snapshots.due = True
    serving.manager._stored = True
    joining = joiner()
    converse([serving, joining])
    assert facts(joining.manager)["root"] == facts(serving.manager)["root"]
    assert facts(joining.manager) == facts(joining.restarted())
    assert joining.manager.chain.validators.keys == serving.manager.chain.validators.keys
    assert key_of(4) in joining.manager.chain.validators.index, "the fifth node is known from the certified ledger"
    told = [step for step in joining.steps if Observe(CaughtUp(snapshot_height(serving), True)) in step.effects]
    assert len(told) == 1
    assert any(isinstance(each, Tell) and isinstance(each.event, Finalised) for each in told[0].effects)
    tree = serving.manager.chain.tree
    joining.hear(Standing(tree.epoch, tree.entry_view + 1, tree.root.height, (), tree.entry), SERVER)
    assert joining.manager.chain.context() == serving.manager.chain.context()


def snapshot_height(serving: Peer) -> int:
    """Height of the snapshot that a server keeps."""
    index = serving.manager.snapshots.index
    assert index is not None
    return index.height


def test_a_late_joiner_serves_what_it_holds_and_no_more() -> None:
    serving, joining = server(), joiner()
    converse([serving, joining])
    height = snapshot_height(serving)
    assert joining.answer(BlocksRequest(9, height - 2), 2) == Blocks(9, (), ()), "its blocks begin above"
    page = joining.answer(BlocksRequest(9, height + 1), 2)
    assert isinstance(page, Blocks)
    assert page.blocks[0].header.height == height + 1


def test_the_state_of_before_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that was in the middle of an epoch starts over: nothing of its old fork tree or ledger is left."""
    chain = Chain(GENESIS)
    serving, joining = server(), joiner()
    _, request = joining.asked()
    own = proposal(chain, chain.anchor(999))
    joining.hear(own)
    joining.hear(CertificateMessage(certificate(chain, SKIP, 1)))
    joining.hear(serving.answer(request))
    _, request = joining.asked()
    joining.hear(serving.answer(request))
    assert joining.manager.chain.tree.root.height == snapshot_height(serving)
    assert list(joining.manager.chain.tree.nodes) == [joining.manager.chain.tree.root.hash]
    assert joining.store.get(BLOCK_TABLE, own.vote.block) is None
    assert list(joining.store.scan(UNFINAL_TABLE)) == []
    assert list(joining.store.scan(ROW_TABLE)) == rows_of(serving)
    assert facts(joining.manager) == facts(joining.restarted())
    assert passing(joining.manager)["proposals"] == passing(joining.manager)["waiting"] == {}


def test_what_is_certified_above_a_snapshot_is_kept() -> None:
    """Certificates above the last final block are facts that a restart, or a snapshot, must not lose (section 4)."""
    fleet = Fleet(GENESIS, snapshot_blocks=5).start().run(8_000)
    serving = fleet.peer(SERVER)
    joining = Peer(GENESIS, snapshot_blocks=5)
    chain = fleet.signer
    joining.hear(Standing(0, 1, 8, (), None), SERVER)
    _, request = joining.asked()
    for view in (2, 6, 7):
        joining.hear(CertificateMessage(certificate(chain, SKIP, view)))
    joining.hear(serving.answer(request))
    _, request = joining.asked()
    joining.hear(serving.answer(request))
    assert joining.manager.chain.tree.root.height == 5
    assert sorted(joining.manager.chain.tree.certificates) == [(6, SKIP), (7, SKIP)]
    assert joining.manager.chain.tree.entry_view == 7
    assert facts(joining.manager) == facts(joining.restarted())


def test_what_is_final_stays_final_when_the_last_part_comes_late() -> None:
    """Whoever serves a snapshot chooses when its last part comes; by then this node may be far beyond it."""
    serving, joining, offer = offered()
    joining.hear(offer)
    number, request = joining.asked()
    last = serving.answer(request)
    ahead = joining.copy()
    ahead.hear(Standing(4, 1, 36, (), None), SERVER)
    replay_blocks(ahead, serving)
    # The same node, with its question still open.
    joining.store = ahead.store
    joining.manager.chain = ahead.manager.chain
    joining.manager.syncing.chain = ahead.manager.chain
    before = everything(joining)
    assert refusals(joining.hear(last, number)) == [Code.SNAPSHOT_INVALID]
    assert everything(joining) == before


def replay_blocks(peer: Peer, serving: Peer) -> None:
    """Let a peer catch up by blocks alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(syncing, "SNAPSHOT_GAP", 10_000)
        converse([peer, serving])
    assert peer.manager.chain.tree.root.height >= snapshot_height(serving)


def test_a_snapshot_that_is_replaced_while_it_is_fetched_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "PART_BYTES", 64)
    fleet = Fleet(GENESIS, snapshot_blocks=EVERY).start().run(10_000)
    serving = fleet.peer(SERVER)
    joining = Peer(GENESIS, snapshot_blocks=EVERY)
    joining.hear(Standing(1, 1, 9, (), None), SERVER)
    joining.hear(serving.answer(joining.asked()[1]))
    joining.hear(serving.answer(joining.asked()[1]))
    later = fleet.run(10_000).peer(SERVER)
    _, request = joining.asked()
    assert isinstance(request, PartRequest) and request.part == 1
    assert later.hear(request, 0) == []
    joining.fire(SYNC_TIMER)
    converse([joining, later])
    assert joining.manager.chain.tree.root.height == 0, "the server had its turn, and nobody else is there"
    joining.hear(Standing(2, 1, 20, (), None), SERVER)
    converse([joining, later])
    assert facts(joining.manager)["root"] == facts(later.manager)["root"]


# -- tampering ---------------------------------------------------------------------------------------------------

Tamper = Callable[[SnapshotOffer], SnapshotOffer]


def closing(place: int, **changes: Any) -> Tamper:
    """Change one of the closings."""

    def tamper(offer: SnapshotOffer) -> SnapshotOffer:
        closings = list(offer.closings)
        closings[place] = replace(closings[place], **changes)
        return replace(offer, closings=tuple(closings))

    return tamper


def block(**changes: Any) -> Tamper:
    """Change the body of the block."""
    return lambda offer: replace(offer, block=replace(offer.block, **changes))


def header(**changes: Any) -> Tamper:
    """Change the header of the block."""
    return lambda offer: replace(offer, block=replace(offer.block, header=replace(offer.block.header, **changes)))


def final(**changes: Any) -> Tamper:
    """Change the finality certificate."""
    return lambda offer: replace(offer, certificate=replace(offer.certificate, **changes))


def forged(offer: SnapshotOffer) -> SnapshotOffer:
    """A block of the forgers' own, which three of the validators of genesis made final long after they retired."""
    signer = Chain(GENESIS)
    epoch, view = offer.certificate.epoch, offer.certificate.view
    own = replace(offer.block, header=replace(offer.block.header, state_root=bytes(32)))
    return replace(offer, block=own, certificate=certificate(signer, FINALIZE, view, own.header.hash, epoch))


def other_kind(offer: SnapshotOffer) -> SnapshotOffer:
    """Notarised is not final."""
    each, keys = offer.certificate, history().sites[0].manager.chain.validators.keys
    signers = [number for number in range(5) if key_of(number) in keys]
    return replace(offer, certificate=certificate(Chain(GENESIS), NOTARIZE, each.view, each.block, each.epoch, signers))


def early_close(offer: SnapshotOffer) -> SnapshotOffer:
    """A block that is final, but closes nothing."""
    first = server().manager.chain.block_at(1)
    assert first is not None
    vouch = certificate(Chain(GENESIS), FINALIZE, 1, first.header.hash)
    return closing(0, header=encode(first.header), certificate=vouch)(offer)


TAMPERS: dict[str, Tamper] = {
    "a closing left out": lambda offer: replace(offer, closings=offer.closings[1:]),
    "the last closing left out": lambda offer: replace(offer, closings=offer.closings[:-1]),
    "no closings": lambda offer: replace(offer, closings=()),
    "closings in another order": lambda offer: replace(offer, closings=offer.closings[::-1]),
    "a closing twice": lambda offer: replace(offer, closings=(*offer.closings, offer.closings[-1])),
    "closing header of no shape": closing(0, header=b"header"),
    "closing header with a tail": lambda offer: closing(0, header=offer.closings[0].header + b"\x00")(offer),
    "closing header of another epoch": lambda offer: closing(0, header=offer.closings[1].header)(offer),
    "closing certificate of another epoch": lambda offer: closing(0, certificate=offer.closings[1].certificate)(offer),
    "closing certificate without signatures": lambda offer: closing(
        0, certificate=replace(offer.closings[0].certificate, signers=b"\x00", signatures=())
    )(offer),
    "a final block that closes nothing": early_close,
    "no validators": closing(0, validators=()),
    "other validators": closing(0, validators=(bytes(32),)),
    "validators left out": lambda offer: closing(0, validators=offer.closings[0].validators[1:])(offer),
    "a validator twice": lambda offer: closing(0, validators=offer.closings[0].validators[:1] * 2)(offer),
    "block of another height": header(height=1),
    "block of another chain": header(chain=bytes(32)),
    "block with another state": header(state_root=bytes(32)),
    "block of another epoch": header(epoch=0),
    "a block that retired validators made final": forged,
    "a certificate that does not finalise": other_kind,
    "certificate of another epoch": final(epoch=0),
    "certificate of another view": final(view=1),
    "certificate of another block": final(block=bytes(32)),
    "certificate by too few": lambda offer: final(signers=b"\x01", signatures=offer.certificate.signatures[:1])(offer),
    "certificate with a wrong signature": lambda offer: final(
        signatures=(bytes(64), *offer.certificate.signatures[1:])
    )(offer),
    "block without its transactions": block(transactions=()),
    "block without its parent certificate": block(parent_certificate=None),
    "block with another parent certificate": lambda offer: block(parent_certificate=offer.certificate)(offer),
    "block with late votes": block(late_votes=(Chain(GENESIS).vote(key_of(1), 1, bytes(32), 1),)),
    "block without its signature": block(signature=bytes(64)),
    "no parts": lambda offer: replace(offer, parts=()),
}


@pytest.mark.parametrize("tamper", TAMPERS.values(), ids=TAMPERS)
def test_every_tampered_offer_is_refused(tamper: Tamper) -> None:
    _, joining, offer = offered()
    assert len(offer.closings) > 2
    assert offer.block.transactions and offer.block.parent_certificate, "else some of the cases change nothing"
    bad = tamper(offer)
    assert bad != offer
    before = everything(joining)
    joining.outbox.clear()
    assert refusals(joining.hear(bad, SERVER)) == [Code.SNAPSHOT_INVALID]
    assert everything(joining) == before
    number, request = joining.asked()
    assert isinstance(request, BlocksRequest)
    assert number != SERVER, "somebody else is asked"


@settings(max_examples=60)
@given(st.data())
def test_no_flipped_bit_of_an_offer_or_part_is_installed(data: st.DataObject) -> None:
    """Whatever a bit in the two messages becomes: it is refused, or all that is certified is what it was."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(syncing, "SNAPSHOT_GAP", 4)
        serving, joining, offer = offered()
        first_root = joining.manager.chain.tree.root.hash
        which = data.draw(st.sampled_from(["offer", "part"]))
        bad = flipped(encode_message(offer), data) if which == "offer" else encode_message(offer)
        joining.hear(bad, SERVER)
        number, request = joining.asked()
        if number == SERVER and isinstance(request, PartRequest):
            part = encode_message(serving.answer(request))
            effects = joining.hear(flipped(part, data) if which == "part" else part, SERVER)
            if not refusals(effects):
                pytest.fail("installed")
        root = joining.manager.chain.tree.root
        assert root.hash == first_root or root.ledger.root == serving.manager.chain.tree.root.ledger.root
        assert facts(joining.manager) == facts(joining.restarted())


def flipped(message: bytes, data: st.DataObject) -> bytes:
    """A message with one bit flipped."""
    place = data.draw(st.integers(0, 8 * len(message) - 1))
    changed = bytearray(message)
    changed[place >> 3] ^= 1 << (place & 7)
    return bytes(changed)


def part_of(joining: Peer, rows: bytes, **changes: Any) -> Part:
    """The next part that a joiner asked for, with these rows."""
    _, request = joining.asked()
    assert isinstance(request, PartRequest)
    return replace(Part(request.request, request.height, request.part, rows), **changes)


ROWS: dict[str, Callable[[dict[bytes, bytes]], bytes]] = {
    "junk": lambda rows: b"junk",
    "a tail": lambda rows: encode(sorted(rows.items())) + b"\x00",
    "no rows": lambda rows: encode([]),
    "one row left out": lambda rows: encode(sorted(rows.items())[:-1]),
    "the core left out": lambda rows: encode([(key, value) for key, value in sorted(rows.items()) if len(key) > 1]),
    "one row more": lambda rows: encode([*sorted(rows.items()), (b"s" + bytes(16), b"x")]),
    "one row changed": lambda rows: encode([*sorted(rows.items())[:-1], (sorted(rows)[-1], b"x")]),
    "a core of no shape": lambda rows: encode(sorted({**rows, HEAD_KEY: b"x"}.items())),
    "a roster without validators": lambda rows: encode(sorted({**rows, ROSTER_KEY: encode(Roster((), 0, ()))}.items())),
    "a roster of strangers": lambda rows: encode(sorted({**rows, ROSTER_KEY: encode(Roster((), 0, (7,)))}.items())),
    "a roster of twins": lambda rows: encode(
        sorted({**rows, ROSTER_KEY: encode(replace(decode(rows[ROSTER_KEY], Roster), validators=(0, 0)))}.items())
    ),
    "more than a part may hold": lambda rows: encode([(b"x", bytes(snapshots.MAX_PART_BYTES))]),
}


@pytest.mark.parametrize("make", ROWS.values(), ids=ROWS)
def test_rows_of_a_server_s_own_making_are_refused(make: Callable[[dict[bytes, bytes]], bytes]) -> None:
    """The digests of parts are not certified: a liar offers digests that fit its rows."""
    serving, joining, offer = offered()
    rows = make(dict(rows_of(serving)))
    joining.hear(replace(offer, parts=(snapshot_digest(rows),)), SERVER)
    before = everything(joining)
    assert refusals(joining.hear(part_of(joining, rows), SERVER)) == [Code.SNAPSHOT_INVALID]
    assert everything(joining) == before
    assert joining.asked()[0] != SERVER, "somebody else is asked"


@pytest.mark.parametrize("change", ["rows", "part", "height"])
def test_a_part_other_than_the_next_is_refused(change: str) -> None:
    serving, joining, offer = offered()
    joining.hear(offer, SERVER)
    _, request = joining.asked()
    part = serving.answer(request)
    assert isinstance(part, Part)
    bad = {
        "rows": replace(part, rows=part.rows + b"\x00"),
        "part": replace(part, part=1),
        "height": replace(part, height=1),
    }
    before = everything(joining)
    assert refusals(joining.hear(bad[change], SERVER)) == [Code.SNAPSHOT_INVALID]
    assert everything(joining) == before


def test_an_older_snapshot_than_what_is_held_is_refused() -> None:
    offer = offered()[2]
    done = history().peer(2)
    done.hear(Standing(99, 1, 10_000, (), None), SERVER)
    _, request = done.asked()
    assert isinstance(request, BlocksRequest)
    before = everything(done)
    assert refusals(done.hear(replace(offer, request=request.request), SERVER)) == [Code.SNAPSHOT_INVALID]
    assert everything(done) == before


@pytest.mark.parametrize("kind", ["offer", "part"])
def test_what_was_not_asked_for_is_refused(kind: str) -> None:
    _, joining, offer = offered()
    message = offer if kind == "offer" else Part(offer.request, offer.block.header.height, 0, b"")
    before = everything(joining)
    assert refusals(joining.hear(message, 2)) == [Code.UNEXPECTED], "another peer was asked"
    assert refusals(joining.hear(replace(message, request=99), SERVER)) == [Code.UNEXPECTED]
    assert everything(joining) == before


def test_a_part_where_blocks_were_asked_for_is_refused() -> None:
    _, joining, offer = offered()
    assert refusals(joining.hear(Part(offer.request, 1, 0, b""), SERVER)) == [Code.UNEXPECTED]
    assert joining.asked()[0] != SERVER, "that was its turn"
