"""A node whose disk is full: writes are refused, it survives, and nothing is lost."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from harness.live.chain import height
from harness.live.surviving import AWAY_S, CHUNK_BYTES, goes_on, put
from smoke.check import Check
from smoke.finding import Finding, Severity
from smoke.live.node import Node

DISK = Check(
    "live.disk",
    Severity.CRITICAL,
    "a full disk is reported, writes are refused, the node survives, and nothing is lost",
    "A full card takes what was accepted with it.",
    "Look at what a service does when a write finds no room.",
)
DISK_MB = 48


def fill_disk(node: Node, start_s: float, token: str) -> Iterator[Finding]:
    """Fill the disks of a node whose disks are small, and free them."""
    assert node.filling is not None, "its disks are small ones of its own"
    for service in node.services:
        node.start(service)
    node.await_health(node.services, "healthy", start_s)
    data = secrets.token_bytes(CHUNK_BYTES)
    held = put(node, token, data)
    for service in ("data", "manager"):
        node.filling(service, True)
    refused = put(node, token, secrets.token_bytes(CHUNK_BYTES))
    status = None if refused is None else refused.status_code
    if refused is not None and status == 507 and "code" in refused.text:
        yield DISK.passed("a chunk that finds no room is refused with 507 and a code", "data")
    else:
        yield DISK.fail(f"a chunk that finds no room is answered {status}", "data")
    node.await_health(["data", "manager"], "degraded", AWAY_S)
    yield DISK.passed("degraded, with the reason, while their disks are full")
    before = height(node)
    for service in ("data", "manager"):
        node.filling(service, False)
    # Room is noticed within a second or so: whoever is refused until then is told to try again.
    node.await_health(node.services, "healthy", start_s)
    again = put(node, token, data)
    got = None if held is None else node.ask("data", f"/chunks/{held.json()['id']}")
    if again is not None and again.status_code == 201 and got is not None and got.content == data:
        yield DISK.passed("healthy when there is room again, and what was stored before is there", "data")
    else:
        yield DISK.fail("what was stored before the disk was full is lost, or nothing can be stored after it", "data")
    yield goes_on(DISK, node, before, "healthy again after there was room")
