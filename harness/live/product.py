"""Lucid as the live checks see it: four services, how they are set up in containers or as processes, what is tried."""

from __future__ import annotations

import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from msgspec.structs import replace

from harness.live import cadence, usage
from harness.live.chain import make_chain
from harness.live.dependencies import Consul, Dependency, MongodDependency, RedisDependency
from harness.live.fulldisk import DISK, DISK_MB, fill_disk
from harness.live.outages import PHASE1, depend
from harness.live.standing import StandingNode
from harness.live.trial import NodeTrial
from lucid.api.services import SERVICES as TABLE
from smoke.finding import Finding
from smoke.live import checks
from smoke.live.asking import told
from smoke.live.failure import LiveError
from smoke.live.node import Make, Node
from smoke.live.product import Steps
from smoke.live.underway import Run
from smoke.manifest import Manifest, Service

SERVICES = {
    each.key: Service(name=each.key, dockerfile="-", port=each.port, service=each.name) for each in TABLE.values()
}
"""The four in the order in which they start; a manifest says what their images are."""


@dataclass
class Lucid:
    """See `smoke.live.product.Product`."""

    services: Mapping[str, Service]
    programs: Mapping[type[Dependency], str | None]
    """What the node is tried on, by kind; none where it cannot be had."""
    blocks: int
    start_s: float = 20.0
    grace_s: int = 8
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    api_token: str = field(default_factory=lambda: secrets.token_hex(16))

    def prepare(self, node: Node) -> None:
        """Keys, a genesis of one node and a client's settings."""
        make_chain(node, self.api_token)

    def command(self, node: Node, service: str) -> Sequence[str]:
        """This Python runs them."""
        return [sys.executable, "-m", f"lucid.services.{service}"]

    def environment(self, node: Node, service: str) -> dict[str, str]:
        """Settings as variables: in a container those that its image does not have, for a process all."""
        settings = {
            "TOKEN": self.token,
            "API_TOKENS": self.api_token,
            **node.settings,
            **{f"{each.upper()}_URL": node.inner_url(each) for each in self.services},
        }
        if node.contained:
            # A Consul that runs on this machine knows no container by its name.
            settings |= {"ADVERTISE": node.address(service), "GENESIS": "/config/lucid/genesis.toml"}
            settings |= {"ID": "/config/lucid/node.id", "KEY": "/config/lucid/node.key"}
        else:
            settings |= {"GENESIS": str(node.folder / "genesis.toml"), "KEY": str(node.folder / "node.key")}
            settings |= {"DATA_DIR": str(node.folder / "data"), "PORT": str(node.port(service))}
        return {f"LUCID_{key}": value for key, value in settings.items()}

    def files(self, node: Node, service: str) -> Mapping[str, bytes]:
        """Genesis and id; the key, and that it is unused, for the engine only."""
        names = ["genesis.toml", "node.id", *(["node.key", "node.key.unused"] if service == "engine" else [])]
        return {f"lucid/{name}": (node.folder / name).read_bytes() for name in names}

    def state(self, node: Node, service: str, answer: httpx.Response | None) -> str:
        """What the health answer says itself."""
        said = told(answer)
        return str(said.get("status")) if isinstance(said, dict) else ""

    def steps(self, run: Run) -> Steps:
        """See `Product`."""
        used = NodeTrial(run, self.api_token, self.blocks)
        return (
            (cadence.CADENCE, lambda: cadence.first_block(used)),
            (checks.HEALTH, lambda: usage.health(used)),
            (checks.API, lambda: usage.api(used)),
            (usage.INTEGRATION, lambda: usage.integration(used)),
            (cadence.CADENCE, lambda: cadence.intervals(used)),
            (checks.LIFECYCLE, lambda: usage.lifecycle(used)),
        )

    def further(self, run: Run, make: Make, folder: Path) -> Steps:
        """See `Product`."""
        return (
            (PHASE1, lambda: self._outages(run, make, folder / "dependent")),
            (DISK, lambda: self._full_disk(run, make, folder / "small")),
        )

    def standing(self, folder: Path, settings: Path, emulated: bool = False) -> Node:
        """The node that a client's settings name, which runs already. Raises `LiveError`."""
        node = StandingNode(folder, self, settings, emulated)
        self.api_token = node.api_token
        return node

    def _outages(self, run: Run, make: Make, folder: Path) -> Iterator[Finding]:
        if run.node.standing:
            yield PHASE1.skip("what a node that is in use depends on is not taken away")
            return
        yield from depend(make, self.programs, folder, run.start_s, self.api_token)

    def _full_disk(self, run: Run, make: Make, folder: Path) -> Iterator[Finding]:
        if run.node.standing or not run.node.contained:
            yield DISK.skip(f"{run.node.kind} have no disk of their own that could be filled")
            return
        folder.mkdir()
        with make(folder, disk_mb=DISK_MB) as node:
            yield from fill_disk(node, run.start_s, self.api_token)


def product(manifest: Manifest, options: Mapping[str, object]) -> Lucid:
    """The plug-in: images are the manifest's, `options` those of `lucid smoke live`. Raises `LiveError`."""
    described = {service.name: service for service in manifest.services}
    services = {}
    for name, known in SERVICES.items():
        found = described.get(name, known)
        services[name] = replace(
            found, port=known.port, service=known.service, health="/health", writes=("/data",), environment={}
        )
    programs: dict[type[Dependency], str | None] = {
        MongodDependency: _program(options.get("mongod"), "mongod"),
        RedisDependency: _program(options.get("redis"), "redis-server"),
        Consul: _program(options.get("consul"), "consul"),
    }
    return Lucid(services, programs, int(str(options.get("blocks", cadence.BLOCKS))))


def _program(named: object, usual: str) -> str | None:
    if named is None:
        return shutil.which(usual)
    found = shutil.which(str(named))
    if found is None:
        raise LiveError(f"there is no program {named}")
    return found
