"""How the link of a node's engine to its manager begins: the engine opens it and says who it is, and of which release.

A manager of another chain or key closes it; one of another release tells the engine why.
"""

from __future__ import annotations

import msgspec

from lucid.chain.codec import Record, decode
from lucid.chain.errors import Code, Refusal
from lucid.chain.fields import Natural
from lucid.services.peer.dialing import ConnectionLost

LINK_VERSION = 3
"""Of what engine and manager say to each other. 1: views came without the rules in force, greetings without a
version. 2: views came without the administrators."""


class Greeting(Record):
    """Who opens the link: chain id and node id, 32 bytes each, and the version of the link that it speaks."""

    chain: bytes
    key: bytes
    version: Natural = LINK_VERSION


class _AnyGreeting(msgspec.Struct, array_like=True):
    """What the greetings of all releases begin with."""

    chain: bytes
    key: bytes
    version: int = 1


def read_greeting(data: bytes) -> Greeting:
    """The greeting of an engine. Raises `LinkVersion` for one of another release, and `Refusal` for what is none."""
    try:
        begins = msgspec.msgpack.decode(data, type=_AnyGreeting)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, OverflowError) as error:
        raise Refusal(Code.MALFORMED, str(error)) from None
    if begins.version != LINK_VERSION:
        raise LinkVersion(
            f"the engine speaks version {begins.version} of their link, this manager version {LINK_VERSION}: "
            "run both from one release"
        )
    return decode(data, Greeting)


class LinkVersion(ConnectionLost):
    """Engine and manager are of releases that cannot talk with each other."""
