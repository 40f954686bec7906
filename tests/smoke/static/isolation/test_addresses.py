"""An address counts when its checksum is right; hexadecimal digits when they are a contract's."""

from __future__ import annotations

import pytest

from smoke.static.isolation.addresses import CONTRACTS, addresses
from smoke.static.isolation.base58check import MAX_LETTERS, decode, encode

PLAIN = encode(b"\x41" + bytes(range(20)))
USDT = encode(b"\x41" + bytes.fromhex(next(iter(CONTRACTS))))


@pytest.mark.parametrize("payload", [b"\x41" + bytes(20), b"\0\0\1", b"\x41" + b"\xff" * 20, b"x"])
def test_what_is_encoded_is_decoded(payload: bytes) -> None:
    assert decode(encode(payload)) == payload


@pytest.mark.parametrize("text", ["", "0OIl", PLAIN[:-1] + "1", "1", "1" * (MAX_LETTERS + 1), "z" * MAX_LETTERS])
def test_a_wrong_letter_length_or_checksum_is_no_payload(text: str) -> None:
    assert decode(text) is None


def test_valid_addresses_are_told_with_what_they_are() -> None:
    digits = next(iter(CONTRACTS))
    text = f"to {PLAIN}, {USDT} or 0x41{digits.upper()}"
    assert [(offset, what) for offset, _, what in addresses(text)] == [
        (3, "a valid TRON address"),
        (5 + len(PLAIN), "the TRC20 contract of USDT"),
        (9 + len(PLAIN) + len(USDT), "the TRC20 contract of USDT"),
    ]


def test_what_is_within_a_longer_run_or_another_coin_s_is_none() -> None:
    wrong = PLAIN[:-1] + ("1" if PLAIN[-1] != "1" else "2")
    other = encode(b"\x00" + bytes(20))
    assert list(addresses(f"{wrong} x{PLAIN} {PLAIN}x {other} {next(iter(CONTRACTS))}0")) == []
