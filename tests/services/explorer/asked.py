"""What a service of a devnet's node answers."""

from __future__ import annotations

from typing import Any

import httpx

from lucid.services.devnode import DevNode


def ask(node: DevNode, path: str, service: str = "manager", status: int = 200) -> Any:
    """What a service of a node answers."""
    found = httpx.get(node.url(service) + path, timeout=60)
    assert found.status_code == status, found.text
    return found.json()
