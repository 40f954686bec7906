"""Tampered snapshots: every offer and part that is not certified from genesis on is refused, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code
from lucid.chain.votes import FINALIZE, NOTARIZE
from lucid.ledger.rows import HEAD_KEY, ROSTER_KEY, Roster
from lucid.machines.manager import download
from lucid.machines.messages import (
    BlocksRequest,
    Part,
    PartRequest,
    SnapshotOffer,
    Standing,
    encode_message,
)
from tests.builders import Chain
from tests.machines.joining import GENESIS, SERVER, history, offered, rows_of, server
from tests.machines.peers import Peer, everything, facts, key_of, refusals
from tests.machines.statements import certificate

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
    """Notarized is not final."""
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
    "a certificate that does not finalize": other_kind,
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
    "a branch that is none": lambda offer: replace(offer, branches=(b"\x01\x00\x00",)),
    "a branch of another tree": lambda offer: replace(offer, branches=(b"\x01\x00\x01" + bytes(32),)),
    "branches without end": lambda offer: replace(offer, branches=(bytes(500),) * 40_000),
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
}


@pytest.mark.parametrize("make", ROWS.values(), ids=ROWS)
def test_rows_of_a_server_s_own_making_are_refused(make: Callable[[dict[bytes, bytes]], bytes]) -> None:
    """Each part's hash follows from the certified state root: nothing made up is kept, not even for a moment."""
    serving, joining, offer = offered()
    rows = make(dict(rows_of(serving)))
    joining.hear(offer, SERVER)
    before = everything(joining)
    assert refusals(joining.hear(part_of(joining, rows), SERVER)) == [Code.SNAPSHOT_INVALID]
    assert everything(joining) == before
    assert joining.asked()[0] != SERVER, "somebody else is asked"


def test_a_part_that_is_too_large_is_refused_before_the_last_has_come() -> None:
    joining, offer = offered()[1:]
    rows = encode([(b"x", bytes(download.MAX_PART_BYTES))])
    joining.hear(offer, SERVER)
    assert refusals(joining.hear(part_of(joining, rows), SERVER)) == [Code.SNAPSHOT_INVALID]


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
