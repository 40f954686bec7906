"""A service made known to a Consul agent, where one is configured, and taken off again at a stop.

The agent's HTTP interface, version 1 (developer.hashicorp.com/consul/api-docs/agent/service).
"""

from __future__ import annotations

import logging
import socket
import ssl
from typing import Any

import httpx
import trio

LOOK_S = 15.0
AGAIN_S = 2.0
ANSWER_S = 3.0
LEAVE_S = 1.0
CHECK = "10s"
FORGOTTEN_AFTER = "10m"

_log = logging.getLogger("lucid.registration")


class Registration:
    """One service's entry at the agent. `trouble` says why it is not there, as /health tells it."""

    def __init__(self, url: str, token: str, trust: ssl.SSLContext, entry: dict[str, Any]) -> None:
        """`entry` is what `describe` makes."""
        self._entry = entry
        self._told = False
        self.trouble: str | None = "consul: not registered yet"
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"X-Consul-Token": token} if token else {},
            verify=trust,
            timeout=ANSWER_S,
            trust_env=False,  # no proxy is shown the token
        )

    async def run(self) -> None:
        """Register, and again whenever the agent does not know the service any more; take it off at the end."""
        try:
            while True:
                await self._look()
                await trio.sleep(AGAIN_S if self.trouble else LOOK_S)
        finally:
            with trio.move_on_after(LEAVE_S, shield=True):
                await self._leave()

    async def _look(self) -> None:
        identity = self._entry["ID"]
        try:
            known = await self._client.get(f"/v1/agent/service/{identity}")
            # What the agent knows from an earlier life may have another address.
            if known.status_code == 404 or not self._told:
                put = await self._client.put("/v1/agent/service/register", json=self._entry)
                put.raise_for_status()
                self._told = True
                _log.info("registered as %s", identity)
            else:
                known.raise_for_status()
        except httpx.HTTPStatusError as error:
            self._note(f"it answers {error.response.status_code}", error.response.text[:100])
        except Exception as error:  # whatever the client makes of an answer must not end this service
            self._note("it cannot be reached", f"{type(error).__name__} {error}".rstrip())
        else:
            self.trouble = None

    def _note(self, sentence: str, detail: str) -> None:
        """Remember what is wrong in words for /health; the rest is for the log, once."""
        trouble = f"consul: {sentence}"
        if trouble != self.trouble:
            _log.warning("%s (%s)", trouble, detail)
        self.trouble = trouble

    async def _leave(self) -> None:
        try:
            await self._client.put(f"/v1/agent/service/deregister/{self._entry['ID']}")
        except httpx.HTTPError as error:
            _log.warning("it could not be taken off Consul: %s", error)
        finally:
            await self._client.aclose()


def describe(name: str, node: bytes, address: str, port: int, scheme: str) -> dict[str, Any]:
    """What Consul is told of a service: who it is, where, and how its health is asked for."""
    return {
        "ID": f"{name}-{node.hex()[:8]}",
        "Name": name,
        "Address": address,
        "Port": port,
        "Tags": ["lucid"],
        "Meta": {"node": node.hex()},
        "Check": {
            "HTTP": f"{scheme}://{address}:{port}/health",
            "Interval": CHECK,
            "Timeout": "5s",
            "DeregisterCriticalServiceAfter": FORGOTTEN_AFTER,
        },
    }


def own_address(advertise: str, bind: str) -> str:
    """Where others reach a service: as configured, or where it listens, or this machine's name."""
    return advertise or (socket.gethostname() if bind in ("0.0.0.0", "::") else bind)
