"""HTTP/1.1 as no client should speak it, and what pretends to be it, against the four services of a node."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random

from fuzz.node import attacked, check
from fuzz.targets import Attempt
from lucid.services.devnode import SERVICES, DevNode

CHECK_EVERY = 20
WAIT_S = 0.15
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
ODD = [b"\xff", b"\x80", b"\x00", b"\r", b"\n", b"\t", b" ", b"\x0b", b"\x1b[2J", b"\xc3\xa9", b"\x7f", b"", b"%00"]

METHODS = [b"GET", b"POST", b"HEAD", b"DELETE", b"PUT", b"OPTIONS", b"TRACE", b"CONNECT", b"get", b"G\xffT", b"PRI"]
TARGETS = [
    *(b"/health", b"/", b"/metrics", b"/blocks?limit=2", b"/peers", b"/node/engine", b"/peer", b"/node/info", b"*"),
    *(b"/blocks/%ff%fe", b"/chunks/" + b"0" * 64, b"/sessions/x", b"http://[::1", b"//x/y", b"/%00", b"/\xff", b""),
    *(b"http://evil.example/health", b"evil.example:80", b"/blocks?limit=%F0%9F", b"/" + b"a" * 20_000, b"/..%2f..%2f"),
    *(b"/verify", b"/anchor-session", b"/transactions", b"/validate-block", b"/store-data?session=x"),
]
VERSIONS = [b"HTTP/1.1"] * 8 + [b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.\xff", b"HTTP/9.9", b"http/1.1", b""]
NAMES = [
    *(b"Host", b"Connection", b"Upgrade", b"Content-Length", b"Transfer-Encoding", b"Expect", b"Authorization"),
    *(b"X-Request-Id", b"Range", b"Accept", b"Cookie", b"Origin", b"Content-Type", b"HTTP2-Settings", b"Remote-Addr"),
    *(b"Sec-WebSocket-Key", b"Sec-WebSocket-Version", b"Sec-WebSocket-Extensions", b"Sec-WebSocket-Protocol"),
    *(b"X" * 5_000, b"a b", b"N\xff", b":path", b""),
]
VALUES = [
    *(
        b"x",
        b"127.0.0.1",
        b"a..b",
        b"[::1",
        b"xn--a",
        b"keep-alive, Upgrade",
        b"websocket",
        b"h2c",
        b"chunked",
        b"gzip, chunked",
        b"identity",
    ),
    *(b"0", b"5", b"-1", b"+5", b"99999999999999999999", b"5, 6", b"0x5", b"\xb2", b"100-continue", b"close"),
    *(b"AAAAAAAAAAAAAAAAAAAAAA==", b"13", b"12", b"permessage-deflate; client_max_window_bits", b"bytes=0-5,9-"),
    *(b"Bearer \xff\xfe", b"Bearer x", b"Basic \xe4", b"AAMAAABkAAQAAP__", b"application/json", b"a" * 30_000),
]
BODIES = [
    b"",
    b"hello",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"\xff\r\n",
    b"fffffffff\r\n",
    b"0\r\nX: \xff\r\n\r\n",
    b"{" * 3_000,
]
UPGRADES = [b"websocket", b"WebSocket", b"websocket, h2c", b"h2c", b"web\xffsocket", b"TLS/1.0", b"\xffwebsocket"]


def upgrade(random: Random) -> bytes:
    """A request for another protocol, right or nearly, with bytes behind it."""
    key = random.choice([b"AAAAAAAAAAAAAAAAAAAAAA==", b"short", b"\xff" * 24, b"", b"A" * 5_000])
    head = [
        b"GET " + random.choice([b"/node/engine", b"/peer", b"/health", b"/api/v1/peer", b"/none"]) + b" HTTP/1.1",
        b"Host: x",
        b"Upgrade: " + random.choice(UPGRADES),
        b"Connection: " + random.choice([b"Upgrade", b"upgrade, HTTP2-Settings", b"Upgrade, \xff", b"keep-alive"]),
        b"Sec-WebSocket-Key: " + key,
        b"Sec-WebSocket-Version: " + random.choice([b"13", b"13", b"12", b"\xff", b""]),
        *random.choice([[], [b"HTTP2-Settings: AAMAAABkAAQAAP__"], [b"HTTP2-Settings: !!"], [b"Content-Length: 5"]]),
        *random.choice(
            [[], [b"Sec-WebSocket-Extensions: " + random.choice(VALUES)], [b"Sec-WebSocket-Protocol: \xff"]]
        ),
    ]
    behind = [b"", PREFACE, b"\x82\x05hello", b"\x81\x01\xff", b"\xff" * 50, b"GET / HTTP/1.1\r\n\r\n", frames(random)]
    return b"\r\n".join(head) + b"\r\n\r\n" + random.choice(behind)


def frames(random: Random) -> bytes:
    """WebSocket frames, or nearly."""
    return b"".join(
        bytes([random.choice([0x82, 0x02, 0x80, 0x88, 0x89, 0x8A, 0xC2, 0xF2, random.randrange(256)])])
        + random.choice(
            [b"\x00", b"\x80abcd", b"\xfe\xff\xffabcd", b"\xff" + b"\xff" * 8, bytes([random.randrange(256)])]
        )
        + random.randbytes(random.randrange(20))
        for _ in range(random.randrange(1, 4))
    )


def request(random: Random) -> bytes:
    """A request of parts that fit more or less."""
    line = b" ".join([random.choice(METHODS), random.choice(TARGETS), random.choice(VERSIONS)])
    names = random.choices(NAMES, k=random.choice([0, 1, 2, 3, 5, 200]))
    headers = [name + random.choice([b": ", b":", b" : "]) + random.choice(VALUES) for name in names]
    end = random.choice([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"])
    return end.join([line, *headers, b"", b""]) + random.choice(BODIES)


def http2(random: Random) -> bytes:
    """The preface of HTTP/2, and frames or nearly."""
    settings = random.choice([b"", b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"])
    kind, length = random.randrange(12), random.choice([0, 5, 8, 100, 0xFFFFFF])
    frame = (
        length.to_bytes(3, "big")
        + bytes([kind, random.randrange(256)])
        + random.choice([bytes(4), b"\x00\x00\x00\x01"])
    )
    return PREFACE + settings + frame + random.randbytes(min(length, random.randrange(40)))


def noise(random: Random) -> bytes:
    """Anything at all."""
    return random.randbytes(random.randrange(2_000))


def spoiled(random: Random, data: bytes) -> bytes:
    """The same with some bytes put in, taken out or repeated."""
    for _ in range(random.choice([0, 0, 1, 2, 8])):
        at = random.randrange(len(data) + 1)
        data = random.choice([data[:at] + random.choice(ODD) + data[at:], data[:at] + data[at + 1 :], data[:at] * 2])
    return data[:200_000]


def case(random: Random) -> bytes:
    """One hostile input."""
    data = random.choice([request, request, upgrade, http2, noise])(random)
    if random.random() < 0.3:
        data += random.choice([request, upgrade, http2])(random)
    return spoiled(random, data)


def hand_in(address: tuple[str, int], random: Random) -> None:
    """Send a case in one piece or several, read a little, and go, politely or not."""
    data = case(random)
    with suppress(OSError), socket.create_connection(address, timeout=2.0) as connection:
        connection.settimeout(WAIT_S)
        cuts = sorted(random.randrange(len(data) + 1) for _ in range(random.choice([0, 0, 1, 3])))
        for first, last in zip([0, *cuts], [*cuts, len(data)], strict=True):
            connection.sendall(data[first:last])
        if random.random() < 0.2:
            connection.shutdown(socket.SHUT_WR)
        if random.random() < 0.8:
            connection.recv(65_536)
        if random.random() < 0.2:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


@contextmanager
def target() -> Iterator[Attempt]:
    """A node of its own."""
    with attacked() as node:
        yield against(node)


def against(node: DevNode) -> Attempt:
    """Every case goes to one of the node's services, and every few the service is looked at."""
    done = 0

    def attempt(random: Random) -> None:
        nonlocal done
        done += 1
        service = random.choice(SERVICES)
        hand_in(("127.0.0.1", node.ports[service]), random)
        status = node.processes[service].poll()
        assert status is None, f"the {service} ended with status {status}"
        if done % CHECK_EVERY == 0:
            check(node, service)

    return attempt
