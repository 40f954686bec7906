"""How two nodes prove to each other who they are before they say anything else (`docs/protocol.md`, section 8).

The dialer speaks first, and proves with its first frame that it is a node which the listener knows; until then the
listener says nothing. Both sign what they send with their transport keys, which the nodes' own keys vouch for. The keys
of the frames come from an exchange of keys made for this one connection.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, TypeVar

from msgspec import Meta
from nacl import bindings
from nacl.exceptions import CryptoError

from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Refusal
from lucid.chain.fields import Key, Natural
from lucid.chain.hashing import domain
from lucid.chain.keys import Crypto
from lucid.chain.votes import Signature
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.frames import FrameStream
from lucid.services.peer.sealed import FrameKind, SealedFrames
from lucid.services.peer.transport import Transport, TransportCertificate, holds

T = TypeVar("T")

VERSION = 2
NONCE_BYTES = 32
FRAME_BYTES = 1_024
"""The longest frame before both are proven."""
HELLOS_KEPT = 256
"""Hellos of each node that are remembered, so that a recorded one is not answered."""

_ARRAY = 0x9
"""What a short array of MessagePack begins with."""

_hello_digest = domain("lucid peer hello v2")
_answer_digest = domain("lucid peer answer v2")
_frame_key = domain("lucid peer frame key v2")

Nonce = Annotated[bytes, Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]


class Hello(Record):
    """The dialer's frame: the node that it dials, its own certificate, a nonce and an X25519 key, both fresh."""

    version: Natural
    listener: Key
    certificate: TransportCertificate
    nonce: Nonce
    exchange: Key
    signature: Signature


class HandshakeAnswer(Record):
    """The listener's frame; its signature covers the hello too."""

    certificate: TransportCertificate
    nonce: Nonce
    exchange: Key
    signature: Signature


class Acquaintances:
    """The nodes that this one talks to: the newest certificate of each, and the hellos that it sent lately."""

    def __init__(self, crypto: Crypto, chain: bytes, nodes: Iterable[bytes]) -> None:
        self.crypto = crypto
        self.chain = chain
        self._newest: dict[bytes, TransportCertificate | None] = dict.fromkeys(nodes)
        self._hellos: dict[bytes, deque[bytes]] = {node: deque(maxlen=HELLOS_KEPT) for node in self._newest}

    def check(self, certificate: TransportCertificate) -> None:
        """Raise `ConnectionLost` unless a known node of this chain vouches for the key, and for no newer one."""
        node = certificate.node.hex()[:16]
        if certificate.chain != self.chain:
            raise ConnectionLost("the peer is of another chain")
        if certificate.node not in self._newest:
            raise ConnectionLost(f"node {node} is not a peer of this node")
        newest = self._newest[certificate.node]
        if certificate == newest:
            return
        if newest is not None and certificate.sequence <= newest.sequence:
            raise ConnectionLost(f"node {node} shows a certificate that a newer one has replaced")
        if not holds(self.crypto, certificate):
            raise ConnectionLost(f"the certificate of node {node} is not signed by it")
        self._newest[certificate.node] = certificate

    def remember(self, node: bytes, hello: bytes) -> None:
        """Raise `ConnectionLost` for a hello (its digest) that came before."""
        if hello in self._hellos[node]:
            raise ConnectionLost(f"a hello of node {node.hex()[:16]} is repeated")
        self._hellos[node].append(hello)


