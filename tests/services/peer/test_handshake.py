"""The handshake between nodes: who proves what to whom, in which order, and what nobody is told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import memory_stream_pair

from lucid.chain.codec import encode
from lucid.services.peer import handshake
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.frames import FrameStream
from lucid.services.peer.handshake import FRAME_BYTES, HandshakeAnswer, Hello, admit, introduce
from lucid.services.peer.sealed import PART_BYTES, FrameKind, SealedFrames
from lucid.services.peer.transport import Transport, TransportCertificate
from tests.services.peer.acquainted import (
    CHAIN,
    CRYPTO,
    KEYS,
    SECRETS,
    Wire,
    acquaintances,
    framed,
    sealed_pair,
    shaken,
    transport,
)


def hello(ours: Transport | None = None, **changed: object) -> Hello:
    """A hello of node 0 to node 1, signed by its transport key after the changes."""
    ours = ours or transport(0)
    blank = msgspec.structs.replace(
        Hello(handshake.VERSION, KEYS[1], ours.certificate, bytes(32), bytes([9]) + bytes(31), bytes(64)), **changed
    )
    message = handshake._hello_message((blank.version, blank.listener, blank.certificate, blank.nonce, blank.exchange))
    return msgspec.structs.replace(blank, signature=CRYPTO.sign(ours.secret, message))


async def admitted(data: bytes, knows: tuple[int, ...] = (0,)) -> tuple[str, bytes]:
    """Why node 1 turns away one who sends these bytes, and what it answered."""
    near, far = memory_stream_pair()

    async def own() -> Transport:
        return transport(1)

    why = ""
    await near.send_all(data)
    await near.send_eof()
    try:
        await admit(FrameStream(far, FRAME_BYTES), own, KEYS[1], acquaintances(*knows))
    except ConnectionLost as lost:
        why = str(lost)
    await far.aclose()
    return why, bytes(await near.receive_some())


async def test_both_know_who_the_other_is_and_nobody_else_reads_along() -> None:
    dialer, listener, wire = await sealed_pair()
    assert (dialer.peer, listener.peer) == (KEYS[1], KEYS[0])
    await dialer.send(FrameKind.LAST, b"hello")
    assert await listener.receive() == (FrameKind.LAST, b"hello")
    await listener.send(FrameKind.PART, bytes(PART_BYTES))
    assert await dialer.receive() == (FrameKind.PART, bytes(PART_BYTES))
    await dialer.send(FrameKind.LAST, b"in clear")
    assert b"in clear" not in bytes(await wire.listener.receive_some())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"GET /peer HTTP/1.1\r\nHost: x\r\n\r\n", "a frame of"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "a frame of"),
        (bytes(4), "a frame of 0 bytes"),
        ((FRAME_BYTES + 1).to_bytes(4, "big"), "a frame of 1025 bytes"),
        (b"\xff\xff\xff\xff" + bytes(5_000), "a frame of 4294967295 bytes"),
        (framed(b"\xff"), "damaged"),
        (framed(encode((1, CHAIN, KEYS[0], bytes(32), bytes(32)))), "speaks version 1; this is 2"),
        (framed(encode(hello(version=3))), "speaks version 3; this is 2"),
        (framed(encode(hello()))[:-1], "closed"),
        (framed(encode(hello()) + b"x"), "damaged"),
        (framed(encode(msgspec.structs.replace(hello(), signature=bytes(64)))), "does not hold the key"),
        (framed(encode(msgspec.structs.replace(hello(), nonce=bytes([1]) * 32))), "does not hold the key"),
        (framed(encode(hello(listener=KEYS[2]))), "which this one is not"),
        (framed(encode(hello(transport(0, chain=bytes([1]) * 32)))), "another chain"),
        (framed(encode(hello(transport(2)))), "higher id"),
        (framed(encode(hello(transport(1)))), "higher id"),
        (b"", "closed"),
    ],
)
async def test_who_proves_nothing_gets_no_answer(data: bytes, why: str) -> None:
    said, answer = await admitted(data)
    assert why in said
    assert answer == b""


async def test_naming_a_peer_is_not_enough_to_have_anything_signed() -> None:
    """Whoever takes a peer's id, or even its true certificate, and not its transport key, gets silence."""
    said, answer = await admitted(framed(encode(hello())), knows=(2,))
    assert "not a peer of this node" in said and answer == b""
    forged = TransportCertificate(CHAIN, KEYS[0], CRYPTO.public_key(SECRETS[3]), 9, bytes(64))
    said, answer = await admitted(framed(encode(hello(Transport(SECRETS[3], forged)))))
    assert "not signed by it" in said and answer == b""
    stolen = Transport(SECRETS[3], transport(0).certificate)
    said, answer = await admitted(framed(encode(hello(stolen))))
    assert "does not hold the key" in said and answer == b""


