"""The chain of a node under test: made by the product's own commands, and asked over HTTP."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path

from harness.live.command import lucid
from smoke.live.node import Node


def make_chain(node: Node, api_token: str) -> None:
    """Make keys and a genesis of one node, and the settings of a client of it. Raises `LiveError`."""
    folder = node.folder
    key = lucid("keys", "new", str(folder / "node.key")).split()[0]
    lucid("keys", "new", str(folder / "owner.key"))
    lucid("genesis", "new", str(folder / "genesis.toml"), "--node", f"pi={key}")
    lines = [
        f"genesis = {json.dumps(str(folder / 'genesis.toml'))}",
        f'api_tokens = ["{api_token}"]',
        f'anchoring_url = "{node.url("anchoring")}"',
        f'data_url = "{node.url("data")}"',
    ]
    (folder / "client.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def interval_s(folder: Path) -> float:
    """Seconds between two blocks of the chain whose genesis is in a folder."""
    chain = tomllib.loads((folder / "genesis.toml").read_text(encoding="utf-8"))
    return float(chain.get("parameters", {}).get("block_interval_ms", 10_000)) / 1000


def height(node: Node) -> int:
    """Height of the manager's last final block; 0 before the first, and while nobody answers."""
    response = node.ask("manager", "/blocks?limit=1")
    blocks = [] if response is None or response.status_code != 200 else response.json()["blocks"]
    return int(blocks[0]["height"]) if blocks else 0


def await_block(node: Node, above: int, within_s: float) -> int:
    """The height once it is above another, or the last one seen when that does not come to be."""
    deadline = time.monotonic() + within_s
    while (now := height(node)) <= above and time.monotonic() < deadline:
        time.sleep(0.5)
    return now
