"""Addresses of wallets and contracts: 34 letters that begin with T, or 41 and 40 hexadecimal digits."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.static.isolation.base58check import ALPHABET, decode
from smoke.static.regex import regex

_VERSION = 0x41
_LENGTH = 21

CONTRACTS = {
    "a614f803b6fd780986a42c78ec9c7f77e6ded13c": "USDT",
    "3487b63d30b5b2c87fb7ffa8bcfade38eaac1abe": "USDC",
    "891cdb91d149f23b1a45d9c5ca78a88d0cb44c18": "WTRX",
}
"""TRC20 contracts that are named in a finding, by the hexadecimal digits that follow the version byte."""

_LETTERS = f"[{ALPHABET}]"
# Not within a longer run of letters and digits: a slice of a hash is not an address.
_BASE58 = regex(rf"(?<![0-9A-Za-z])T{_LETTERS}{{33}}(?![0-9A-Za-z])")
_HEXADECIMAL = regex(rf"(?i)(?<![0-9a-z])(?:0x)?(?:41)?({'|'.join(CONTRACTS)})(?![0-9a-z])")


def addresses(text: str) -> Iterator[tuple[int, str, str]]:
    """Offset, text and description of each address. Hexadecimal has no checksum: only known contracts count."""
    for match in _BASE58.finditer(text):
        payload = decode(match[0])
        if payload is not None and len(payload) == _LENGTH and payload[0] == _VERSION:
            known = CONTRACTS.get(payload[1:].hex())
            yield match.start(), match[0], f"the TRC20 contract of {known}" if known else "a valid TRON address"
    for match in _HEXADECIMAL.finditer(text):
        yield match.start(), match[0], f"the TRC20 contract of {CONTRACTS[match[1].lower()]}"
