"""The node as hardened containers on a network of their own, through the Docker API."""

from __future__ import annotations

import io
import os
import secrets
import tarfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ipaddress import IPv4Address
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import docker  # type: ignore[import-untyped]
import docker.errors  # type: ignore[import-untyped]
from docker.types import DriverConfig, EndpointConfig, IPAMConfig, IPAMPool, Mount  # type: ignore[import-untyped]

from smoke.live.failure import LiveError, NotPossible
from smoke.live.node import Needs, Node, nothing
from smoke.live.product import Product

_FILL = """
import sys
left = int(sys.argv[1])
with open(sys.argv[3], "wb", buffering=0) as file:
    for size in (1 << 20, 4096, 1):
        try:
            while left > 0:
                left -= file.write(bytes(size))
        except OSError:
            pass
sys.exit(0 if left > 0 else int(sys.argv[2]))
"""
"""Fills a disk that is small: no more than the bytes that it can be are ever written, so that no other is filled."""
_ENDLESS = 28
"""The status of that when there was no end to the disk."""
MEMORY_BYTES = 256 << 20
PROCESSES = 64
CONFIG = "/config"
PYTHON = ("/usr/bin/python3.11", "-S", "-E")
"""What fills disks in an image: that of the distroless base."""


def connect(local: bool = False) -> docker.DockerClient:
    """The engine that the environment names; a `local` one has its ports here. Raises `LiveError`."""
    place = os.environ.get("DOCKER_HOST", "")
    over_ssh = place.startswith("ssh://")
    if local and over_ssh:
        raise LiveError("the engine is on another machine, whose ports are not here: lucid deploy tries a node there")
    try:
        # The operator's own ssh, with all that it is configured for.
        client = docker.from_env(timeout=120, use_ssh_client=over_ssh)
        client.ping()
    except (docker.errors.DockerException, OSError) as error:
        raise LiveError(f"no container engine answers at {place or 'its usual socket'}: {error}") from None
    return client


