"""Wire messages: each comes back from its bytes, and whatever is not one canonical message is refused with a code."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple

from lucid.chain.closings import EpochClosing
from lucid.chain.codec import Record, encode
from lucid.chain.errors import Code
from lucid.chain.votes import NOTARIZE, PROPOSE
from lucid.machines.messages import (
    MAX_GOSSIP_TRANSACTIONS,
    MAX_MESSAGE_BYTES,
    MAX_PAGE_BLOCKS,
    MAX_PAGE_CERTIFICATES,
    MAX_STANDING_VOTES,
    Blocks,
    BlocksRequest,
    CertificateMessage,
    Certificates,
    CertificatesRequest,
    Message,
    Part,
    PartRequest,
    Proposal,
    SnapshotOffer,
    Standing,
    Transactions,
    VoteMessage,
    encode_message,
)
from tests.builders import Chain, digest
from tests.machines.decoding import verdict
from tests.machines.peers import tiny_genesis
from tests.messagepack import pack
from tests.strategies import values

KINDS: tuple[type[Any], ...] = get_args(Message)
MAX_NATURAL = 2**53


def samples() -> dict[str, Message]:
    """One message of each kind, as nodes send them."""
    chain = Chain(tiny_genesis())
    first = chain.grow(chain.anchor(), chain.commit(0, 1))
    late = chain.vote(chain.node(3), NOTARIZE, chain.hash, 1)
    second = chain.grow(chain.register(4, 0), chain.evidence(2), late_votes=[late])
    certificate = chain.certificate()
    assert certificate is not None
    vote = chain.vote(chain.node(1), PROPOSE, chain.hash, 2)
    closing = EpochClosing(encode(second.header), certificate, chain.tip.validators.keys)
    members: list[Message] = [
        Proposal(vote, second, certificate),
        VoteMessage(vote),
        CertificateMessage(certificate),
        Standing(0, 3, 1, (vote,), certificate),
        Transactions(first.transactions),
        BlocksRequest(7, 300),
        Blocks(7, (first, second), (certificate,)),
        CertificatesRequest(0, 200, 70_000),
        Certificates((certificate, certificate)),
        SnapshotOffer(7, (closing,), second, certificate, (digest("part"),)),
        PartRequest(7, MAX_NATURAL, 0),
        Part(7, 40, 0, b"rows" * 100),
    ]
    return {type(each).__name__: each for each in members}


SAMPLES = samples()
EACH = pytest.mark.parametrize("message", SAMPLES.values(), ids=SAMPLES)


def sound(data: bytes) -> Message | Code:
    """A verdict that is one of the few that there may be, and the same when the bytes come again."""
    first = verdict(data)
    if isinstance(first, Code):
        assert first in (Code.MALFORMED, Code.NOT_CANONICAL, Code.OVERSIZED, Code.UNKNOWN_KIND)
    else:
        assert encode_message(first) == data == pack(first)
        assert verdict(data[:-1]) is Code.MALFORMED
    assert verdict(bytes(bytearray(data))) == first
    return first


def test_there_is_a_sample_of_every_kind() -> None:
    assert set(SAMPLES) == {kind.__name__ for kind in KINDS}
    assert sorted(kind.__struct_config__.tag for kind in KINDS) == list(range(1, 13))


@EACH
def test_a_message_comes_back_from_its_bytes(message: Message) -> None:
    data = encode_message(message)
    assert data == pack(message)
    assert sound(data) == message
    assert data[1] == type(message).__struct_config__.tag, "drivers count messages by the byte of the tag"


def in_bounds(message: Message) -> bool:
    """Whether a message of arbitrary fields keeps the one list limit that such a message can exceed."""
    return not isinstance(message, Blocks) or len(message.certificates) <= 2


@settings(max_examples=40)
@given(st.sampled_from(KINDS).flatmap(values).filter(in_bounds))
def test_any_message_comes_back_from_its_bytes(message: Message) -> None:
    data = encode_message(message)
    assert data == pack(message)
    assert sound(data) == message


# -- mutations of valid encodings --------------------------------------------------------------------------------


@EACH
def test_truncation_at_every_byte_is_malformed(message: Message) -> None:
    data = encode_message(message)
    assert {verdict(data[:length]) for length in range(len(data))} == {Code.MALFORMED}


@EACH
@settings(max_examples=15)
@given(tail=st.binary(min_size=1, max_size=40))
def test_trailing_bytes_are_malformed(message: Message, tail: bytes) -> None:
    assert sound(encode_message(message) + tail) is Code.MALFORMED


@EACH
def test_any_flipped_bit_is_refused_or_makes_another_message(message: Message) -> None:
    data = bytearray(encode_message(message))
    # Of a large message, one bit of each byte.
    for place in range(0, 8 * len(data), 1 if len(data) < 1_000 else 7):
        data[place >> 3] ^= 1 << (place & 7)
        flipped = verdict(bytes(data))
        if isinstance(flipped, Code):
            of_the_tag = (Code.UNKNOWN_KIND,) if place >> 3 == 1 else ()
            assert flipped in (Code.MALFORMED, Code.NOT_CANONICAL, *of_the_tag)
        else:
            assert flipped != message
            assert encode_message(flipped) == data
        data[place >> 3] ^= 1 << (place & 7)


@EACH
@settings(max_examples=30)
@given(edit=st.data())
def test_spliced_bytes_are_refused_or_make_a_canonical_message(message: Message, edit: st.DataObject) -> None:
    data = encode_message(message)
    start = edit.draw(st.integers(0, len(data)))
    end = edit.draw(st.integers(start, min(len(data), start + 8)))
    sound(data[:start] + edit.draw(st.binary(max_size=12)) + data[end:])


@given(st.binary(max_size=200))
def test_noise_is_refused_or_a_canonical_message(data: bytes) -> None:
    sound(data)


@given(st.sampled_from(KINDS), st.binary(max_size=200))
def test_noise_behind_a_true_tag_is_refused_or_a_canonical_message(kind: type[Any], data: bytes) -> None:
    config = kind.__struct_config__
    sound(bytes([0x91 + len(kind.__struct_fields__), config.tag]) + data)


# -- other encodings of the same value ---------------------------------------------------------------------------


def longer_forms(value: object) -> Iterator[bytes]:
    """Encodings of a plain value, as nested tuples, in each of which one item takes more bytes than it needs."""
    match value:
        case int():
            wide = [bytes([0xCC + place]) + value.to_bytes(8, "big")[-size:] for place, size in enumerate((1, 2, 4, 8))]
        case bytes():
            wide = [head + value for head in heads(0xC4, (1, 2, 4), len(value))]
        case tuple():
            items = [pack(item) for item in value]
            wide = [head + b"".join(items) for head in heads(0xDC, (2, 4), len(value))]
            head = pack(value)[: len(pack(value)) - sum(map(len, items))]
            for place, item in enumerate(value):
                for form in longer_forms(item):
                    yield b"".join([head, *items[:place], form, *items[place + 1 :]])
        case _:
            wide = []
    yield from (form for form in wide if len(form) > len(pack(value)))


def heads(first: int, sizes: tuple[int, ...], length: int) -> list[bytes]:
    """Every way to say how long something is."""
    ways = [(first + place, size) for place, size in enumerate(sizes) if length < 1 << 8 * size]
    return [bytes([format_]) + length.to_bytes(size, "big") for format_, size in ways]


def plain(value: object) -> object:
    """A record as nested tuples with its tag."""
    if isinstance(value, Record):
        tag = type(value).__struct_config__.tag
        return (*(() if tag is None else (tag,)), *map(plain, astuple(value)))
    return tuple(map(plain, value)) if isinstance(value, tuple) else value


@EACH
def test_every_longer_form_of_an_item_is_not_canonical(message: Message) -> None:
    forms = set(longer_forms(plain(message)))
    assert len(forms) > 4
    assert {verdict(form) for form in forms} == {Code.NOT_CANONICAL}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0",
        b"\x90",
        b"\x91\x06",
        b"\x93\x00\x01\x00",  # tags that name nothing
        b"\x93\xff\x01\x00",
        b"\x93\xa1\x06\x01\x00",
        b"\x93\xcb" + struct.pack(">d", 6.0) + b"\x01\x00",
        b"\x93\x91\x06\x01\x00",
        b"\x93\x06\xc3\x00",  # true is not a number
        b"\x93\x06\xcb" + struct.pack(">d", 1.0) + b"\x00",
        b"\x93\x06\xca" + struct.pack(">f", float("nan")) + b"\x00",
        b"\x93\x06\xff\x00",
        b"\x93\x06\xd3" + (-1).to_bytes(8, "big", signed=True) + b"\x00",
        b"\x93\x06\xcf" + (MAX_NATURAL + 1).to_bytes(8, "big") + b"\x00",
        b"\x93\x06\xcf" + b"\xff" * 8 + b"\x00",
        b"\x94\x06\x01\x00\x00",  # a field too many
        b"\x82\x00\x06\x01\x00",  # a map for an array
        b"\xc1",  # never used
        b"\xd6\xff\x00\x00\x00\x00",  # a timestamp
        b"\xc7\x01\x01\x00",  # an extension
    ],
    ids=bytes.hex,
)
def test_wrong_tags_and_types_are_malformed(data: bytes) -> None:
    assert sound(data) is Code.MALFORMED


@pytest.mark.parametrize(
    "data",
    [
        b"\xdd\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff\x01",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
        b"\x92\x03\x96\x00\x01\x01\xc4\x00\xc4\x00\xdd\xff\xff\xff\xff",  # signatures of a certificate
        b"\x92\x09\xdd\xff\xff\xff\xff",  # certificates
        b"\x92\x05\xdd\xff\xff\xff\xff",  # transactions
        b"\x96\x04\x00\x00\x00\xdd\xff\xff\xff\xff",  # votes
        b"\x96\x0a\x00\xdd\xff\xff\xff\xff",  # closings
        b"\x95\x0c\x00\x00\x00\xc6\xff\xff\xff\xff",  # rows
    ],
    ids=bytes.hex,
)
def test_claimed_lengths_of_gigabytes_are_malformed_and_cost_nothing(data: bytes) -> None:
    assert sound(data) is Code.MALFORMED


@pytest.mark.parametrize("opening", [b"", b"\x92\x02", b"\x92\x09", b"\x94\x01"], ids=bytes.hex)
@pytest.mark.parametrize("nested", [b"\x91", b"\x81", b"\xdd\x00\x00\x00\x01"], ids=bytes.hex)
def test_deep_nesting_is_malformed(opening: bytes, nested: bytes) -> None:
    assert sound(opening + nested * 200_000) is Code.MALFORMED


# -- limits ------------------------------------------------------------------------------------------------------


def too_many() -> dict[str, tuple[Message, Message]]:
    """For each bounded field: a message that holds as much as it may, and one that holds one more."""
    vote, certificate = SAMPLES["VoteMessage"], SAMPLES["CertificateMessage"]
    assert isinstance(vote, VoteMessage) and isinstance(certificate, CertificateMessage)
    blocks, transactions = SAMPLES["Blocks"], SAMPLES["Transactions"]
    assert isinstance(blocks, Blocks) and isinstance(transactions, Transactions)
    one = transactions.transactions[:1]
    block = blocks.blocks[:1]
    c = certificate.certificate

    def pair(make: Callable[[int], Message], limit: int) -> tuple[Message, Message]:
        return make(limit), make(limit + 1)

    return {
        "votes": pair(lambda n: Standing(0, 1, 0, (vote.vote,) * n, None), MAX_STANDING_VOTES),
        "transactions": pair(lambda n: Transactions(one * n), MAX_GOSSIP_TRANSACTIONS),
        "blocks": pair(lambda n: Blocks(1, block * n, ()), MAX_PAGE_BLOCKS),
        "vouching": pair(lambda n: Blocks(1, (), (c,) * n), 2),
        "certificates": pair(lambda n: Certificates((c,) * n), MAX_PAGE_CERTIFICATES),
    }


@pytest.mark.parametrize(("full", "over"), too_many().values(), ids=too_many())
def test_lists_have_limits(full: Message, over: Message) -> None:
    assert sound(encode_message(full)) == full
    assert verdict(encode_message(over)) is Code.MALFORMED


def test_size_has_a_limit() -> None:
    frame = len(encode_message(Part(0, 0, 0, bytes(70_000))))
    full = encode_message(Part(0, 0, 0, bytes(MAX_MESSAGE_BYTES - frame + 70_000)))
    assert len(full) == MAX_MESSAGE_BYTES
    assert isinstance(verdict(full), Part)
    assert verdict(encode_message(Part(0, 0, 0, bytes(MAX_MESSAGE_BYTES - frame + 70_001)))) is Code.OVERSIZED
    assert verdict(b"\x91" * (MAX_MESSAGE_BYTES + 1)) is Code.OVERSIZED


def test_what_a_message_takes_in_memory_is_bounded_by_its_size() -> None:
    """Until it is decoded nothing of a message is judged, and a Pi that decodes 24 MiB needs some for other things."""
    chain = Chain(tiny_genesis())
    commit = chain.commit(0, 1, ranges=((0, 1),) * 200_000)
    data = encode_message(Transactions((chain.endorse(commit),)))
    tracemalloc.start()
    try:
        verdict(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * len(data)


@pytest.mark.parametrize("tag", [13, 17, 42, 63])
def test_a_kind_of_a_newer_release_is_told_from_damage(tag: int) -> None:
    for body in (b"", b"\x01", bytes(100), b"\xc1"):
        assert verdict(b"\x93" + bytes([tag]) + body) is Code.UNKNOWN_KIND
    assert verdict(b"\x93") is Code.MALFORMED
    assert verdict(b"\x93\x00\x01\x01") is Code.MALFORMED
    assert verdict(b"\x93\x40\x01\x01") is Code.MALFORMED
