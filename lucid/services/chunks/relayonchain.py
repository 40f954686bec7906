"""What the chain knows of a session's relay, as the node's block manager says it (protocol section 5)."""

from __future__ import annotations

import msgspec

from lucid.chain.transactions import Ranges


class RelayOnChain(msgspec.Struct, frozen=True):
    """What the chain knows of a session's relay, as of the final block of this height: who it is (empty: nobody yet,
    and with `open` one may still be named); and what this node said at `said` that it holds, if that is `owed` a
    receipt still."""

    height: int
    relay: str
    open: bool
    said: int
    ranges: Ranges
    owed: bool
