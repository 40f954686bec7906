"""Keys, certificates and streams for tests of what nodes say to each other."""

from __future__ import annotations

import trio
from trio.testing import memory_stream_pair

from lucid.poot.crypto import Edwards25519
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.frames import LENGTH_BYTES, FrameStream
from lucid.services.peer.handshake import FRAME_BYTES, Acquaintances, admit, introduce
from lucid.services.peer.sealed import SealedFrames
from lucid.services.peer.transport import Transport, certify

CRYPTO = Edwards25519()
CHAIN = bytes(32)
SECRETS = sorted((bytes([number]) * 32 for number in range(1, 5)), key=CRYPTO.public_key)
KEYS = [CRYPTO.public_key(secret) for secret in SECRETS]
"""Ascending, so that each dials those after it."""


def transport(number: int, sequence: int = 1, chain: bytes = CHAIN, signer: bytes | None = None) -> Transport:
    """A node's transport key, certified by it or by another `signer`."""
    secret = bytes([0x40 + number, sequence % 256]) * 16
    certificate = certify(CRYPTO, signer or SECRETS[number], chain, CRYPTO.public_key(secret), sequence)
    return Transport(secret, certificate)


def acquaintances(*others: int) -> Acquaintances:
    """What a node knows of some others."""
    return Acquaintances(CRYPTO, CHAIN, [KEYS[each] for each in others])


class Wire:
    """Both ends of a connection in memory."""

    def __init__(self) -> None:
        self.dialer, self.listener = memory_stream_pair()


async def shaken(
    wire: Wire,
    ours: Transport | None = None,
    theirs: Transport | None = None,
    known: tuple[Acquaintances, Acquaintances] | None = None,
    dialed: bytes = KEYS[1],
) -> tuple[SealedFrames | str, SealedFrames | str]:
    """What node 0, which dials, and node 1 end a handshake with: sealed frames, or why there are none."""
    found: dict[str, SealedFrames | str] = {"dialer": "nothing", "listener": "nothing"}
    from_dialer, from_listener = known or (acquaintances(1), acquaintances(0))

    async def dial() -> None:
        try:
            frames = FrameStream(wire.dialer, FRAME_BYTES)
            found["dialer"] = await introduce(frames, ours or transport(0), dialed, from_dialer)
        except ConnectionLost as lost:
            found["dialer"] = str(lost)
            await wire.dialer.aclose()

    async def own() -> Transport:
        return theirs or transport(1)

    async def listen() -> None:
        try:
            frames = FrameStream(wire.listener, FRAME_BYTES)
            found["listener"] = await admit(frames, own, KEYS[1], from_listener)
        except ConnectionLost as lost:
            found["listener"] = str(lost)
            await wire.listener.aclose()

    with trio.move_on_after(2):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(dial)
            nursery.start_soon(listen)
    return found["dialer"], found["listener"]


async def sealed_pair() -> tuple[SealedFrames, SealedFrames, Wire]:
    """Two nodes that know each other."""
    wire = Wire()
    dialer, listener = await shaken(wire)
    assert isinstance(dialer, SealedFrames) and isinstance(listener, SealedFrames)
    dialer.accept_messages()
    listener.accept_messages()
    return dialer, listener, wire


def framed(data: bytes) -> bytes:
    """A frame's bytes."""
    return len(data).to_bytes(LENGTH_BYTES, "big") + data
