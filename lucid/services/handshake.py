"""How two nodes prove to each other who they are, and seal what they say after that (`docs/protocol.md`, section 8).

Each side sends a `Hello` with a fresh nonce and a fresh X25519 key, then a signature by its node key over both, in the
order dialler, listener. Keys for each direction are derived from the shared secret and the transcript, so nothing of
one connection is of use in another, and nobody between can change, drop within, repeat or insert a frame unnoticed.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Protocol, TypeVar

from msgspec import Meta
from nacl import bindings
from nacl.exceptions import CryptoError

from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Refusal
from lucid.chain.genesis import Key
from lucid.chain.hashing import domain
from lucid.chain.keys import Crypto
from lucid.chain.votes import Hash, Signature
from lucid.services.link import Frames
from lucid.services.websocket import ConnectionLost

T = TypeVar("T")

VERSION = 1
NONCE_BYTES = 32

_transcript_digest = domain("lucid peer transcript v1")
_proof_digest = domain("lucid peer proof v1")
_frame_key = domain("lucid peer frame key v1")


class Hello(Record):
    """Who speaks: protocol version, chain id, node id, a nonce and an X25519 public key, both fresh."""

    version: int
    chain: Hash
    node: Key
    nonce: Annotated[bytes, Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]
    exchange: Key


class Proof(Record):
    """The node key's signature over the transcript and the role: 0 for the dialler, 1 for the listener."""

    signature: Signature


class Known(Protocol):
    """Whom a node talks to."""

    def __call__(self, node: bytes) -> bool:
        """Whether a node id may connect."""
        ...


class SealedFrames:
    """Frames of one peer, encrypted and authenticated, each under its number."""

    def __init__(self, frames: Frames, peer: bytes, sends: bytes, receives: bytes) -> None:
        self.peer = peer
        self._frames = frames
        self._sends, self._receives = sends, receives
        self._sent = self._received = 0

    async def send(self, data: bytes) -> None:
        """Seal and send one message; raises `ConnectionLost`."""
        number = self._sent.to_bytes(12, "big")
        self._sent += 1
        await self._frames.send(bindings.crypto_aead_chacha20poly1305_ietf_encrypt(data, None, number, self._sends))

    async def receive(self) -> bytes:
        """The next message; raises `ConnectionLost`, also for a frame that is not the peer's next one."""
        sealed = await self._frames.receive()
        number = self._received.to_bytes(12, "big")
        self._received += 1
        try:
            return bindings.crypto_aead_chacha20poly1305_ietf_decrypt(sealed, None, number, self._receives)
        except (CryptoError, ValueError):
            raise ConnectionLost("a frame is not the peer's next one") from None


async def shake_hands(
    frames: Frames, dialled: bool, secret: bytes, chain: bytes, crypto: Crypto, known: Known
) -> SealedFrames:
    """Introduce this node over a new connection that it `dialled`, or was dialled on. Raises `ConnectionLost`."""
    private = secrets.token_bytes(32)
    own = Hello(
        VERSION,
        chain,
        crypto.public_key(secret),
        secrets.token_bytes(NONCE_BYTES),
        bindings.crypto_scalarmult_base(private),
    )
    await frames.send(encode(own))
    other = await _receive(frames, Hello)
    if other.version != VERSION:
        raise ConnectionLost(f"the peer speaks version {other.version}; this is {VERSION}")
    if other.chain != chain:
        raise ConnectionLost("the peer is of another chain")
    if other.node == own.node or not known(other.node):
        raise ConnectionLost(f"node {other.node.hex()[:16]} is no peer of this node")
    first, second = (own, other) if dialled else (other, own)
    transcript = _transcript_digest(encode((first, second)))
    await frames.send(encode(Proof(crypto.sign(secret, _proof(transcript, dialled)))))
    proof = await _receive(frames, Proof)
    if not crypto.verify(other.node, _proof(transcript, not dialled), proof.signature):
        raise ConnectionLost(f"the peer does not hold the key of node {other.node.hex()[:16]}")
    try:
        shared = bindings.crypto_scalarmult(private, other.exchange)
    except (CryptoError, RuntimeError):
        raise ConnectionLost("the peer's exchange key is none") from None
    out, back = _frame_key(shared + transcript + b"\x00"), _frame_key(shared + transcript + b"\x01")
    return SealedFrames(frames, other.node, *((out, back) if dialled else (back, out)))


def _proof(transcript: bytes, dialler: bool) -> bytes:
    return _proof_digest(transcript + (b"\x00" if dialler else b"\x01"))


async def _receive(frames: Frames, kind: type[T]) -> T:
    try:
        return decode(await frames.receive(), kind)
    except Refusal as refusal:
        raise ConnectionLost(f"the peer's introduction is damaged: {refusal}") from None
