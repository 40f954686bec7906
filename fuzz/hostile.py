"""A hostile node: what it has (its own key, and a place among somebody's peers), and what it may say."""

from __future__ import annotations

import secrets
from random import Random
from typing import get_args

import trio

from fuzz.values import spoiled, value
from lucid.chain.codec import decode, encode
from lucid.machines.messages import Message
from lucid.poot.crypto import Edwards25519
from lucid.services.peer import handshake
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.frames import LENGTH_BYTES, FrameStream
from lucid.services.peer.handshake import FRAME_BYTES, Acquaintances, HandshakeAnswer, Hello
from lucid.services.peer.sealed import PART_BYTES, FrameKind, SealedFrames
from lucid.services.peer.transport import Transport, TransportCertificate, certify

CRYPTO = Edwards25519()
KINDS = get_args(Message)


def key_below(node: bytes) -> bytes:
    """The secret of a node that is the one to dial `node`."""
    while CRYPTO.public_key(secret := secrets.token_bytes(32)) >= node:
        pass
    return secret


def key_above(node: bytes) -> bytes:
    """The secret of a node that `node` is the one to dial."""
    while CRYPTO.public_key(secret := secrets.token_bytes(32)) <= node:
        pass
    return secret


class Hostile:
    """One hostile node of a chain."""

    def __init__(self, chain: bytes, secret: bytes) -> None:
        self.chain = chain
        self.key = CRYPTO.public_key(secret)
        transport = secrets.token_bytes(32)
        self.transport = Transport(transport, certify(CRYPTO, secret, chain, CRYPTO.public_key(transport), 1))

    def acquaintances(self, *others: bytes) -> Acquaintances:
        """What it knows of others."""
        return Acquaintances(CRYPTO, self.chain, others)

    def hello(self, random: Random, listener: bytes) -> bytes:
        """A hello that holds, or nearly."""
        certificate = random.choice([self.transport.certificate, value(random, TransportCertificate)])
        fields = (
            random.choice([handshake.VERSION, handshake.VERSION, 1, 3]),
            random.choice([listener, listener, self.key]),
            certificate,
            random.randbytes(32),
            random.choice([random.randbytes(32), bytes(32), bytes([1]) + bytes(31)]),
        )
        signature = CRYPTO.sign(self.transport.secret, handshake._hello_message(fields))
        return spoiled(random, encode(Hello(*fields, signature)))

    def answer(self, random: Random, hello: bytes) -> bytes:
        """An answer that holds, or nearly, to a hello that came."""
        certificate = random.choice([self.transport.certificate, value(random, TransportCertificate)])
        exchange = random.choice([random.randbytes(32), bytes(32), bytes([1]) + bytes(31)])
        fields = (certificate, random.randbytes(32), exchange)
        given = decode(hello, Hello)
        signature = CRYPTO.sign(self.transport.secret, handshake._answer_message(given, fields))
        return spoiled(random, encode(HandshakeAnswer(*fields, signature)))


def framed(random: Random, data: bytes) -> bytes:
    """A frame, its length right or not."""
    length = random.choice([len(data)] * 6 + [0, len(data) + 1, FRAME_BYTES, FRAME_BYTES + 1, 2**32 - 1])
    return length.to_bytes(LENGTH_BYTES, "big") + data


def message(random: Random) -> bytes:
    """A message of the machines, right in shape, or nearly."""
    return spoiled(random, encode(value(random, random.choice(KINDS))))


async def misbehave(random: Random, sealed: SealedFrames, frames: FrameStream) -> None:
    """What one may send who is a peer: messages, their parts in any order, pings and new keys, and nonsense."""
    sealed.accept_messages()
    try:
        for _ in range(random.choice([1, 3, 10, 60])):
            act = random.randrange(10)
            if act < 5:
                await sealed.send(FrameKind.LAST, message(random))
            elif act < 7:
                await sealed.send(FrameKind.PART, bytes(PART_BYTES))
            elif act == 7:
                await sealed.send(random.choice(list(FrameKind)), random.randbytes(random.choice([0, 1, 100])))
            elif act == 8:
                await sealed.send(FrameKind.REKEY)
                sealed._sends.advance()
            else:
                await frames.send(random.randbytes(random.choice([1, 16, 17, 1_000, PART_BYTES])))
        with trio.move_on_after(0.02):
            while True:
                await sealed.receive()
    except ConnectionLost:
        pass
