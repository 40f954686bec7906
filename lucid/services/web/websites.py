"""Web pages of strangers, as the headers of a request that a browser sends for them give them away."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers


def same_site(headers: Headers) -> bool:
    """Whether a request that changes something is no other site's doing; only browsers say anything of sites."""
    if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return False
    origin = headers.get("Origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == headers.get("Host", "").lower()
    except ValueError:
        return False


def host_name(host: str) -> str:
    """The name in a Host header: a page whose name was pointed at this machine later still sends that name."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return host


def is_loopback(name: str) -> bool:
    """Whether a name means this machine; a client that is not a browser may send none."""
    if name in ("", "localhost") or name.endswith(".localhost"):
        return True
    address = _address(name)
    return address is not None and address.is_loopback


def is_public(name: str) -> bool:
    """Whether a name may be one that a stranger chose: it is neither an address nor a name of this network alone."""
    return "." in name and _address(name) is None


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
