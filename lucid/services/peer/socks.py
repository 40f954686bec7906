"""Connections through a SOCKS5 proxy (RFC 1928, without authentication): the way to other nodes over Tor."""

from __future__ import annotations

import ipaddress

import trio

VERSION = 5
_REPLIES = {
    1: "general failure",
    2: "not allowed",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "timed out",
    7: "command not supported",
    8: "address type not supported",
}
_NAME, _IPV6 = 3, 4
_BOUND_BYTES = {1: 4, 4: 16}
"""How long the address in a reply is, by its type; a name says its length itself."""


async def open_through(stream: trio.abc.Stream, host: str, port: int) -> None:
    """Have the proxy at the other end of `stream` connect it to `host`, whose name the proxy looks up.

    Raises OSError for what the proxy refuses or says wrongly, UnicodeError for a host that is not a name.
    """
    await stream.send_all(bytes((VERSION, 1, 0)))
    chosen = await _exactly(stream, 2)
    if chosen[0] != VERSION:
        raise OSError("it does not speak SOCKS5")
    if chosen[1]:
        raise OSError("it wants authentication")
    await stream.send_all(bytes((VERSION, 1, 0)) + _target(host) + port.to_bytes(2, "big"))
    version, reply, _, kind = await _exactly(stream, 4)
    if version != VERSION:
        raise OSError("it does not speak SOCKS5")
    if reply:
        raise OSError(f"it cannot reach {host}: {_REPLIES.get(reply, f'reply {reply}')}")
    if kind not in (*_BOUND_BYTES, _NAME):
        raise OSError(f"it answers with an address of type {kind}")
    length = _BOUND_BYTES.get(kind) or (await _exactly(stream, 1))[0]
    await _exactly(stream, length + 2)


def _target(host: str) -> bytes:
    """The host as a request names it. Names stay names: what resolves them must be the proxy."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("idna")
    else:
        if address.version == 6:
            return bytes((_IPV6,)) + address.packed
        name = host.encode()
    if not 0 < len(name) < 256:
        raise OSError("the host's name is too long for a proxy")
    return bytes((_NAME, len(name))) + name


async def _exactly(stream: trio.abc.Stream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = await stream.receive_some(count - len(data))
        if not more:
            raise OSError("it closed the connection")
        data += more
    return data
