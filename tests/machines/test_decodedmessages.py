"""Decoded messages that are remembered: few, small, sound, and never another answer than without them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.errors import Code
from lucid.machines import decodedmessages
from lucid.machines.decodedmessages import decode_message
from lucid.machines.messages import BlocksRequest, Message, Part, encode_message
from tests.machines.decoding import verdict


def held() -> list[dict[bytes, Message]]:
    """Both generations of what is remembered."""
    return [decodedmessages._memo.young, decodedmessages._memo.old]


def test_what_is_remembered_is_bounded_by_number() -> None:
    for number in range(3 * decodedmessages.REMEMBERED_MESSAGES):
        decode_message(encode_message(BlocksRequest(number, 1)))
        assert all(len(each) <= decodedmessages.REMEMBERED_MESSAGES for each in held())


def test_what_is_remembered_is_bounded_by_bytes() -> None:
    """A peer that floods with the largest messages that are remembered must not fill the memory of a Pi."""
    size = decodedmessages.REMEMBERED_BYTES - 64
    for number in range(600):
        decode_message(encode_message(Part(number, 0, 0, bytes(size))))
    for each in held():
        assert sum(map(len, each)) <= decodedmessages.REMEMBERED_TOTAL_BYTES


def test_large_messages_are_not_remembered() -> None:
    data = encode_message(Part(1, 2, 3, bytes(decodedmessages.REMEMBERED_BYTES)))
    assert decode_message(data) == decode_message(data)
    assert all(data not in each for each in held())


def test_refused_bytes_are_not_remembered() -> None:
    data = encode_message(BlocksRequest(1, 1)) + b"\x00"
    assert verdict(data) is Code.MALFORMED
    assert all(data not in each for each in held())


@given(st.lists(st.integers(0, 7), max_size=60))
def test_the_memo_never_changes_an_answer(order: list[int]) -> None:
    """With room for two messages, and so with all turns of the generations, every answer is what it is without one."""
    valid = [encode_message(BlocksRequest(number, 1)) for number in range(4)]
    data = valid + [each[:-1] + b"\xcc\x01" for each in valid]
    answers = [*(BlocksRequest(number, 1) for number in range(4)), *[Code.NOT_CANONICAL] * 4]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decodedmessages, "_memo", decodedmessages._Memo())
        patch.setattr(decodedmessages, "REMEMBERED_MESSAGES", 2)
        for each in order:
            assert verdict(data[each]) == answers[each]
            assert sum(map(len, held())) <= 4
