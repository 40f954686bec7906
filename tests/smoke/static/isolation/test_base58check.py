"""Base58 with a checksum: what is encoded is decoded, and nothing else is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smoke.static.isolation.base58check import ALPHABET, MAX_LETTERS, decode, encode


@given(st.binary(min_size=1, max_size=40))
def test_what_is_encoded_is_decoded(payload: bytes) -> None:
    assert decode(encode(payload)) == payload


@given(st.binary(min_size=1, max_size=25), st.integers(0, 30), st.sampled_from(ALPHABET))
def test_one_letter_changed_is_no_such_text(payload: bytes, place: int, letter: str) -> None:
    text = encode(payload)
    place %= len(text)
    changed = text[:place] + letter + text[place + 1 :]
    assert decode(changed) == (payload if changed == text else None)


def test_other_letters_nothing_and_too_much_are_refused() -> None:
    assert [decode(each) for each in ("", "0", "O", "l", "1", "1" * (MAX_LETTERS + 1))] == [None] * 6


def test_leading_zeros_are_ones() -> None:
    assert encode(b"\0\0a").startswith("11") and decode(encode(b"\0\0a")) == b"\0\0a"
