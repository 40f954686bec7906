"""Fields that records have in common: natural numbers and keys, each within its bounds."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

KEY_BYTES = 32


Key = Annotated[bytes, Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]


MAX_NATURAL = 2**53


Natural = Annotated[int, Meta(ge=0, le=MAX_NATURAL)]
