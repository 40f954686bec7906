"""Addresses as settings write them: what cannot be dialed is named, with what to write."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.services.peer.addresses import Address, parse_address, peer_addresses, unusable_peer
from tests.services.peer.acquainted import KEYS

NODE = "ab" * 32


@pytest.mark.parametrize("url", ["tcp://127.0.0.1:8088", "tls://pi1.example:8088", "tcp://[::1]:1", "tcp://x.onion:80"])
def test_addresses_of_peers(url: str) -> None:
    assert unusable_peer(f"{NODE}@{url}") == ""
    assert parse_address(url, "tcp", "tls").secure == url.startswith("tls")


@pytest.mark.parametrize(
    ("peer", "why"),
    [
        (f"{NODE}@ws://127.0.0.1:8086", "WebSocket"),
        (f"{NODE}@wss://h", "WebSocket"),
        (f"{NODE}@http://h:1", "must start with tcp:// or tls://"),
        (f"{NODE}@tcp://h", "names no port"),
        (f"{NODE}@tcp://h:0", "names no port"),
        (f"{NODE}@tcp://h:65536", "out of range"),
        (f"{NODE}@tcp://:8088", "names no host"),
        (f"{NODE}@tcp://{'a' * 64}:8088", "looked up"),
        (f"{NODE[1:]}@tcp://h:1", "64 hexadecimal digits"),
        (f"{NODE.upper()}@tcp://h:1", "64 hexadecimal digits"),
        ("", "64 hexadecimal digits"),
    ],
)
def test_what_is_not_a_peer_is_told_what_to_write(peer: str, why: str) -> None:
    said = unusable_peer(peer)
    assert why in said and "NODE-ID@tcp://HOST:8088" in said


def test_addresses_are_those_of_the_setting() -> None:
    setting = (f"{KEYS[0].hex()}@tcp://a:1", f"{KEYS[1].hex()}@tls://b:2")
    assert peer_addresses(setting) == {KEYS[0]: "tcp://a:1", KEYS[1]: "tls://b:2"}


def test_an_address_is_shown_as_it_could_be_written() -> None:
    assert Address("::1", 8088, True).name == "[::1]:8088"
    assert Address("pi1", 8088, False).name == "pi1:8088"
    assert parse_address("http://pi1", "http", "https", (80, 443)) == Address("pi1", 80, False)
    assert parse_address("https://pi1", "http", "https", (80, 443)) == Address("pi1", 443, True)


@settings(max_examples=100)
@given(st.text(max_size=30) | st.from_regex(r"(tcp|tls)://[^/]{0,20}(:[0-9]{0,6})?", fullmatch=True))
def test_any_text_is_an_address_that_could_be_dialed_or_a_sentence(url: str) -> None:
    try:
        found = parse_address(url, "tcp", "tls")
    except ValueError as error:
        assert str(error)
    else:
        assert 0 < found.port < 65_536 and found.host.encode("idna")
