"""The load of chunks, as a scenario has it; a chunk is a size, no bytes."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from lucid.chain.chunks import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES
from lucid.chain.parameters import DAY_MS


class ChunkLoad(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The table `workload` of a scenario: a chunk every `chunk_every_ms` in the mean, of `least_bytes` to `most_bytes`,
    at any node; a read every `read_every_ms` (0: none). Each node reads all that it holds again every `scrub_ms`, and
    asks for `bytes_per_s` of each chunk that it fetches."""

    chunk_every_ms: Annotated[int, Meta(ge=1, le=DAY_MS)]
    least_bytes: Annotated[int, Meta(ge=MIN_CHUNK_BYTES, le=MAX_CHUNK_BYTES)] = 1 << 20
    most_bytes: Annotated[int, Meta(ge=MIN_CHUNK_BYTES, le=MAX_CHUNK_BYTES)] = 8 << 20
    most_chunks: Annotated[int, Meta(ge=1, le=1_000_000)] = 1_000
    read_every_ms: Annotated[int, Meta(ge=0, le=DAY_MS)] = 0
    scrub_ms: Annotated[int, Meta(ge=1_000, le=DAY_MS)] = 60_000
    bytes_per_s: Annotated[int, Meta(ge=1_024, le=1 << 30)] = 2 << 20
