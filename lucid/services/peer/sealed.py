"""What two nodes say once they know each other: messages in sealed frames, under keys that do not last.

Each frame is ChaCha20-Poly1305 (RFC 8439) under the key of its direction and its number; its first byte says its kind.
A message is cut into parts, so that neither end holds more of it sealed than one frame.
"""

from __future__ import annotations

import time
from enum import IntEnum

import trio
from nacl import bindings
from nacl.exceptions import CryptoError

from lucid.chain.hashing import domain
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.frames import FrameStream

PART_BYTES = 65_536
SEALED_BYTES = 1 + PART_BYTES + 16
"""The longest frame: its kind, its part and the tag."""
REKEY_BYTES = 1 << 30
REKEY_S = 3_600.0
"""A direction's key is replaced by its sender after so many bytes or so long."""

_next_key = domain("lucid peer next key v2")


class FrameKind(IntEnum):
    """What a frame is."""

    PART = 0
    """A part of a message, exactly `PART_BYTES`; more follows."""
    LAST = 1
    """The last part of a message, at most `PART_BYTES`."""
    PROVEN = 2
    """The dialer's first frame, empty: it holds the keys, so its hello was not a repeat of an old one."""
    PING = 3
    """Empty: the sender is alive."""
    REKEY = 4
    """Empty: the next frame of this direction is the first under its next key."""


class SealedFrames:
    """Frames to and from one peer, encrypted and authenticated, each under its number."""

    def __init__(self, frames: FrameStream, peer: bytes, sends: bytes, receives: bytes) -> None:
        self.peer = peer
        self.began_s = time.monotonic()
        """Since when; the other side says nothing before."""
        self._frames = frames
        self._sends, self._receives = _Direction(sends), _Direction(receives)
        self._sending = trio.Lock()

    async def send(self, kind: FrameKind, data: bytes = b"") -> None:
        """Seal and send one frame, whole or not at all; raises `ConnectionLost`."""
        async with self._sending:
            if self._sends.worn(REKEY_BYTES, REKEY_S):
                await self._frames.send(self._sends.seal(bytes((FrameKind.REKEY,))))
                self._sends.advance()
            await self._frames.send(self._sends.seal(bytes((kind,)) + data))

    async def receive(self) -> tuple[FrameKind, bytes]:
        """The next frame; raises `ConnectionLost`, also for one that is not the peer's next or not what it may be."""
        if self._receives.worn(2 * REKEY_BYTES, float("inf")):
            raise ConnectionLost("the peer does not replace its key")
        opened = self._receives.open(await self._frames.receive())
        kind, data = opened[:1], opened[1:]
        if not kind or kind[0] not in _SIZES or len(data) not in _SIZES[FrameKind(kind[0])]:
            raise ConnectionLost("a frame of a kind or size that does not exist")
        if kind[0] == FrameKind.REKEY:
            self._receives.advance()
        return FrameKind(kind[0]), data

    def accept_messages(self) -> None:
        """Take frames of full size from now on: the peer is who it says."""
        self._frames.limit = SEALED_BYTES


_SIZES = {
    FrameKind.PART: range(PART_BYTES, PART_BYTES + 1),
    FrameKind.LAST: range(PART_BYTES + 1),
    FrameKind.PROVEN: range(1),
    FrameKind.PING: range(1),
    FrameKind.REKEY: range(1),
}


class _Direction:
    """One direction's key: what was sealed or opened with it so far, and since when."""

    def __init__(self, key: bytes) -> None:
        self._begin(key)

    def _begin(self, key: bytes) -> None:
        self._key = key
        self._number = self._bytes = 0
        self._since = trio.current_time()

    def worn(self, most_bytes: int, longest_s: float) -> bool:
        """Whether it has served for long enough."""
        return self._bytes >= most_bytes or trio.current_time() - self._since >= longest_s

    def advance(self) -> None:
        """Go on to the next key; the one before cannot be found from it."""
        self._begin(_next_key(self._key))

    def seal(self, data: bytes) -> bytes:
        """The next frame's bytes."""
        number = self._next(len(data))
        return bindings.crypto_aead_chacha20poly1305_ietf_encrypt(data, None, number, self._key)

    def open(self, sealed: bytes) -> bytes:
        """What a frame holds; raises `ConnectionLost` unless it is the next one."""
        number = self._next(len(sealed))
        try:
            return bindings.crypto_aead_chacha20poly1305_ietf_decrypt(sealed, None, number, self._key)
        except (CryptoError, ValueError):
            raise ConnectionLost("a frame is not the peer's next one") from None

    def _next(self, size: int) -> bytes:
        number = self._number.to_bytes(12, "big")
        self._number += 1
        self._bytes += size
        return number
