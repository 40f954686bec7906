"""Base58 with a checksum, as wallet addresses are written."""

from __future__ import annotations

import hashlib

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {letter: value for value, letter in enumerate(ALPHABET)}
_CHECKSUM_BYTES = 4
MAX_LETTERS = 128
"""Longer text is not an address; decoding it would take time that grows with its square."""


def _checksum(payload: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:_CHECKSUM_BYTES]


def decode(text: str) -> bytes | None:
    """The payload (version byte included) of a Base58Check text; none when a letter or the checksum is wrong."""
    if not 0 < len(text) <= MAX_LETTERS:
        return None
    number = 0
    for letter in text:
        value = _VALUES.get(letter)
        if value is None:
            return None
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    data = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    payload, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    return payload if payload and _checksum(payload) == checksum else None


def encode(payload: bytes) -> str:
    """The Base58Check text of a payload (version byte included)."""
    data = payload + _checksum(payload)
    number = int.from_bytes(data, "big")
    letters = []
    while number:
        number, value = divmod(number, 58)
        letters.append(ALPHABET[value])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(letters))
