"""Connections out: over TCP, through a SOCKS5 proxy, under TLS. Whatever goes wrong is one error, `ConnectionLost`.

The far end may be hostile and so may be its name: resolvers, TLS and parsers raise what they like about it, and none of
that may end the service that dialed.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import trio

from lucid.chain.printable import printable
from lucid.chain.reducederror import Reduced, reduced
from lucid.services.peer.addresses import Address
from lucid.services.peer.socks import open_through

OPEN_S = 10.0
"""How long a connection may take to open."""
MAX_TEXT = 300
_RESOLVERS = 4
"""Names looked up at once. A resolver that hangs keeps its thread, which must not be one that the machines step in."""
_resolving: trio.lowlevel.RunVar[trio.CapacityLimiter] = trio.lowlevel.RunVar("lucid_resolving")


class ConnectionLost(Exception):
    """A connection could not be opened or is over; the text says why, and fits a line of a log whatever came.

    `plain` says it for /health: no address, and nothing in the words of a library."""

    def __init__(self, text: str, plain: str = "") -> None:
        super().__init__(printable(text[:MAX_TEXT]))
        self.plain = plain or str(self)

    def __reduce__(self) -> Reduced:
        return reduced(self)


@contextmanager
def losing(what: str, plain: str = "the connection to it broke") -> Iterator[None]:
    """Raise `ConnectionLost` for everything that is raised within; only being cancelled stays what it is."""
    try:
        yield
    except ConnectionLost:
        raise
    except trio.TooSlowError:
        raise ConnectionLost(f"{what} does not answer", "it does not answer") from None
    except (OSError, trio.BrokenResourceError, trio.ClosedResourceError) as error:
        # trio says why a connection broke in the cause.
        said = str(error) or str(error.__cause__ or "") or "the connection broke"
        raise ConnectionLost(f"{what}: {said}", plain) from None
    except Exception as error:  # what libraries raise about what a stranger sent is not for us to list
        raise ConnectionLost(f"{what}: {type(error).__name__} {error}".rstrip(), plain) from None


async def dial(address: Address, trust: ssl.SSLContext | None = None, proxy: str | None = None) -> trio.abc.Stream:
    """A stream to `address`, through the SOCKS5 `proxy` at HOST:PORT if there is one, after the TLS handshake.

    Raises `ConnectionLost` when there is none within `OPEN_S`.
    """
    opened: trio.abc.Stream | None = None
    try:
        with losing(address.name, "it cannot be reached"), trio.fail_after(OPEN_S):
            opened = await (_direct(address) if proxy is None else _proxied(address, proxy))
            if address.secure:
                context = trust or ssl.create_default_context()
                opened = tls = trio.SSLStream(opened, context, server_hostname=address.host, https_compatible=True)
                await tls.do_handshake()
    except BaseException:
        if opened is not None:
            await trio.aclose_forcefully(opened)
        raise
    return opened


async def _direct(address: Address) -> trio.abc.Stream:
    """The first of the host's addresses that answers; each gets its share of the time."""
    found = await _resolve(address.host, address.port)
    last: OSError = OSError("the name has no address")
    for number, place in enumerate(found):
        left_s = trio.current_effective_deadline() - trio.current_time()
        try:
            with trio.fail_after(left_s / (len(found) - number)):
                return await trio.open_tcp_stream(place, address.port)
        except trio.TooSlowError:
            last = OSError(f"{place} does not answer")
        except OSError as error:
            last = OSError(f"{place}: {_reason(error)}")
    raise last


def _reason(error: BaseException) -> str:
    """What trio wraps: the system's own words."""
    cause: BaseException | None = error.__cause__
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    return getattr(cause, "strerror", None) or getattr(error, "strerror", None) or str(error)


async def _proxied(address: Address, proxy: str) -> trio.abc.Stream:
    with losing(f"the proxy {proxy}", "it cannot be reached: the proxy"):
        place, _, port = proxy.rpartition(":")
        stream = await _direct(Address(place.strip("[]"), int(port), False))
        try:
            await open_through(stream, address.host, address.port)
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        return stream


async def _resolve(host: str, port: int) -> list[str]:
    """A host's addresses, in the resolver's order."""
    try:
        limiter = _resolving.get()
    except LookupError:
        limiter = trio.CapacityLimiter(_RESOLVERS)
        _resolving.set(limiter)
    found = await trio.to_thread.run_sync(
        lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), abandon_on_cancel=True, limiter=limiter
    )
    return list(dict.fromkeys(str(place[0]) for *_, place in found))
