"""SOCKS5: whatever the proxy answers is a connection or a sentence, and names are for the proxy to look up."""

from __future__ import annotations

import ipaddress

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import memory_stream_pair

from lucid.services.peer.addresses import Address
from lucid.services.peer.dialing import ConnectionLost, dial
from lucid.services.peer.socks import open_through
from tests.services.peer.answering import answering
from tests.services.peer.socks_proxy import socks_proxy

PROXIES = {
    "closes": b"",
    "wrong version": b"\x04\x00",
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "wants a password": b"\x05\x02",
    "accepts nothing": b"\x05\xff",
    "half an answer": b"\x05\x00\x05\x00",
    "another version in the answer": b"\x05\x00\x04\x00\x00\x01" + bytes(6),
    "a type that does not exist": b"\x05\x00\x05\x00\x00\x02" + bytes(6),
    "a refusal of no known number": b"\x05\x00\x05\xee\x00\x01" + bytes(6),
    "a refusal": b"\x05\x00\x05\x05\x00\x01" + bytes(6),
    "a name cut short": b"\x05\x00\x05\x00\x00\x03\xffabc",
}


@pytest.mark.parametrize("answer", PROXIES.values(), ids=PROXIES.keys())
async def test_whatever_a_proxy_answers_is_a_lost_connection(answer: bytes) -> None:
    async with answering(answer) as port:
        with trio.fail_after(60), pytest.raises(ConnectionLost, match="proxy"):
            await dial(Address("peer.onion", 80, False), proxy=f"127.0.0.1:{port}")


@pytest.mark.parametrize("host", ["a" * 300, "a..b", "é" * 80, "x" * 64])
async def test_names_that_no_proxy_takes_are_lost(host: str) -> None:
    async with answering(b"\x05\x00") as port:
        with trio.fail_after(60), pytest.raises(ConnectionLost):
            await dial(Address(host, 80, False), proxy=f"127.0.0.1:{port}")


@pytest.mark.parametrize("proxy", ["127.0.0.1:1", "no.such.host.invalid:1", "x:0", "127.0.0.1:99999", "127.0.0.1:x"])
async def test_a_proxy_that_is_not_there_is_a_lost_connection(proxy: str) -> None:
    with trio.fail_after(60), pytest.raises(ConnectionLost):
        await dial(Address("peer.onion", 80, False), proxy=proxy)


async def test_a_proxy_is_asked_for_the_name_and_names_what_it_refuses() -> None:
    async with socks_proxy(reply=5) as (address, asked):
        with pytest.raises(ConnectionLost, match=r"proxy .*: it cannot reach peer\.onion: connection refused"):
            await dial(Address("peer.onion", 80, False), proxy=address)
        assert asked == ["peer.onion:80"]


BOUND = st.one_of(
    st.binary(min_size=4, max_size=4).map(lambda address: b"\1" + address),
    st.binary(min_size=16, max_size=16).map(lambda address: b"\4" + address),
    st.binary(max_size=255).map(lambda name: b"\3" + bytes([len(name)]) + name),
)
"""Addresses as a reply has them."""
HOSTS = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
    st.from_regex(r"[a-z0-9]{1,50}\.onion", fullmatch=True),
)


@settings(max_examples=40)
@given(HOSTS, st.integers(1, 65_535), BOUND, st.binary(max_size=50), st.integers(1, 30))
def test_a_way_is_opened_whatever_the_pieces_and_what_comes_after_it_is_not_touched(
    host: str, port: int, bound: bytes, after: bytes, size: int
) -> None:
    async def main() -> None:
        ours, proxy = memory_stream_pair()
        said = b"\5\0" + b"\5\0\0" + bound + b"\0\0" + after

        async def answer() -> None:
            for start in range(0, len(said), size):
                await proxy.send_all(said[start : start + size])
                await trio.lowlevel.checkpoint()
            await proxy.send_eof()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer)
            await open_through(ours, host, port)
        rest = b"".join([bytes(part) async for part in ours])
        assert rest == after
        assert bytes(await proxy.receive_some()) == b"\5\1\0" + b"\5\1\0" + target(host) + port.to_bytes(2, "big")

    trio.run(main)


def target(host: str) -> bytes:
    """A host in a request: all but IPv6 as its name, which is for the proxy to look up."""
    if ":" in host:
        return b"\4" + ipaddress.ip_address(host).packed
    return b"\3" + bytes([len(host)]) + host.encode()


@settings(max_examples=50)
@given(st.binary(max_size=40), st.booleans())
def test_any_answer_is_a_way_or_an_error_of_the_system(answer: bytes, greeted: bool) -> None:
    async def main() -> None:
        ours, proxy = memory_stream_pair()
        await proxy.send_all(b"\5\0" * greeted + answer)
        await proxy.send_eof()
        try:
            await open_through(ours, "peer.onion", 80)
        except OSError as error:
            assert str(error)

    trio.run(main)
