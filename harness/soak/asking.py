"""What a devnet's nodes are asked, and what they answer; one that is silent is no error."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import httpx

from lucid.services.devnode import SERVICES, DevNode

_TOLD = (
    ("manager", "/chain", ("height", "epoch", "view", "age_ms", "peers_connected")),
    ("engine", "/consensus/status", ("connected", "epoch", "view", "timeout_ms")),
    *((service, "/health", ("status", "reasons")) for service in SERVICES),
)
"""What each node is asked when something went wrong."""


def standing(node: DevNode) -> dict[str, object]:
    """What a node says of itself and of the chain, for whoever has to explain why something went wrong."""
    found: dict[str, object] = {}
    with httpx.Client(timeout=2, trust_env=False) as client:
        for service, path, keys in _TOLD:
            try:
                answer = client.get(f"{node.url(service)}{path}").json()
            except (httpx.HTTPError, ValueError):
                found[service + path] = "silent"
            else:
                found[service + path] = {key: answer.get(key) for key in keys}
    return found


def ready(client: httpx.Client, node: DevNode, service: str) -> bool:
    """Whether a service has started; True for one that has ended, which waits for nothing."""
    if node.processes[service].poll() is not None:
        return True
    with suppress(httpx.HTTPError):
        return client.get(f"{node.url(service)}/ready").status_code == 200
    return False


def health(client: httpx.Client, node: DevNode, service: str) -> str:
    """What a service says of itself; `silent` where it does not answer in time."""
    try:
        return str(client.get(f"{node.url(service)}/health").json()["status"])
    except (httpx.HTTPError, ValueError, KeyError):
        return "silent"


def states(client: httpx.Client, node: DevNode, service: str) -> list[str]:
    """The states that a service names."""
    with suppress(httpx.HTTPError, ValueError):
        return [str(each["state"]) for each in client.get(f"{node.url(service)}/health").json().get("conditions", [])]
    return []


def reasons(client: httpx.Client, node: DevNode, service: str) -> object:
    """Why it is unwell."""
    try:
        return client.get(f"{node.url(service)}/health").json().get("reasons", [])
    except (httpx.HTTPError, ValueError):
        return "silent"


def height(client: httpx.Client, node: DevNode) -> int | None:
    """Height of the last final block that a node shows; None where it does not answer."""
    with suppress(httpx.HTTPError, ValueError, KeyError, IndexError):
        return int(client.get(f"{node.url('manager')}/blocks?limit=1").json()["blocks"][0]["height"])
    return None


def is_final(client: httpx.Client, node: DevNode, session: str) -> bool:
    """Whether a node says that a session is final."""
    with suppress(httpx.HTTPError, ValueError, KeyError):
        answer = client.get(f"{node.url('anchoring')}/sessions/{session}").json()
        return bool(answer["status"] == "final")
    return False


def chunk_files(node: DevNode) -> set[Path]:
    """The chunk files of a node."""
    return {path for path in (node.folder / "chunks").glob("??/*") if path.is_file()}
