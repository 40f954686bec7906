"""A node under all that strangers can put on it at once: it answers, and keeps within its memory."""

from __future__ import annotations

import re
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
from harness.bench.pressure import ANSWER_S, crowd, opened
from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES, DevNode
from lucid.services.web.streams import STALLED_S
from tests.waiting import wait_until

SLOW_READERS = 60
VERIFIED = 8
SETTLE_S = 30.0


def watched(node: DevNode, stop: threading.Event, figures: dict[str, tuple[float, int]]) -> None:
    """Keep asking every service for its health, and note the longest answer and the most memory.

    How long it may take is for `lucid bench services --only pressure` to judge: here other tests run beside it.
    """
    with httpx.Client(timeout=ANSWER_S, trust_env=False) as client:
        while not stop.is_set():
            for service in SERVICES:
                began = time.monotonic()
                assert client.get(f"{node.url(service)}/health").status_code in (200, 503)
                took = time.monotonic() - began
                longest, most = figures.get(service, (0.0, 0))
                figures[service] = max(longest, took), max(most, rss_mib(node, service))
            time.sleep(0.05)


def settled(node: DevNode, service: str) -> bool:
    """Whether all connections but the one that asks are gone, and all memory is given back."""
    text = httpx.get(f"{node.url(service)}/metrics", timeout=ANSWER_S, trust_env=False).text
    found = dict(re.findall(r"^lucid_(connections|connections_failed|budget_bytes) (\S+)$", text, re.MULTILINE))
    return found["connections"] in ("1.0", "2.0") and found["connections_failed"] == found["budget_bytes"] == "0.0"


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
    print("longest answer in s, most memory in MiB:", found)
    for service, (_, most) in found.items():
        assert most <= MAX_RSS_MIB, f"the {service} held {most} MiB"


def test_idle_sockets_slow_bodies_and_dear_requests(lone: Devnet, figures: dict[str, tuple[float, int]]) -> None:
    node = lone.nodes[0]
    with crowd(node.ports["anchoring"]) as statuses:
        wait_until(lambda: len(statuses) >= VERIFIED and 200 in statuses, "all are answered", 2 * ANSWER_S)
    assert set(statuses) <= {200, 429, 503}, statuses
    wait_until(lambda: settled(node, "anchoring"), "nothing is held of what is over", SETTLE_S)


def test_slow_readers_of_large_chunks(lone: Devnet, figures: dict[str, tuple[float, int]]) -> None:
    node = lone.nodes[0]
    data = secrets.token_bytes(16 << 20)
    stored = httpx.post(f"{node.url('data')}/store-data?session={uuid.uuid4()}", content=data, timeout=30.0)
    request = f"GET /chunks/{stored.json()['id']} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with ExitStack() as stack:
        readers = [stack.enter_context(opened(node.ports["data"], request, 4_096)) for _ in range(SLOW_READERS)]
        began = time.monotonic()
        for _ in range(10):
            time.sleep(0.3)
            assert all(reader.recv(512) for reader in readers)
            if time.monotonic() - began > STALLED_S / 3:
                break  # on a busy machine they would be taken for such as have stopped
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
