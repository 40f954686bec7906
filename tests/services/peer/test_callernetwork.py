"""Whom an address is counted for: all that one network may call from are one caller."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from lucid.services.peer.callernetwork import network


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_one_caller_also_where_it_is_mapped(address: ipaddress.IPv4Address) -> None:
    assert network(str(address)) == network(f"::ffff:{address}") == str(address)


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_all_addresses_of_an_ipv6_network_are_one_caller(address: ipaddress.IPv6Address, other: int) -> None:
    if address.ipv4_mapped is None:
        same = ipaddress.IPv6Address(int(address) >> 64 << 64 | other)
        assert same.ipv4_mapped is not None or network(str(same)) == network(str(address))
        far = ipaddress.IPv6Address(int(address) ^ 1 << 64)
        assert network(str(far)) != network(str(address))


def test_a_zone_counts_for_nothing_and_what_is_no_address_for_itself() -> None:
    assert network("fe80::1%eth0") == network("fe80::2") == "fe80::/64"
    assert network("unix") == "unix" and network("") == ""
