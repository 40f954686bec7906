"""Fields that records have in common, each within its bounds."""

from __future__ import annotations

import pytest

from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Refusal
from lucid.chain.fields import KEY_BYTES, MAX_NATURAL, Key, Natural


class Held(Record):
    """A record of both."""

    number: Natural
    key: Key


KEY = bytes(KEY_BYTES)


@pytest.mark.parametrize("number", [0, 1, MAX_NATURAL])
def test_what_is_within_the_bounds_is_read(number: int) -> None:
    assert decode(encode(Held(number, KEY)), Held) == Held(number, KEY)


@pytest.mark.parametrize(
    ("number", "key"), [(-1, KEY), (MAX_NATURAL + 1, KEY), (0, KEY[1:]), (0, KEY + b"x"), (0, b"")]
)
def test_what_is_not_is_refused(number: int, key: bytes) -> None:
    with pytest.raises(Refusal):
        decode(encode(Held(number, key)), Held)
