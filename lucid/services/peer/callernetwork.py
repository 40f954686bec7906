"""Whom a caller's address is counted for, where callers are held to rates: one machine, or its network."""

from __future__ import annotations

import ipaddress


def network(address: str) -> str:
    """Whom an address is counted for: an IPv4 address, or the 64 bits of an IPv6 one that its network has.

    What is not an address is counted for itself.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = getattr(parsed, "ipv4_mapped", None)
    if mapped is not None:
        return str(mapped)
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))
