"""Addresses as settings write them: `SCHEME://HOST:PORT`, and `NODE-ID@tcp://HOST:PORT` for other nodes."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from lucid.api.services import PEER_PORT

PLAIN, SECURE = "tcp", "tls"
"""The schemes of peers' addresses."""
_ID_DIGITS = 64


class Address(NamedTuple):
    """Where to connect to, and whether with TLS."""

    host: str
    port: int
    secure: bool

    @property
    def name(self) -> str:
        """HOST:PORT, as it is shown."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(url: str, plain: str, secure: str, default_port: tuple[int, int] | None = None) -> Address:
    """The address in `PLAIN://HOST:PORT` or `SECURE://HOST:PORT`; ports may be left out where there are defaults.

    Raises ValueError with what would be right.
    """
    parts = urlsplit(url)
    if parts.scheme not in (plain, secure):
        raise ValueError(f"it must start with {plain}:// or {secure}://")
    if not parts.hostname or parts.username is not None or not parts.hostname.isprintable():
        raise ValueError("it names no host")
    try:
        parts.hostname.encode("idna")
    except UnicodeError:
        raise ValueError("its host is not a name that could be looked up") from None
    port = parts.port  # raises ValueError itself
    if port is None and default_port is not None:
        port = default_port[parts.scheme == secure]
    if not port:
        raise ValueError("it names no port")
    return Address(parts.hostname, port, parts.scheme == secure)


def unusable_peer(peer: str) -> str:
    """Why a value of the setting `peers` cannot be used, with what would be right; empty if it can."""
    right = f"write NODE-ID@{PLAIN}://HOST:{PEER_PORT} (or {SECURE}:// where the peer has tls_cert)"
    identity, _, url = peer.partition("@")
    if len(identity) != _ID_DIGITS or not set(identity) <= set("0123456789abcdef"):
        return f"it must begin with the node's id, {_ID_DIGITS} hexadecimal digits: {right}"
    if url.startswith(("ws:", "wss:")):
        return f"nodes no longer talk over WebSocket but at a port of their own: {right}"
    try:
        parse_address(url, PLAIN, SECURE)
    except ValueError as error:
        return f"{error}: {right}"
    return ""


def peer_addresses(peers: tuple[str, ...]) -> dict[bytes, str]:
    """Node ids and addresses of the setting `peers`."""
    pairs = (peer.partition("@") for peer in peers)
    return {bytes.fromhex(node): address for node, _, address in pairs}
