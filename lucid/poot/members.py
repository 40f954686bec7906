"""Members of a chain: the nodes ever registered, and the entity that leads for each (protocol section 4)."""

from __future__ import annotations

from lucid.chain.codec import Record


class Member(Record):
    """A registered node: `since` is its first slot (counted over all epochs); a retired one keeps its number."""

    key: bytes
    name: str
    pool: str
    since: int
    retired: bool

    @property
    def entity(self) -> bytes:
        """Who leads for this node: its pool, or itself."""
        return b"pool:" + self.pool.encode() if self.pool else self.key
