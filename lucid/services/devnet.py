"""A small network of real nodes on this machine: real processes, sockets and stores, a folder for each node."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from lucid.chain.document import parse_genesis, print_genesis
from lucid.chain.genesis import Genesis, GenesisNode, beginning_with
from lucid.chain.parameters import Parameters, paced
from lucid.chain.versions import RULES_KNOWN
from lucid.services.devnode import SERVICES, DevNode, NodeStatus, ask
from lucid.services.process.config import ConfigError, load_config

GENESIS = "genesis.toml"
START_S = 120.0
STOP_S = 10.0


class Devnet:
    """Several nodes of one chain. As a context manager it starts them all, and stops them at its end."""

    def __init__(
        self,
        folder: Path,
        nodes: int = 0,
        block_interval_ms: int = 0,
        *,
        journal: bool = False,
        store: Callable[[str], str] = lambda node: "",
        parameters: Parameters | None = None,
        rules: int = RULES_KNOWN,
    ) -> None:
        """Make keys, genesis and settings of `nodes` nodes in an empty `folder`; without a number, take those that an
        earlier one kept there. `store` gives the setting of each; `parameters` are those of the chain, if not what fits
        the interval; it begins with `rules`. Raises `LucidError` for what was kept and cannot be used."""
        self.folder = folder
        if not nodes:
            self.genesis = parse_genesis((folder / GENESIS).read_text(encoding="utf-8"))
            for each in self.genesis.nodes:
                _check_kept(folder / each.name)
            self.nodes = [DevNode(folder / each.name, each.name) for each in self.genesis.nodes]
            return
        self.nodes = [DevNode(folder / f"node{number}", f"node{number}") for number in range(nodes)]
        members = tuple(GenesisNode(node.key, node.name) for node in self.nodes)
        begun = Genesis(time.time_ns() // 1_000_000, members, parameters=parameters or paced(block_interval_ms))
        self.genesis = beginning_with(begun, rules).check()
        path = folder / GENESIS
        path.write_text(print_genesis(self.genesis), encoding="utf-8")
        for node in self.nodes:
            node.configure(path, [each for each in self.nodes if each is not node], journal, store(node.name))

    def __enter__(self) -> Self:
        try:
            for node in self.nodes:
                for service in SERVICES:
                    node.start(service)
            self.await_healthy()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def await_healthy(self, within_s: float = START_S) -> None:
        """Wait until every service is healthy. Raises TimeoutError naming one that is not, or has ended."""
        deadline = time.monotonic() + within_s
        with httpx.Client(timeout=2.0, trust_env=False) as client:
            for node in self.nodes:
                for service in SERVICES:
                    while not ask(client, f"{node.url(service)}/health"):
                        # Of two that do not answer, it is the one that has ended that tells why.
                        for other, process in node.processes.items():
                            if process.poll() is not None:
                                status, last = process.returncode, node.last_words(other)
                                raise TimeoutError(f"{node.name}'s {other} ended with status {status}: {last}")
                        if time.monotonic() > deadline:
                            said = (ask(client, f"{node.url(service)}/health", (503,)) or {}).get("reasons", [])
                            last = "; ".join([*said, node.last_words(service)])
                            raise TimeoutError(f"{node.name}'s {service} does not become healthy: {last}")
                        time.sleep(0.05)

    def standings(self, client: httpx.Client) -> list[NodeStatus]:
        """How every node is."""
        return [node.standing(client) for node in self.nodes]

    def stop(self) -> dict[str, int]:
        """Stop every process, gently first; returns exit statuses by node and service."""
        running = {
            f"{node.name}/{service}": process for node in self.nodes for service, process in node.processes.items()
        }
        for process in running.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in running.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return {name: process.returncode for name, process in running.items()}


def _check_kept(folder: Path) -> None:
    """Whether a node that an earlier network had is still there, and where it was. Raises `ConfigError`."""
    settings = folder / "node.toml"
    if not settings.is_file():
        raise ConfigError(f"there is no {settings}: put the folder of that node back, or begin a new network elsewhere")
    named = load_config({}, settings).data_dir
    if named != folder:
        raise ConfigError(f"the network's folder was moved: {settings} names {named}; move it back, or begin anew")
