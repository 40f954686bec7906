"""How many copies of a session the chain knows of, by what nodes said last that they hold (protocol section 8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lucid.chain.codec import decode
from lucid.chain.transactions import Ranges
from lucid.ledger.rows import HoldingEntry, SessionEntry, anchored_key, holding_key
from lucid.ledger.state import Ledger


class SessionReplicas(NamedTuple):
    """An anchored session: each of its `chunks` is at `copies` nodes or more, and should be at `wanted`.

    `holders` are the registered nodes that said they hold some of it, and how many chunks each; retired ones count no
    more.
    """

    chunks: int
    root: bytes
    copies: int
    wanted: int
    holders: tuple[tuple[bytes, int], ...]

    @property
    def replicated(self) -> bool:
        """Whether every chunk has all the copies that it should have, which are more than one."""
        return self.copies >= self.wanted > 1


def session_replicas(ledger: Ledger, session: bytes, owner: bytes) -> SessionReplicas | None:
    """What a ledger knows of a session's copies; None if it is not anchored."""
    row = ledger.row(anchored_key(session, owner))
    if row is None:
        return None
    entry, core = decode(row, SessionEntry), ledger.core
    # A retired node's copy does not count (section 8): nobody sees any more whether it is there.
    members = [member.key for member in core.roster.members if not member.retired]
    held = {node: ranges for node in members if (ranges := held_ranges(ledger, session, owner, node))}
    return SessionReplicas(
        chunks=entry.chunks,
        root=entry.root,
        copies=fewest_copies(held.values(), entry.chunks),
        wanted=min(core.rules.replication_factor, len(members)),
        holders=tuple((node, sum(count for _, count in ranges)) for node, ranges in held.items()),
    )


def held_ranges(ledger: Ledger, session: bytes, owner: bytes, node: bytes) -> Ranges:
    """The chunks of a session that a node said last that it holds."""
    row = ledger.row(holding_key(session, owner, node))
    return () if row is None else decode(row, HoldingEntry).ranges


def fewest_copies(held: Iterable[Ranges], chunks: int) -> int:
    """How many nodes hold the chunk that fewest hold, where each of `held` is what one of them does."""
    changes: dict[int, int] = {}
    for ranges in held:
        for first, count in ranges:
            changes[first] = changes.get(first, 0) + 1
            changes[first + count] = changes.get(first + count, 0) - 1
    # Chunk 0 is at nobody: a session has as many copies as the chunk that fewest hold.
    if not changes or min(changes) > 0:
        return 0
    fewest, copies = 2**53, 0
    for place in sorted(changes):
        copies += changes[place]
        if place < chunks:
            fewest = min(fewest, copies)
    return fewest
