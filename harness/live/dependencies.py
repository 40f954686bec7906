"""What a node can depend on, as real programs of this machine, to be stopped and started: MongoDB, Redis, Consul."""

from __future__ import annotations

import contextlib
import secrets
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from smoke.live.asking import probe_client
from smoke.live.failure import LiveError
from smoke.live.freeports import free_ports

READY_S = 30.0


class Dependency(ABC):
    """A server at one address, that this harness starts and stops. A context manager; its data stay in `folder`."""

    name: str

    def __init__(self, program: str, folder: Path, address: str) -> None:
        self.program, self.folder, self.address = program, folder, address
        self.port = free_ports(1, address)[0]
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> Sequence[str]:
        """What starts it."""

    @abstractmethod
    def settings(self) -> dict[str, str]:
        """What the services are told of it."""

    def __enter__(self) -> Self:
        self.folder.mkdir()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it listens. Raises `LiveError`."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + READY_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection((self.address, self.port), 1):
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise LiveError(f"{self.program} does not start: {(self.folder / 'log').read_text()[-300:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(READY_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


class MongodDependency(Dependency):
    """A mongod as a replica set of one node."""

    name = "MongoDB"

    def command(self) -> Sequence[str]:
        """See `Dependency`."""
        where = ["--dbpath", str(self.folder), "--port", str(self.port), "--bind_ip", self.address]
        return [self.program, *where, "--replSet", "rs0", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"]

    def settings(self) -> dict[str, str]:
        """See `Dependency`."""
        return {"STORE": f"mongodb://{self.address}:{self.port}/lucid-{{service}}?replicaSet=rs0"}

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self._initiate()
        except BaseException:
            self.stop()
            raise
        return self

    def _initiate(self) -> None:
        from pymongo import MongoClient  # noqa: PLC0415 - slow

        with MongoClient[dict[str, object]](self.address, self.port, directConnection=True) as client:
            member = {"_id": 0, "host": f"{self.address}:{self.port}"}
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
            deadline = time.monotonic() + READY_S
            while not client.admin.command("hello").get("isWritablePrimary"):
                if time.monotonic() > deadline:
                    raise LiveError("mongod does not become primary")
                time.sleep(0.05)


class RedisDependency(Dependency):
    """A redis-server with a password, which keeps nothing."""

    name = "Redis"

    def __init__(self, program: str, folder: Path, address: str) -> None:
        super().__init__(program, folder, address)
        self._password = secrets.token_hex(16)

    def command(self) -> Sequence[str]:
        """See `Dependency`."""
        where = ["--bind", self.address, "--port", str(self.port), "--dir", str(self.folder)]
        return [self.program, *where, "--requirepass", self._password, "--save", "", "--appendonly", "no"]

    def settings(self) -> dict[str, str]:
        """See `Dependency`."""
        return {"REDIS_URL": f"redis://:{self._password}@{self.address}:{self.port}"}


class Consul(Dependency):
    """A Consul agent in development mode: a server of its own, which keeps nothing.

    Its flags are those of developer.hashicorp.com/consul/docs/agent/config/cli-flags; a port of -1 is not listened at.
    """

    name = "Consul"

    def __init__(self, program: str, folder: Path, address: str) -> None:
        super().__init__(program, folder, address)
        self.port, self._server, self._serf = free_ports(3, address)
        self._client = probe_client()

    def command(self) -> Sequence[str]:
        """See `Dependency`."""
        where = [f"-bind={self.address}", f"-client={self.address}", f"-http-port={self.port}"]
        inner = [f"-server-port={self._server}", f"-serf-lan-port={self._serf}", "-serf-wan-port=-1"]
        unused = ["-dns-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1", "-hcl=disable_update_check = true"]
        return [self.program, "agent", "-dev", *where, *inner, *unused]

    def settings(self) -> dict[str, str]:
        """See `Dependency`."""
        return {"CONSUL_URL": f"http://{self.address}:{self.port}"}

    def version(self) -> str:
        """What it says that it is: a stand-in says so."""
        return str(self._ask("/v1/agent/self")["Config"]["Version"])

    def known(self) -> dict[str, str]:
        """The names of the services that are registered, each with what the agent's own check of its health found."""
        return {check["ServiceName"]: check["Status"] for check in self._ask("/v1/agent/checks").values()}

    def _ask(self, path: str) -> Any:
        return self._client.get(f"http://{self.address}:{self.port}{path}").raise_for_status().json()
