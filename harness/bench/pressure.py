"""`lucid bench services --only pressure`: a service answers, and anchors, with all on it that strangers can."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from harness.bench.row import Row, Say
from lucid.services.devnode import SERVICES, DevNode

IDLE, SLOW_BODIES, CALLERS = 2_000, 200, 8
RECEIPT = b"{" + b",".join(b'"%x":1' % number for number in range(50_000)) + b"}"
"""The dearest thing that anyone may have looked at: as many keys as its size allows."""
LEAST_S = 10.0
"""How long health is watched at least."""
ANSWER_S = 30.0
"""Callers, and those who ask for the health, wait so long."""
HEALTH_S = 1.0


def opened(port: int, data: bytes = b"", receive: int | None = None) -> socket.socket:
    """A connection on which `data` was sent; `receive` bytes are taken at once, if given."""
    connection = socket.socket()
    if receive is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    connection.settimeout(ANSWER_S)
    connection.connect(("127.0.0.1", port))
    connection.sendall(data)
    return connection


@contextmanager
def crowd(port: int) -> Iterator[list[int]]:
    """Idle sockets, slow bodies, and callers of `POST /verify` at an anchoring service; gives what these are answered,
    as it comes. Raises what a caller has met at the end."""
    body = b"POST /verify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{"
    statuses: list[int] = []
    over = threading.Event()

    def call() -> None:
        while not over.is_set():
            statuses.append(asked(port, "POST", "/verify", RECEIPT)[0])

    with ExitStack() as stack, ThreadPoolExecutor(CALLERS) as pool:
        for data in [b""] * IDLE + [body] * SLOW_BODIES:
            stack.enter_context(opened(port, data))
        callers = [pool.submit(call) for _ in range(CALLERS)]
        try:
            yield statuses
        finally:
            over.set()
        for caller in callers:
            caller.result()


def asked(port: int, method: str, path: str, body: bytes | None = None, token: str = "") -> tuple[int, bytes]:
    """The status and body that a request of its own connection gets."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {token}"} if token else {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def bench_pressure(node: DevNode, session: tuple[str, bytes], patience_s: float, say: Say) -> list[Row]:
    """Figures with the crowd at a node's anchoring service; `session` (id and manifest) is anchored meanwhile."""
    say(f"pressure: {IDLE} idle sockets, {SLOW_BODIES} slow bodies, {CALLERS} callers of POST /verify")
    port = node.ports["anchoring"]
    longest, anchored_s = 0.0, 0.0
    with crowd(port) as statuses:
        began = time.monotonic()
        status, _ = asked(port, "POST", "/anchor-session", session[1], node.token)
        final = False
        while time.monotonic() < began + LEAST_S or (not final and time.monotonic() < began + patience_s):
            for service in SERVICES:
                since = time.monotonic()
                asked(node.ports[service], "GET", "/health")
                longest = max(longest, time.monotonic() - since)
            if not final and asked(port, "GET", f"/sessions/{session[0]}/receipt", token=node.token)[0] == 200:
                final, anchored_s = True, time.monotonic() - began
            time.sleep(0.05)
    say(f"pressure: the callers got { ({each: statuses.count(each) for each in set(statuses)}) }, the anchor {status}")
    return [
        Row("pressure", "longest answer of /health: s", longest, f"at most {HEALTH_S:g}", longest <= HEALTH_S),
        Row("pressure", "POST to final receipt: s", anchored_s, f"at most {patience_s:g}", final),
    ]