class ContainerNode(Node):
    """Each service in a container as an operator would run it: read-only, without capabilities, limited."""

    kind = "containers"
    contained = True

    def __init__(
        self,
        folder: Path,
        client: docker.DockerClient,
        product: Product,
        needs: Needs = nothing,
        disk_mb: int | None = None,
    ) -> None:
        """With `disk_mb` each service has a disk of that size in memory, which is gone when it stops."""
        super().__init__(folder, product, needs)
        self.client = client
        self._api_version = client.api.api_version
        self.disk_mb = disk_mb
        if disk_mb is not None:
            self.filling = self._fill
        self._addresses: dict[str, str] = {}
        self.label = f"lucid-smoke-{secrets.token_hex(4)}"
        self._containers: dict[str, Any] = {}
        self._network: Any = None
        self._native = "arm64" if client.version()["Arch"] in ("arm64", "aarch64") else client.version()["Arch"]
        platforms = {service.platform for service in product.services.values() if service.platform}
        self.emulated = any(platform.split("/")[1:2] != [self._native] for platform in platforms)

    def __enter__(self) -> Self:
        self.product.prepare(self)
        try:
            gateway = self._make_network()
            self.settings = self.needs(str(gateway))
            self._addresses = {service: str(gateway + number) for number, service in enumerate(self.services, 1)}
            for service in self.services:
                self._containers[service] = self._create(service)
        except docker.errors.ImageNotFound as error:
            self._remove()
            raise LiveError(f"an image is not there: {error.explanation}") from None
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()
        self.client.close()

    def _make_network(self) -> IPv4Address:
        """The node's own network; the address of this machine in it, after which all others are free."""
        labels = {"lucid-smoke": self.label}
        # The engine finds a subnet that is free, but takes addresses that it is told only in a subnet that it is told.
        found = self.client.networks.create(self.label, labels=labels)
        found.reload()
        config = found.attrs["IPAM"]["Config"][0]
        found.remove()
        ipam = IPAMConfig(pool_configs=[IPAMPool(subnet=config["Subnet"], gateway=config["Gateway"])])
        self._network = self.client.networks.create(self.label, labels=labels, ipam=ipam)
        return IPv4Address(config["Gateway"])

    def _create(self, service: str) -> Any:
        described = self.product.services[service]
        assert described.image is not None, "whoever makes containers has looked that each has an image"
        owner = described.user or ""
        files = self.product.files(self, service)
        mounts = [self._disk(service, number, path) for number, path in enumerate(described.writes)]
        if files:
            mounts.append(Mount(CONFIG, f"{self.label}-{service}-config"))
        address = EndpointConfig(self._api_version, aliases=[service], ipv4_address=self._addresses[service])
        published = {} if described.port is None else {f"{described.port}/tcp": ("127.0.0.1", self.ports[service])}
        container = self.client.containers.create(
            described.image,
            platform=described.platform,
            name=f"{self.label}-{service}",
            labels={"lucid-smoke": self.label},
            environment=self.product.environment(self, service),
            read_only=True,
            tmpfs={"/tmp": "rw,noexec,nosuid,size=16m"},
            user=owner or None,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            mem_limit=MEMORY_BYTES,
            pids_limit=PROCESSES,
            mounts=mounts,
            ports=published,
            network=self.label,
            networking_config={self.label: address},
        )
        if files:
            container.put_archive(CONFIG, _archive(files, _number(owner)))
        return container

    def _disk(self, service: str, number: int, path: str) -> Mount:
        small = None
        if self.disk_mb is not None:
            owner = _number(self.product.services[service].user or "")
            options = {"type": "tmpfs", "device": "tmpfs", "o": f"size={self.disk_mb}m,uid={owner},gid={owner}"}
            small = DriverConfig("local", options)
        return Mount(path, f"{self.label}-{service}-{number}", driver_config=small, no_copy=small is not None)

    def _fill(self, service: str, full: bool) -> None:
        """See `filling`: a file takes all the room there is, or goes."""
        assert self.disk_mb is not None, "a disk of its own"
        file = f"{self.data(service)}/filling"
        code = _FILL if full else "import os, sys; os.unlink(sys.argv[3])"
        words = [*PYTHON, "-c", code, str(2 * self.disk_mb << 20), str(_ENDLESS), file]
        status, said = self._containers[service].exec_run(words)
        if status == _ENDLESS:
            raise NotPossible(f"this engine gives a volume more than the {self.disk_mb} MB that were asked for")
        if status:
            raise LiveError(f"{service}: its disk cannot be filled: {said.decode(errors='replace')[-200:]}")

    def _remove(self) -> None:
        """Take away all that carries this run's label, however far it came."""
        for container in self.client.containers.list(all=True, filters={"label": f"lucid-smoke={self.label}"}):
            with suppress(docker.errors.APIError):
                container.remove(force=True, v=True)
        for volume in self.client.volumes.list():
            if volume.name.startswith(f"{self.label}-"):
                with suppress(docker.errors.APIError):
                    volume.remove(force=True)
        for network in self.client.networks.list(filters={"label": f"lucid-smoke={self.label}"}):
            with suppress(docker.errors.APIError):
                network.remove()

    def start(self, service: str) -> None:
        """See `Node`."""
        self._containers[service].start()

    def stop(self, services: Sequence[str], within_s: float) -> dict[str, int]:
        """See `Node`."""

        def one(service: str) -> int:
            container = self._containers[service]
            container.stop(timeout=int(within_s))
            container.reload()
            status: int = container.attrs["State"]["ExitCode"]
            return status

        with ThreadPoolExecutor(len(services)) as pool:
            return dict(zip(services, pool.map(one, services), strict=True))

    def kill(self, service: str) -> None:
        """See `Node`."""
        self._containers[service].kill()
        self._containers[service].wait()

    def address(self, service: str) -> str:
        """See `Node`: its own, in the node's network."""
        return self._addresses[service]

    def running(self, service: str) -> bool:
        """See `Node`."""
        running: bool = self.inspect(service)["State"]["Running"]
        return running

    def data(self, service: str) -> str:
        """See `Node`: the first of the directories that it may write to."""
        return next(iter(self.product.services[service].writes), "/tmp")

    def log(self, service: str) -> str:
        """See `Node`."""
        text: bytes = self._containers[service].logs(tail=20)
        return text.decode(errors="replace")

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine says of a container."""
        container = self._containers[service]
        container.reload()
        found: dict[str, Any] = container.attrs
        return found


def _number(user: str) -> int:
    """The number of a user; root's for one that only the image knows."""
    name = user.partition(":")[0]
    return int(name) if name.isdigit() else 0


def _archive(files: Mapping[str, bytes], owner: int) -> bytes:
    """A tar of files that their owner alone may read."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for folder in sorted({name.rpartition("/")[0] for name in files} - {""}):
            here = tarfile.TarInfo(folder)
            here.type, here.mode, here.uid, here.gid = tarfile.DIRTYPE, 0o755, owner, owner
            tar.addfile(here)
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.uid, info.gid = len(data), 0o600, owner, owner
            tar.addfile(info, io.BytesIO(data))
    return written.getvalue()
