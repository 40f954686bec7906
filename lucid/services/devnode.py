"""A node of a devnet: its folder, its settings, its processes."""

from __future__ import annotations

import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from lucid.api.services import SERVICES as TABLE
from lucid.chain.ed25519 import ed25519_public_key
from lucid.services.peer.addresses import parse_address
from lucid.services.process.children import tied
from lucid.services.process.config import load_config
from lucid.services.process.keyfile import read_id, write_key
from lucid.services.process.ports import free_ports


class NodeStatus(NamedTuple):
    """What a node says of itself; None where it does not answer."""

    name: str
    health: dict[str, str | None]
    height: int | None
    hash: str | None
    peers: int | None


class DevNode:
    """One node of a devnet: its folder, ports and processes."""

    def __init__(self, folder: Path, name: str) -> None:
        """A new node, or the one that `folder` has the settings of. Raises `LucidError` where those cannot be used."""
        self.folder = folder
        self.name = name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.settings.exists():
            kept = load_config({}, self.settings)
            self.key, self.token, self.peer_port = read_id(kept.id_file), kept.token, kept.peer_port
            urls = {service: str(getattr(kept, f"{service}_url")) for service in SERVICES}
            self.ports = {service: parse_address(url, "http", "https").port for service, url in urls.items()}
        else:
            self.key = ed25519_public_key(write_key(folder / "node.key"))
            self.token = secrets.token_hex(16)
            *ports, self.peer_port = free_ports(len(SERVICES) + 1)
            self.ports = dict(zip(SERVICES, ports, strict=True))
        self.logs = folder
        """Where its services' logs are."""
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def settings(self) -> Path:
        """The file of the node's settings."""
        return self.folder / "node.toml"

    def url(self, service: str) -> str:
        """Where a service of this node answers."""
        return f"http://127.0.0.1:{self.ports[service]}"

    @property
    def store(self) -> str:
        """Its setting `store`; empty for what stands in its folder. Raises `LucidError`."""
        return load_config({}, self.settings).store

    @property
    def token_file(self) -> Path:
        """Where the node's token is, for this user alone."""
        return self.folder / "token"

    def ended(self) -> dict[str, int]:
        """The services whose processes have ended, and their exit statuses."""
        found = {service: process.poll() for service, process in self.processes.items()}
        return {service: status for service, status in found.items() if status is not None}

    def configure(self, genesis: Path, others: list[DevNode], journal: bool, store: str) -> None:
        """Write the node's settings."""
        peers = ", ".join(f'"{each.key.hex()}@tcp://127.0.0.1:{each.peer_port}"' for each in others)
        lines = [
            f'genesis = "{genesis}"',
            f'key = "{self.folder / "node.key"}"',
            f'data_dir = "{self.folder}"',
            f'token = "{self.token}"',
            f"peers = [{peers}]",
            'peer_bind = "127.0.0.1"',
            f"peer_port = {self.peer_port}",
            "requests_per_second = 10000",
            *(f'{service}_url = "{self.url(service)}"' for service in SERVICES),
        ]
        if journal:
            lines.append(f'journal = "{self.folder / "journal"}"')
        if store:
            lines.append(f'store = "{store}"')
        self.token_file.touch(0o600)
        self.token_file.write_text(self.token + "\n", encoding="ascii")
        self.settings.touch(0o600)  # it holds the token
        self.settings.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def start(self, service: str) -> None:
        """Start one service's process; what it says goes to its log in the folder."""
        environment = {"LUCID_PORT": str(self.ports[service]), "PATH": "/usr/bin:/bin"}
        command = [sys.executable, "-m", f"lucid.services.{service}", "--config", str(self.settings)]
        path = self.logs / f"{service}.log"
        path.touch(0o600)
        with path.open("ab") as log:
            self.processes[service] = subprocess.Popen(
                tied(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )

    def last_words(self, service: str) -> str:
        """The end of what a service's process logged."""
        return (self.logs / f"{service}.log").read_text(errors="replace").strip()[-500:]

    def standing(self, client: httpx.Client) -> NodeStatus:
        """Ask the node how it is."""
        health: dict[str, str | None] = {}
        for service in SERVICES:
            answer = ask(client, f"{self.url(service)}/health", (200, 503))
            health[service] = None if answer is None else answer["status"]
        latest = ask(client, f"{self.url('manager')}/blocks?limit=1")
        peers = ask(client, f"{self.url('manager')}/peers")
        top = latest["blocks"][0] if latest and latest["blocks"] else None
        return NodeStatus(
            self.name,
            health,
            None if latest is None else top["height"] if top else 0,
            top["hash"] if top else None,
            None if peers is None else sum(each["connected"] for each in peers["peers"]),
        )


SERVICES = tuple(TABLE)


def ask(client: httpx.Client, url: str, statuses: tuple[int, ...] = (200,)) -> dict[str, Any] | None:
    try:
        response = client.get(url)
    except httpx.HTTPError:
        return None
    return response.json() if response.status_code in statuses else None
