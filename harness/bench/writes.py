"""What a lone node's four services write to its card: per empty block, and per anchored session."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from harness.bench.row import Row, Say
from lucid.chain.manifests import sign_manifest
from lucid.poot.crypto import Edwards25519
from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES, DevNode

INTERVAL_MS = 1_000
WARM_BLOCKS = 3
BLOCKS = 50
"""Enough for each store's commit log to be filled and emptied once."""
WARM_SESSIONS = 8
"""By which each store has begun its commit log: 512 KiB, written once in the life of a process."""
SESSIONS = 40
WAIT_S = 120.0
GOAL_KIB = 32
KIB = 1024
BLOCKS_A_YEAR = 365 * 24 * 360
"""At one every 10 s."""
OWNER = bytes(range(32))


def bench_writes(say: Say) -> list[Row]:
    """`write_bytes` of each process, which counts whole pages of memory; checkpoints are in it as they come."""
    # Not in /tmp, which may be memory.
    with (
        TemporaryDirectory(prefix=".lucid-bench-", dir=Path.cwd()) as folder,
        Devnet(Path(folder), 1, INTERVAL_MS) as network,
        httpx.Client(timeout=10, trust_env=False) as client,
    ):
        return _measured(network, client, say)


def _measured(network: Devnet, client: httpx.Client, say: Say) -> list[Row]:
    [node] = network.nodes
    say(f"writes: {BLOCKS} empty blocks of a lone node")
    _await(client, node, WARM_BLOCKS)
    for _ in range(WARM_SESSIONS):
        _anchor(network, client)
    _await(client, node, _height(client, node) + WARM_BLOCKS)
    before, first = _written(node), _height(client, node)
    _await(client, node, first + BLOCKS)
    after, last = _written(node), _height(client, node)
    each = {service: (after[service] - before[service]) / (last - first) / KIB for service in SERVICES}
    quiet = sum(each.values())
    say(f"writes: {SESSIONS} sessions")
    before, first = after, last
    for _ in range(SESSIONS):
        _anchor(network, client)
        time.sleep(0.1)
    _await(client, node, _height(client, node) + 3)
    after, last = _written(node), _height(client, node)
    busy = (sum(after.values()) - sum(before.values())) / KIB - (last - first) * quiet
    return [
        Row("writes", "per empty block, all four services: KiB", quiet, f"at most {GOAL_KIB}", quiet <= GOAL_KIB),
        *(Row("writes", f"of these the {service}: KiB", count, "", None) for service, count in each.items()),
        Row("writes", "a year of empty blocks every 10 s: GB", quiet * KIB * BLOCKS_A_YEAR / 1e9, "", None),
        Row("writes", "per anchored session: KiB", busy / SESSIONS, "", None),
    ]


def _written(node: DevNode) -> dict[str, int]:
    found = {}
    for service, process in node.processes.items():
        lines = Path(f"/proc/{process.pid}/io").read_text(encoding="ascii").splitlines()
        found[service] = next(int(line.split()[1]) for line in lines if line.startswith("write_bytes:"))
    return found


def _height(client: httpx.Client, node: DevNode) -> int:
    blocks = client.get(f"{node.url('manager')}/blocks?limit=1").json()["blocks"]
    return int(blocks[0]["height"]) if blocks else 0


def _await(client: httpx.Client, node: DevNode, height: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while _height(client, node) < height:
        assert time.monotonic() < deadline, "no blocks"
        time.sleep(0.05)


def _anchor(network: Devnet, client: httpx.Client) -> None:
    fields = {
        "session": str(uuid.uuid4()),
        "started_ms": 1,
        "ended_ms": 2,
        "chunks": [{"index": 0, "size": 4096, "id": bytes(32).hex()}],
    }
    body = sign_manifest(fields, OWNER, network.genesis.chain_id, Edwards25519())
    url = f"{network.nodes[0].url('anchoring')}/anchor-session"
    answer = client.post(url, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 202, answer.text
