"""The four services of a node: names and ports in one table, which all else that names them is checked against."""

from __future__ import annotations

from typing import NamedTuple

PEER_PORT = 8088
"""Where other nodes connect, at the block manager."""


class NodeService(NamedTuple):
    """One service: `key` in settings, modules, files and Compose; `name` in what it says of itself; its HTTP port."""

    key: str
    name: str
    port: int

    @property
    def module(self) -> str:
        """What Python runs it by, with `-m`."""
        return f"lucid.services.{self.key}"

    @property
    def image(self) -> str:
        """Its image, without a tag."""
        return f"pickme/lucid-{self.name}"

    @property
    def url(self) -> str:
        """Where it is on its own machine, if nothing else is set."""
        return f"http://127.0.0.1:{self.port}"


MANAGER = NodeService(key="manager", name="block-manager", port=8086)
ENGINE = NodeService(key="engine", name="blockchain-engine", port=8084)
ANCHORING = NodeService(key="anchoring", name="session-anchoring", port=8085)
DATA = NodeService(key="data", name="data-chain", port=8087)

SERVICES = {each.key: each for each in (MANAGER, ENGINE, ANCHORING, DATA)}
"""In the order in which they start: the others ask the manager."""
