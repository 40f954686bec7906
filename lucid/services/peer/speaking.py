"""What a node says of itself first on each connection: which messages it speaks, and which rules it knows.

It is an ordinary message, so a node of a release before there was one refuses it and talks on (protocol section 12).
"""

from __future__ import annotations

import msgspec

from lucid.chain.codec import encode
from lucid.chain.fields import Natural
from lucid.chain.versions import FIRST_RULES, RULES_KNOWN
from lucid.services.peer.dialing import ConnectionLost

OLDEST_MESSAGES = NEWEST_MESSAGES = 1
"""The versions of messages between nodes that this release speaks."""
TAG = 63
"""The last that a message may have, so that no other ever takes it."""
_BEGINS = 0x9
"""What a short array of MessagePack begins with."""


class Speaks(msgspec.Struct, frozen=True, array_like=True, tag=TAG):
    """The oldest and the newest version of messages that a node speaks, the newest rules of the chain that it knows,
    and the time by its clock (ms since the Unix epoch; 0 of a release that says none). What a later release says beyond
    that is left alone."""

    oldest: Natural
    newest: Natural
    rules: Natural
    time_ms: Natural = 0


UNSAID = Speaks(1, 1, FIRST_RULES)
"""What a node speaks that does not say: it is of a release before there was this message."""


def own() -> Speaks:
    """What this release speaks."""
    return Speaks(OLDEST_MESSAGES, NEWEST_MESSAGES, RULES_KNOWN)


def introduction(time_ms: int) -> bytes:
    """This node's first message."""
    return encode(msgspec.structs.replace(own(), time_ms=time_ms))


def is_introduction(data: bytes) -> bool:
    """Whether a message is the one that says what its sender speaks."""
    return len(data) > 1 and data[0] >> 4 == _BEGINS and data[1] == TAG


def read_introduction(data: bytes) -> Speaks:
    """What a peer says of itself. Raises `ConnectionLost` for what says nothing."""
    try:
        return msgspec.msgpack.decode(data, type=Speaks)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, OverflowError):
        raise ConnectionLost("the peer says of itself what cannot be read") from None


def common(ours: Speaks, theirs: Speaks) -> int:
    """The newest version of messages that both speak. Raises `ConnectionLost` naming both, if there is none."""
    newest = min(ours.newest, theirs.newest)
    if newest < max(ours.oldest, theirs.oldest):
        older = "the peer" if theirs.newest < ours.oldest else "this node"
        raise ConnectionLost(
            f"the peer speaks messages of {_range(theirs)}, this node of {_range(ours)}: upgrade {older}"
        )
    return newest


def _range(speaks: Speaks) -> str:
    if speaks.oldest == speaks.newest:
        return f"version {speaks.newest}"
    return f"versions {speaks.oldest} to {speaks.newest}"
