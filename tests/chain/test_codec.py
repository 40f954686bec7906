"""The codec: published encodings, one encoding a value, and nothing but a refusal for any other bytes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from lucid.chain.certificates import Certificate
from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.chain.parameters import Parameters
from lucid.chain.votes import NOTARIZE, Vote
from lucid.ledger.rows import SessionEntry
from lucid.poot.credits import SlotWork
from tests.builders import Chain
from tests.messagepack import pack
from tests.strategies import values

# The "Formats" section of https://github.com/msgpack/msgpack/blob/master/spec.md at the ends of each format's range.
INTS = [
    (0, "00"),
    (127, "7f"),
    (128, "cc80"),
    (255, "ccff"),
    (256, "cd0100"),
    (65_535, "cdffff"),
    (65_536, "ce00010000"),
    (2**32 - 1, "ceffffffff"),
    (2**32, "cf0000000100000000"),
    (2**53, "cf0020000000000000"),
    (2**64 - 1, "cfffffffffffffffff"),
    (-1, "ff"),
    (-32, "e0"),
    (-33, "d0df"),
    (-128, "d080"),
    (-129, "d1ff7f"),
    (-32_768, "d18000"),
    (-32_769, "d2ffff7fff"),
    (-(2**31), "d280000000"),
    (-(2**31) - 1, "d3ffffffff7fffffff"),
    (-(2**63), "d38000000000000000"),
]
# What precedes so many bytes, bytes of text, and items.
BYTES = [(0, "c400"), (1, "c401"), (255, "c4ff"), (256, "c50100"), (65_535, "c5ffff"), (65_536, "c600010000")]
TEXTS = [
    (0, "a0"), (1, "a1"), (31, "bf"), (32, "d920"), (255, "d9ff"),
    (256, "da0100"), (65_535, "daffff"), (65_536, "db00010000"),
]  # fmt: skip
ITEMS = [(0, "90"), (1, "91"), (15, "9f"), (16, "dc0010"), (65_535, "dcffff"), (65_536, "dd00010000")]

# Other encodings of the same values, which the specification lets a reader accept.
LONGER = [
    (int, "cc00", "zero as uint 8"),
    (int, "cc7f", "127 as uint 8"),
    (int, "cd0001", "1 as uint 16"),
    (int, "cd00ff", "255 as uint 16"),
    (int, "ce0000ffff", "65535 as uint 32"),
    (int, "cf00000000ffffffff", "2**32 - 1 as uint 64"),
    (int, "d000", "zero as int 8"),
    (int, "d07f", "127 as int 8"),
    (int, "d1007f", "127 as int 16"),
    (int, "d100ff", "255 as int 16"),
    (int, "d0e0", "-32 as int 8"),
    (int, "d1ff80", "-128 as int 16"),
    (int, "d2ffff8000", "-32768 as int 32"),
    (int, "d3ffffffff80000000", "-2**31 as int 64"),
    (bytes, "c5000161", "one byte as bin 16"),
    (bytes, "c60000000161", "one byte as bin 32"),
    (str, "d90161", "one letter as str 8"),
    (str, "da000161", "one letter as str 16"),
    (str, "db0000000161", "one letter as str 32"),
    (tuple[int, ...], "dc000105", "one item as array 16"),
    (tuple[int, ...], "dd0000000105", "one item as array 32"),
    (tuple[tuple[int, ...], int], "9291cc0105", "a longer int deep inside"),
]


class Pair(Record):
    """A record with a field that may be left out."""

    first: int
    second: int = 7


class Nest(Record):
    """A record as deep as its bytes say."""

    inner: tuple[Nest, ...]


def refusal(data: bytes, kind: Any) -> Code | None:
    """The code that bytes are refused with; whatever is accepted must encode to the same bytes."""
    try:
        value = decode(data, kind)
    except Refusal as error:
        return error.code
    assert encode(value) == data
    assert type(value) is kind or not isinstance(kind, type)
    return None


def make_samples() -> dict[Any, Any]:
    """One value of each kind; every list in it holds something."""
    chain = Chain()
    chain.grow(chain.anchor(), chain.register(5, 0))
    for _ in range(3):
        chain.grow()
    chain.grow(chain.heartbeat(0, 1, chain.hash), chain.commit(), chain.evidence(3), chain.retire(1, 1))
    block, core = chain.blocks[-1], chain.tip.core
    late = chain.vote(chain.node(3), NOTARIZE, chain.hash, 5)
    samples = (
        structs.replace(block, late_votes=(late,)), block.header, block.parent_certificate, block.transactions[0], late,
        chain.genesis, core.head, core.tally, core.roster, core.schedule,
        SessionEntry(3, bytes(32), bytes(32), 5, 6), SlotWork((1, 2), (0, 1)),
    )  # fmt: skip
    return {type(value): value for value in samples}


SAMPLES = make_samples()
KINDS = list(SAMPLES)


@pytest.mark.parametrize(("number", "encoding"), INTS)
def test_ints(number: int, encoding: str) -> None:
    assert encode(number).hex() == encoding
    assert decode(bytes.fromhex(encoding), int) == number


@pytest.mark.parametrize(("length", "head"), BYTES)
def test_bytes(length: int, head: str) -> None:
    value = (bytes(range(256)) * 257)[:length]
    assert encode(value) == bytes.fromhex(head) + value
    assert decode(bytes.fromhex(head) + value, bytes) == value


@pytest.mark.parametrize(("length", "head"), TEXTS)
def test_texts(length: int, head: str) -> None:
    value = "a" * length
    assert encode(value) == bytes.fromhex(head) + value.encode()
    assert decode(bytes.fromhex(head) + value.encode(), str) == value


def test_a_text_is_measured_in_bytes() -> None:
    assert encode("ß" * 16) == bytes.fromhex("d920") + "ß".encode() * 16


@pytest.mark.parametrize(("count", "head"), ITEMS)
def test_arrays(count: int, head: str) -> None:
    value = (5,) * count
    assert encode(value) == bytes.fromhex(head) + b"\x05" * count
    assert decode(bytes.fromhex(head) + b"\x05" * count, tuple[int, ...]) == value


def test_nothing_is_nil() -> None:
    assert encode(None) == b"\xc0"
    assert decode(b"\xc0", Certificate | None) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "encoding", "name"), LONGER, ids=[name for *_, name in LONGER])
def test_a_longer_encoding_is_not_canonical(kind: Any, encoding: str, name: str) -> None:
    assert refusal(bytes.fromhex(encoding), kind) is Code.NOT_CANONICAL


@pytest.mark.slow
@settings(max_examples=300)
@given(value=st.one_of([values(kind) for kind in KINDS]))
def test_values_encode_as_the_specification_says_and_come_back(value: Any) -> None:
    encoding = encode(value)
    assert encoding == pack(value)
    again = decode(encoding, type(value))
    assert again == value and type(again) is type(value)


@pytest.mark.parametrize("kind", KINDS)
def test_the_encoding_cut_anywhere_is_malformed(kind: Any) -> None:
    encoding = encode(SAMPLES[kind])
    assert refusal(encoding, kind) is None
    for length in range(len(encoding)):
        assert refusal(encoding[:length], kind) is Code.MALFORMED, length


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tail", ["00", "c0", "90", "ff", "c1"])
def test_bytes_after_the_value_are_malformed(kind: Any, tail: str) -> None:
    assert refusal(encode(SAMPLES[kind]) + bytes.fromhex(tail), kind) is Code.MALFORMED


@given(kind=st.sampled_from([*KINDS, int, bytes, str, tuple[int, ...], Nest]), data=st.binary(max_size=200))
def test_any_bytes_are_canonical_or_refused(kind: Any, data: bytes) -> None:
    assert refusal(data, kind) in {None, Code.MALFORMED, Code.NOT_CANONICAL}


@settings(max_examples=400)
@given(kind=st.sampled_from(KINDS), data=st.data())
def test_an_encoding_changed_anywhere_is_another_value_or_refused(kind: Any, data: st.DataObject) -> None:
    value = SAMPLES[kind]
    encoding = bytearray(encode(value))
    start = data.draw(st.integers(0, len(encoding)))
    stop = data.draw(st.integers(start, min(len(encoding), start + 9)))
    encoding[start:stop] = data.draw(st.binary(max_size=9))
    code = refusal(bytes(encoding), kind)
    assert code in {None, Code.MALFORMED, Code.NOT_CANONICAL}
    if code is None and encoding != encode(value):
        assert decode(bytes(encoding), kind) != value


def test_too_many_and_too_few_items_are_malformed() -> None:
    vote = SAMPLES[Vote]
    fields = structs.astuple(vote)
    assert refusal(encode(fields), Vote) is None
    assert refusal(encode((*fields, 0)), Vote) is Code.MALFORMED
    assert refusal(encode(fields[:-1]), Vote) is Code.MALFORMED
    assert refusal(encode(((),)), tuple[tuple[int, int], ...]) is Code.MALFORMED
    assert refusal(encode(((1, 2, 3),)), tuple[tuple[int, int], ...]) is Code.MALFORMED


def test_a_field_with_a_default_may_not_be_left_out() -> None:
    assert refusal(encode((1, 7)), Pair) is None
    assert refusal(encode((1,)), Pair) is Code.NOT_CANONICAL
    assert refusal(encode((1, 7, 8)), Pair) is Code.MALFORMED
    assert refusal(encode((bytes(32), "name")), GenesisNode) is Code.NOT_CANONICAL
    assert refusal(encode(()), Parameters) is Code.NOT_CANONICAL


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        pytest.param(int, b"\xcb" + bytes(8), id="float for int"),
        pytest.param(int, b"\xc3", id="true for int"),
        pytest.param(int, b"\xc0", id="nil for int"),
        pytest.param(int, b"\xa15", id="text for int"),
        pytest.param(bytes, b"\xa15", id="text for bytes"),
        pytest.param(str, b"\xc415", id="bytes for text"),
        pytest.param(str, b"\xa2\xff\xff", id="text that is not UTF-8"),
        pytest.param(str, b"\xa3\xed\xa0\x80", id="text with half a surrogate pair"),
        pytest.param(str, b"\xa2\xc0\x80", id="text with an overlong zero"),
        pytest.param(Pair, b"\x82\xa5first\x01\xa6second\x07", id="map for record"),
        pytest.param(int, b"\xc1", id="the format that is never used"),
        pytest.param(int, b"\xd4\x05\x00", id="extension"),
        pytest.param(int, b"\xd6\xff\x00\x00\x00\x00", id="extension of a time"),
        pytest.param(int, b"", id="nothing"),
    ],
)
def test_wrong_types_are_malformed(kind: Any, data: bytes) -> None:
    assert refusal(data, kind) is Code.MALFORMED


@pytest.mark.parametrize("head", ["dcffff", "ddffffffff", "dd7fffffff", "c6ffffffff", "dbffffffff", "dfffffffff"])
@pytest.mark.parametrize("kind", [tuple[int, ...], tuple[tuple[int, int], ...], bytes, str, Genesis])
def test_a_length_that_is_not_there_costs_nothing(kind: Any, head: str) -> None:
    assert refusal(bytes.fromhex(head), kind) is Code.MALFORMED


def test_depth_is_refused_and_not_felt() -> None:
    """A record in a list in a record: odd counts of 0x91 before an empty list are whole."""
    assert refusal(b"\x91" * 3 + b"\x90", Nest) is None
    assert refusal(b"\x91" * 4 + b"\x90", Nest) is Code.MALFORMED
    assert refusal(b"\x91" * 1_000_001 + b"\x90", Nest) is Code.MALFORMED
    assert refusal(b"\x91" * 1_000_000, Nest) is Code.MALFORMED


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("epoch", [-1, 2**53 + 1, 2**64 - 1]),
        ("kind", [-1, 4]),
        ("block", [bytes(33)]),
        ("signer", [bytes(31), bytes(33)]),
        ("signature", [bytes(63), bytes(65)]),
    ],
)
def test_a_field_out_of_its_bounds_is_malformed(field: str, values: list[object]) -> None:
    for value in values:
        assert refusal(encode(structs.replace(SAMPLES[Vote], **{field: value})), Vote) is Code.MALFORMED


def test_a_refusal_says_where() -> None:
    with pytest.raises(Refusal, match=r"LUCID_ERR_1001.*\$\[1\]"):
        decode(encode((1, b"")), Pair)


def test_records_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Pair(1).first = 2  # type: ignore[misc]
