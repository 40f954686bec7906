"""JSON read strictly: each bound, by a document that breaks only it."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.jsons import changed
from lucid.chain import strictjson
from lucid.chain.errors import Code, Refusal
from lucid.chain.strictjson import MAX_DEPTH, MAX_MEMBERS, MAX_VALUES, PIECE, parse_object

LIMIT = 8 << 20


def nested(depth: int) -> bytes:
    """An object of that many levels."""
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


SPACED = [b"{" + b" " * PIECE + b"}", b'{"a": [' + b"\n" * PIECE + b'], "b" \t: {"c":1}' + b" " * PIECE + b"}"]


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
        nested(5_000),
        b"{" + b",".join(b'"%d":0' % number for number in range(MAX_MEMBERS + 1)) + b"}",
        b'{"a":[' + b" " * PIECE + b'{"b":1,"b":2}]}',
        b'{"a":1,' + b" " * PIECE + b'"a":1}',
        b'{"a":1' + b" " * PIECE,
        b'{"a":1' + b" " * PIECE + b"]",
        b'{"a"' + b" " * PIECE + b"1}",
        b'{"a":1,' + b" " * PIECE + b"}",
        b"{" + b" " * PIECE + b"a:1}",
        b'{"a":"\n' + b"x" * PIECE + b'"}',
        b'{"a":[' + b"1," * MAX_VALUES + b"1]}",
        b'{"a":"' + b"x" * LIMIT + b'"}',
    ],
)
def test_what_two_readers_could_take_differently_or_costs_too_much_is_refused(data: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        parse_object(data, LIMIT, Code.MANIFEST)
    assert caught.value.code is Code.MANIFEST


@pytest.mark.parametrize("data", [b"{}", b' {"a": [-1, null, true, "\\ud83d\\ude00"]}\n', nested(MAX_DEPTH), *SPACED])
def test_all_else_is_read(data: bytes) -> None:
    assert parse_object(data, LIMIT, Code.MANIFEST) == json.loads(data)


DOCUMENTS = st.dictionaries(
    st.text(max_size=8),
    st.recursive(
        st.none() | st.booleans() | st.integers(-strictjson.MAX_WHOLE, strictjson.MAX_WHOLE) | st.text(max_size=40),
        lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
        max_leaves=30,
    ),
    max_size=6,
)


def whole(data: bytes) -> object:
    """What the document is to Python's own reader, told the same rules."""
    return strictjson._Document("")._reader.decode(data.decode())


@pytest.mark.slow
@given(st.data(), DOCUMENTS, st.integers(20, 60), st.integers(0, 2**32))
@settings(max_examples=400)
def test_in_pieces_it_is_what_it_is_in_one(data: st.DataObject, document: object, piece: int, seed: int) -> None:
    indent = data.draw(st.sampled_from([None, 0, 3]))
    text = json.dumps(document, indent=indent, ensure_ascii=data.draw(st.booleans())).encode("utf-8", "surrogatepass")
    for each in (text, changed(Random(seed), document)):
        expected: object
        try:
            expected = whole(each)
        except (ValueError, RecursionError):
            expected = ValueError
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(strictjson, "PIECE", piece)
            found: object
            try:
                found = strictjson._Document(each.decode()).read()
            except (ValueError, RecursionError):
                found = ValueError
        assert found == expected or (expected is not ValueError and "nested deeper" in str(_refusal(each)))


def _refusal(data: bytes) -> Refusal | None:
    try:
        parse_object(data, LIMIT, Code.MANIFEST)
    except Refusal as refusal:
        return refusal
    return None


def test_bytes_that_are_no_text_are_told_in_plain_words() -> None:
    with pytest.raises(Refusal) as refused:
        parse_object(b'{"a": "\xaf"}', LIMIT, Code.MANIFEST)
    assert refused.value.detail == "it is not text: byte 7 is not UTF-8"
