"""Spellings of earlier releases in scenarios: they are still read, and never written."""

from __future__ import annotations

from typing import Any

CRYPTO = {"modelled": "modeled"}
LINKS = {"datacentre": "datacenter", "fibre": "fiber"}


def respelled(data: dict[str, Any]) -> dict[str, Any]:
    """A scenario's values as they are spelled today; whatever is no scenario's is left for others to refuse."""
    found = dict(data)
    if isinstance(crypto := found.get("crypto"), str):
        found["crypto"] = CRYPTO.get(crypto, crypto)
    if isinstance(links := found.get("links"), dict) and not any(LINKS.get(kind) in links for kind in links):
        found["links"] = {LINKS.get(kind, kind): nodes for kind, nodes in links.items()}
    return found
