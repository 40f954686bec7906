"""What an owner signs to have nodes let go of the chunks of a session (protocol section 8)."""

from __future__ import annotations

from lucid.chain.codec import encode
from lucid.chain.hashing import release_digest

MAX_AHEAD_MS = 24 * 3_600_000
"""How far ahead of a node's clock the end of a release may lie: a day (section 8, Data chain)."""


def release_message(chain_id: bytes, session: bytes, owner: bytes, until_ms: int) -> bytes:
    """The 32 bytes that the owner signs: nodes may let go of this session up to that time (ms since the Unix epoch)."""
    return release_digest(encode((chain_id, session, owner, until_ms)))
