"""A row of a reference: as it was written, as an older release left it, or damage and nothing else."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.codec import encode
from lucid.chain.errors import Code
from lucid.services.chunks.reference import NotHeld, Reference, decode_reference
from lucid.storage.errors import StoreDamaged

CHUNK = b"\xab" * 32


@given(st.builds(Reference, since_ms=st.integers(0, 2**63), holder=st.binary(max_size=40)))
def test_a_row_says_what_was_written(reference: Reference) -> None:
    assert decode_reference(CHUNK, encode(reference)) == reference


def test_a_row_of_an_older_release_has_no_time_and_no_holder() -> None:
    assert decode_reference(CHUNK, b"") == Reference(since_ms=0, holder=b"")


@given(st.binary(min_size=1, max_size=12))
def test_other_bytes_are_damage(data: bytes) -> None:
    with suppress(StoreDamaged):
        assert encode(decode_reference(CHUNK, data)) == data


def test_damage_says_where_it_is() -> None:
    with pytest.raises(StoreDamaged, match="cannot be read") as caught:
        decode_reference(CHUNK, b"\xc1")
    assert caught.value.code is Code.STORE_DAMAGED
    assert "reference" in caught.value.sentence and CHUNK.hex() in caught.value.sentence


def test_who_may_not_is_told_so_by_code() -> None:
    assert NotHeld().code is Code.NOT_YOURS
