"""Messages decoded: the one way in from bytes.

A decoded message is remembered for a while by its bytes, because a node receives the same bytes from many peers;
decoding is pure, so nothing but time can tell.
"""

from __future__ import annotations

from typing import get_args

from lucid.chain.codec import decode
from lucid.chain.errors import Code, Refusal
from lucid.machines.messages import MAX_MESSAGE_BYTES, MAX_TAG, Message

REMEMBERED_MESSAGES = 4_096
"""Decoded messages that are kept in the younger half of the memo. Chosen: with 100 nodes a view has some 300 different
ones, two votes and a certificate of each, so a dozen views are in it. At half, six are; at double, little is gained, as
few messages come so late."""
REMEMBERED_BYTES = 65_536
"""A longer message is not kept in the memo. Chosen: the size from which on a proposal goes in two hops
(`Limits.push_bytes`), so it comes once or twice. At half, proposals that all peers repeat are decoded each time; at
double, few messages push out many."""
REMEMBERED_TOTAL_BYTES = 8 << 20
"""Twice this is kept at most: a peer that sends large messages must not fill the memory of a Pi. Chosen: 16 MiB of the
256 MiB that a container has. At half, 128 of the longest are kept and not 256; at double, a flood takes an eighth of
the container."""
_ARRAY = 0x9
"""What an array of up to 15 elements begins with in MessagePack: the upper half of its first byte."""
_TAGS = frozenset(int(str(kind.__struct_config__.tag)) for kind in get_args(Message))


class _Memo:
    """Messages decoded lately, by their bytes, in two generations: when the younger is full, the older goes."""

    def __init__(self) -> None:
        self.young: dict[bytes, Message] = {}
        self.old: dict[bytes, Message] = {}
        self._young_bytes = 0

    def keep(self, data: bytes, message: Message) -> None:
        """Remember a message in the younger generation."""
        size = len(data)
        if len(self.young) >= REMEMBERED_MESSAGES or self._young_bytes + size > REMEMBERED_TOTAL_BYTES:
            self.young, self.old, self._young_bytes = {}, self.young, 0
        self.young[data] = message
        self._young_bytes += size


_memo = _Memo()


def decode_message(data: bytes) -> Message:
    """Decode one wire message; raises `Refusal` (`OVERSIZED`, `UNKNOWN_KIND`, `MALFORMED`, `NOT_CANONICAL`)."""
    message = _memo.young.get(data)
    if message is None:
        message = _decode_again(data)
    return message


def _decode_again(data: bytes) -> Message:
    # Before decoding, which takes many times the bytes (section 8).
    if len(data) > MAX_MESSAGE_BYTES:
        raise Refusal(Code.OVERSIZED, f"{len(data)} bytes")
    message = _memo.old.get(data)
    if message is None:
        # Told apart from what is broken: a node of a later release may send it, and is no liar (section 12, Messages).
        if _of_unknown_kind(data):
            raise Refusal(Code.UNKNOWN_KIND)
        message = decode(data, Message)  # type: ignore[arg-type]
    if len(data) <= REMEMBERED_BYTES:
        _memo.keep(data, message)
    assert message is not None
    return message


def _of_unknown_kind(data: bytes) -> bool:
    """Whether it begins as messages do, an array whose first element is a tag, and the tag is none of today's."""
    return len(data) > 1 and data[0] >> 4 == _ARRAY and 0 < data[1] <= MAX_TAG and data[1] not in _TAGS
