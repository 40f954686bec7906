"""A session's reference to a chunk, as the store has it: it keeps the chunk here."""

from __future__ import annotations

from lucid.chain.codec import Record, decode
from lucid.chain.errors import Code, LucidError
from lucid.storage.errors import StoreDamaged

REFERENCE_TABLE = "reference"


class Reference(Record):
    """A session's reference to a chunk: since when (ms since the Unix epoch, 0 where an older version made it), and the
    digest of the token under which it was stored (empty: under none)."""

    since_ms: int
    holder: bytes


def decode_reference(chunk: bytes, data: bytes) -> Reference:
    """A reference's row, which had no content once. Raises `StoreDamaged`."""
    try:
        return decode(data, Reference) if data else Reference(0, b"")
    except LucidError as error:
        raise StoreDamaged(f"a row cannot be read: {error}", REFERENCE_TABLE, chunk) from None


class NotHeld(LucidError):
    """A reference is that of another token."""

    def __init__(self) -> None:
        super().__init__(Code.NOT_YOURS, "it was stored under another token")
