"""JSON read strictly: each bound, by a document that breaks only it."""

from __future__ import annotations

import json

import pytest

from lucid.chain.errors import Code, Refusal
from lucid.chain.strict import MAX_DEPTH, MAX_VALUES, parse_object

LIMIT = 8 << 20


def nested(depth: int) -> bytes:
    """An object of that many levels."""
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":1,"\\u0061":1}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":-Infinity}',
        b'{"a":9007199254740992}',
        b'{"a":' + b"1" * 5_000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"a":1}{}',
        b"\xef\xbb\xbf{}",
        nested(MAX_DEPTH + 1),
        b'{"a":[' + b"1," * MAX_VALUES + b"1]}",
        b'{"a":"' + b"x" * LIMIT + b'"}',
    ],
)
def test_what_two_readers_could_take_differently_or_costs_too_much_is_refused(data: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        parse_object(data, LIMIT, Code.MANIFEST)
    assert caught.value.code is Code.MANIFEST


@pytest.mark.parametrize("data", [b"{}", b' {"a": [-1, null, true, "\\ud83d\\ude00"]}\n', nested(MAX_DEPTH)])
def test_all_else_is_read(data: bytes) -> None:
    assert parse_object(data, LIMIT, Code.MANIFEST) == json.loads(data)
