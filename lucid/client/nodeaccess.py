"""A node's services: where they are, the token that they ask writers for, and how they are asked."""

from __future__ import annotations

import ssl
from typing import Any

from lucid.api.versions import API_HEADER, API_VERSION
from lucid.chain.errors import Code
from lucid.client.calls import Call, ClientError
from lucid.client.nodeanswer import TIMEOUT_S


class NodeAccess:
    """Where a node's services are, and the token that they ask writers for."""

    def __init__(
        self,
        anchoring_url: str,
        data_url: str,
        token: str,
        trust: ssl.SSLContext | None,
        manager_url: str,
        engine_url: str,
    ) -> None:
        urls = {"anchoring": anchoring_url, "data": data_url, "manager": manager_url, "engine": engine_url}
        self._urls = {service: url.rstrip("/") for service, url in urls.items()}
        self._options: dict[str, Any] = {
            # Compressed answers could be a thousand times their bytes on the wire; chunks do not compress anyway.
            "headers": {"Accept-Encoding": "identity", API_HEADER: API_VERSION}
            | ({"Authorization": f"Bearer {token}"} if token else {}),
            "timeout": TIMEOUT_S,
        }
        # No proxy of the environment gets to see the token.
        self._transport: dict[str, Any] = {"verify": True if trust is None else trust, "trust_env": False}

    @property
    def name(self) -> str:
        """The node, as messages name it."""
        return self._urls["anchoring"]

    def _request(self, call: Call[Any]) -> dict[str, Any]:
        return {"method": call.method, "url": self._urls[call.service] + call.path, "content": call.body}

    def _unreachable(self, call: Call[Any], error: Exception) -> ClientError:
        detail = f"{self._urls[call.service]}: {type(error).__name__} {error}".rstrip()
        return ClientError(Code.UNAVAILABLE, detail)

    def _too_slow(self, call: Call[Any]) -> ClientError:
        return ClientError(Code.TOO_SLOW, f"{self._urls[call.service]}: what it answers has no end")