async def test_a_recorded_hello_is_not_answered_twice_and_opens_nothing() -> None:
    known = acquaintances(0)
    data = framed(encode(hello()))

    async def own() -> Transport:
        return transport(1)

    for expected in ("closed the connection", "is repeated"):
        near, far = memory_stream_pair()
        await near.send_all(data)
        await near.send_eof()
        with pytest.raises(ConnectionLost, match=expected):
            await admit(FrameStream(far, FRAME_BYTES), own, KEYS[1], known)


async def test_a_certificate_that_was_replaced_is_of_no_use_any_more() -> None:
    known = acquaintances(1), acquaintances(0)
    for sequence in (5, 5, 7):
        ends = await shaken(Wire(), ours=transport(0, sequence), known=known)
        assert all(isinstance(end, SealedFrames) for end in ends)
    dialer, listener = await shaken(Wire(), ours=transport(0, 6), known=known)
    assert "newer one has replaced" in str(listener) and "closed" in str(dialer)
    same = Transport(SECRETS[2], msgspec.structs.replace(transport(0, 7).certificate, signature=bytes(64)))
    with pytest.raises(ConnectionLost, match="replaced"):
        known[1].check(same.certificate)


async def test_the_listener_must_be_the_node_that_was_dialed() -> None:
    knows_both = acquaintances(1, 2)
    dialer, _ = await shaken(Wire(), theirs=transport(2), known=(knows_both, acquaintances(0)))
    assert "instead of the one that was dialed" in str(dialer)
    dialer, _ = await shaken(Wire(), theirs=Transport(SECRETS[3], transport(1).certificate))
    assert "does not hold the key" in str(dialer)
    dialer, _ = await shaken(Wire(), theirs=transport(1, chain=bytes([1]) * 32))
    assert "another chain" in str(dialer)
    dialer, listener = await shaken(Wire(), dialed=KEYS[2], known=(knows_both, acquaintances(0)))
    assert "closed" in str(dialer) and "which this one is not" in str(listener)


def meddle(wire: Wire, frame: str, place: float) -> None:
    """Change a bit of one frame, at a place from 0 to 1 in it."""
    names = {(wire.dialer, 1): "hello", (wire.listener, 1): "answer", (wire.dialer, 2): "proof"}

    def between(stream: Any) -> None:
        send, count = stream.send_all, 0

        async def changed(data: bytes) -> None:
            nonlocal count
            count += 1
            if names.get((stream, count)) == frame:
                where = int((len(data) - 1) * place)
                data = data[:where] + bytes([data[where] ^ 1]) + data[where + 1 :]
            await send(data)

        stream.send_all = changed

    between(wire.dialer)
    between(wire.listener)


@pytest.mark.parametrize("frame", ["hello", "answer", "proof"])
async def test_a_man_in_the_middle_can_change_no_byte(frame: str) -> None:
    """Each byte of each frame in turn would be slow: one in the middle and the last."""
    for place in (0.5, 1.0):
        wire = Wire()
        meddle(wire, frame, place)
        dialer, listener = await shaken(wire)
        assert isinstance(listener, str)
        assert frame == "proof" or isinstance(dialer, str)


async def test_what_nodes_of_other_keys_derive_differs_each_time() -> None:
    one, other = await sealed_pair(), await sealed_pair()
    await one[0].send(FrameKind.LAST, b"of the first")
    await other[2].dialer.send_all(bytes(await one[2].listener.receive_some()))
    with pytest.raises(ConnectionLost, match="next one"):
        await other[1].receive()


@pytest.mark.parametrize("exchange", [bytes(32), bytes([1]) + bytes(31)])
async def test_an_exchange_key_of_small_order_is_refused_by_both(exchange: bytes) -> None:
    said, answer = await admitted(framed(encode(hello(exchange=exchange))))
    assert "small order" in said and answer == b""
    near, far = memory_stream_pair()
    ours, theirs = transport(0), transport(1)

    async def answering() -> None:
        frames = FrameStream(far, FRAME_BYTES)
        given = msgspec.msgpack.decode(await frames.receive(), type=Hello)
        fields = (theirs.certificate, bytes(32), exchange)
        signature = CRYPTO.sign(theirs.secret, handshake._answer_message(given, fields))
        await frames.send(encode(HandshakeAnswer(*fields, signature)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(answering)
        with pytest.raises(ConnectionLost, match="small order"):
            await introduce(FrameStream(near, FRAME_BYTES), ours, KEYS[1], acquaintances(1))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.binary(max_size=600), max_size=3), st.booleans())
def test_any_introduction_is_good_or_a_lost_connection(data: list[bytes], whole: bool) -> None:
    async def main() -> None:
        sent = b"".join(framed(each) if whole else each for each in data)
        said, answer = await admitted(sent)
        assert said and not answer
        near, far = memory_stream_pair()
        await near.send_all(sent)
        await near.send_eof()
        with pytest.raises(ConnectionLost):
            await introduce(FrameStream(far, FRAME_BYTES), transport(0), KEYS[1], acquaintances(1))

    trio.run(main)
