"""Fields that records have in common: natural numbers and keys, each within its bounds."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

KEY_BYTES = 32
"""Of a public key of Ed25519 (RFC 8032, 5.1.5), and of a hash (section 2)."""


Key = Annotated[bytes, Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]


MAX_NATURAL = 2**53
"""The largest number up to which a reader that knows only floats of 64 bits keeps each one apart (section 2,
natural)."""


Natural = Annotated[int, Meta(ge=0, le=MAX_NATURAL)]
"""From 0 on (section 2, natural): heights, views and times never lie before the first one."""