async def introduce(frames: FrameStream, transport: Transport, listener: bytes, known: Acquaintances) -> SealedFrames:
    """Introduce this node over a connection that it dialed. Raises `ConnectionLost`."""
    private, exchange = _exchange_key()
    nonce = secrets.token_bytes(NONCE_BYTES)
    sent = _hello_message((VERSION, listener, transport.certificate, nonce, exchange))
    signature = known.crypto.sign(transport.secret, sent)
    hello = Hello(VERSION, listener, transport.certificate, nonce, exchange, signature)
    await frames.send(encode(hello))
    answer = await _receive(frames, HandshakeAnswer)
    if answer.certificate.node != listener:
        raise ConnectionLost(f"node {answer.certificate.node.hex()[:16]} answers instead of the one that was dialed")
    known.check(answer.certificate)
    transcript = _answer_message(hello, (answer.certificate, answer.nonce, answer.exchange))
    if not known.crypto.verify(answer.certificate.transport, transcript, answer.signature):
        raise ConnectionLost("the peer does not hold the key of its certificate")
    out, back = _frame_keys(private, answer.exchange, transcript)
    sealed = SealedFrames(frames, listener, out, back)
    await sealed.send(FrameKind.PROVEN)
    return sealed


async def admit(
    frames: FrameStream, transport: Callable[[], Awaitable[Transport]], own: bytes, known: Acquaintances
) -> SealedFrames:
    """Let a node that dialed prove itself, and only then answer, with what `transport` gives, which may wait.

    Raises `ConnectionLost`.
    """
    hello = await _receive(frames, Hello)
    if hello.listener != own:
        raise ConnectionLost(f"node {hello.listener.hex()[:16]} was dialed, which this one is not")
    node = hello.certificate.node
    if node >= own:
        raise ConnectionLost(f"node {node.hex()[:16]} has the higher id: it is for this node to dial")
    known.check(hello.certificate)
    sent = _hello_message((hello.version, hello.listener, hello.certificate, hello.nonce, hello.exchange))
    if not known.crypto.verify(hello.certificate.transport, sent, hello.signature):
        raise ConnectionLost("the peer does not hold the key of its certificate")
    known.remember(node, sent)
    secret, certificate = await transport()
    private, exchange = _exchange_key()
    nonce = secrets.token_bytes(NONCE_BYTES)
    transcript = _answer_message(hello, (certificate, nonce, exchange))
    back, out = _frame_keys(private, hello.exchange, transcript)
    signature = known.crypto.sign(secret, transcript)
    sealed = SealedFrames(frames, node, out, back)
    await frames.send(encode(HandshakeAnswer(certificate, nonce, exchange, signature)))
    kind, _ = await sealed.receive()
    if kind != FrameKind.PROVEN:
        raise ConnectionLost("the peer's first frame is not its proof")
    return sealed


def _exchange_key() -> tuple[bytes, bytes]:
    private = secrets.token_bytes(32)
    return private, bindings.crypto_scalarmult_base(private)


def _hello_message(fields: tuple[int, bytes, TransportCertificate, bytes, bytes]) -> bytes:
    return _hello_digest(encode(fields))


def _answer_message(hello: Hello, fields: tuple[TransportCertificate, bytes, bytes]) -> bytes:
    """What the listener signs and the keys come from: all that was said."""
    return _answer_digest(encode((hello, *fields)))


def _frame_keys(private: bytes, exchange: bytes, transcript: bytes) -> tuple[bytes, bytes]:
    """The keys from the dialer and from the listener; raises `ConnectionLost` for an exchange key of small order."""
    try:
        shared = bindings.crypto_scalarmult(private, exchange)
    except (CryptoError, RuntimeError):
        raise ConnectionLost("the peer's exchange key is of small order") from None
    return _frame_key(shared + transcript + b"\x00"), _frame_key(shared + transcript + b"\x01")


async def _receive(frames: FrameStream, kind: type[T]) -> T:
    data = await frames.receive()
    if kind is Hello and len(data) > 1 and data[0] >> 4 == _ARRAY and data[1] < 0x80 and data[1] != VERSION:
        # Hellos of other versions have other fields, but all begin with their version.
        raise ConnectionLost(f"the peer speaks version {data[1]}; this is {VERSION}")
    try:
        return decode(data, kind)
    except Refusal as refusal:
        raise ConnectionLost(f"the peer's introduction is damaged: {refusal}") from None
