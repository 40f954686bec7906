"""What a node is asked when something was taken from it: whether it stores a chunk, and whether blocks go on."""

from __future__ import annotations

import secrets
from uuid import UUID

import httpx

from harness.live.chain import await_block
from smoke.check import Check
from smoke.finding import Finding
from smoke.live.node import Node

AWAY_S = 40.0
"""How long it may take until a service says what it lacks."""
BLOCK_S = 60.0
CHUNK_BYTES = 1 << 20


def goes_on(check: Check, node: Node, before: int, state: str) -> Finding:
    """Whether blocks come after what was done to a node."""
    after = await_block(node, before, BLOCK_S)
    if after > before:
        return check.passed(f"{state}, and blocks go on: {before}, then {after}")
    return check.fail(f"{state}, but no block came within {BLOCK_S:.0f} s (height {before})")


def put(node: Node, token: str, data: bytes) -> httpx.Response | None:
    """Store a chunk for some session; None without an answer."""
    session = UUID(int=secrets.randbits(128), version=4)
    headers = {"Authorization": f"Bearer {token}"}
    try:
        return node.send("POST", "data", f"/store-data?session={session}", content=data, headers=headers, timeout=30.0)
    except httpx.HTTPError:
        return None
