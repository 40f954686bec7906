"""A node under all that strangers can put on it at once: it answers, and keeps within its memory."""

from __future__ import annotations

import secrets
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from fuzz.node import MAX_RSS_MIB, rss_mib
from lucid.services.devnet import SERVICES, Devnet, DevNode

HEALTH_S = 1.0
IDLE, SLOW_BODIES, CALLERS, SLOW_READERS = 2_000, 200, 8, 60
RECEIPT = b"{" + b",".join(b'"%x":1' % number for number in range(50_000)) + b"}"
"""The dearest thing that anyone may have looked at: as many keys as its size allows."""


def watched(node: DevNode, stop: threading.Event, figures: dict[str, tuple[float, int]]) -> None:
    """Keep asking every service for its health, and note the longest answer and the most memory."""
    with httpx.Client(timeout=10.0, trust_env=False) as client:
        while not stop.is_set():
            for service in SERVICES:
                began = time.monotonic()
                assert client.get(f"{node.url(service)}/health").status_code in (200, 503)
                took = time.monotonic() - began
                longest, most = figures.get(service, (0.0, 0))
                figures[service] = max(longest, took), max(most, rss_mib(node, service))
            time.sleep(0.05)


@pytest.fixture
def figures(lone: Devnet) -> Iterator[dict[str, tuple[float, int]]]:
    """What is seen of the services' health meanwhile; judged at the end."""
    stop, found = threading.Event(), dict[str, tuple[float, int]]()
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watched, lone.nodes[0], stop, found)
        try:
            yield found
        finally:
            stop.set()
        watching.result()
    print(found)
    for service, (longest, most) in found.items():
        assert longest < HEALTH_S, f"the {service} answered after {longest:.2f} s"
        assert most <= MAX_RSS_MIB, f"the {service} held {most} MiB"


def opened(port: int, data: bytes = b"", receive: int | None = None) -> socket.socket:
    """A connection on which `data` was sent."""
    connection = socket.socket()
    if receive is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    connection.settimeout(10.0)
    connection.connect(("127.0.0.1", port))
    connection.sendall(data)
    return connection


def test_idle_sockets_slow_bodies_and_dear_requests(lone: Devnet, figures: dict[str, tuple[float, int]]) -> None:
    node = lone.nodes[0]
    port = node.ports["anchoring"]
    body = b"POST /verify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{"
    with ExitStack() as stack, ThreadPoolExecutor(CALLERS) as pool:
        for _ in range(IDLE):
            stack.enter_context(opened(port))
        for _ in range(SLOW_BODIES):
            stack.enter_context(opened(port, body))
        url = f"{node.url('anchoring')}/verify"
        answers = pool.map(lambda _: httpx.post(url, content=RECEIPT, timeout=60.0), range(CALLERS))
        codes = [answer.status_code for answer in answers]
    assert set(codes) <= {200, 503} and 200 in codes, codes


def test_slow_readers_of_large_chunks(lone: Devnet, figures: dict[str, tuple[float, int]]) -> None:
    node = lone.nodes[0]
    data = secrets.token_bytes(16 << 20)
    stored = httpx.post(f"{node.url('data')}/store-data?session={uuid.uuid4()}", content=data, timeout=30.0)
    request = f"GET /chunks/{stored.json()['id']} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with ExitStack() as stack:
        readers = [stack.enter_context(opened(node.ports["data"], request, 4_096)) for _ in range(SLOW_READERS)]
        for _ in range(10):
            time.sleep(0.3)
            heads = [reader.recv(512) for reader in readers]
        assert all(heads)
    assert httpx.get(f"{node.url('data')}/ready").status_code == 200


def test_a_download_that_is_paused_goes_on(lone: Devnet) -> None:
    node = lone.nodes[0]
    data = secrets.token_bytes(16 << 20)
    stored = httpx.post(f"{node.url('data')}/store-data?session={uuid.uuid4()}", content=data, timeout=30.0)
    request = f"GET /chunks/{stored.json()['id']} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    with opened(node.ports["data"], request, 4_096) as reader:
        time.sleep(8)
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        got = bytearray()
        while part := reader.recv(1 << 20):
            got += part
    assert got.endswith(data)
