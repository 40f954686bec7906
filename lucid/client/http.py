"""The two shells around the calls: one for threads, one for trio."""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from lucid.chain.errors import Code
from lucid.client.calls import Call, ClientError

TIMEOUT_S = 30.0

T = TypeVar("T")


class _Places:
    """Where a node's services are, and the token that they ask writers for."""

    def __init__(self, anchoring_url: str, data_url: str, token: str, trust: ssl.SSLContext | None) -> None:
        self._urls = {"anchoring": anchoring_url.rstrip("/"), "data": data_url.rstrip("/")}
        self._options: dict[str, Any] = {
            "headers": {"Authorization": f"Bearer {token}"} if token else {},
            "timeout": TIMEOUT_S,
            "verify": True if trust is None else trust,
            "trust_env": False,  # no proxy is shown the token
        }

    def _request(self, call: Call[Any]) -> dict[str, Any]:
        return {"method": call.method, "url": self._urls[call.service] + call.path, "content": call.body}

    def _unreachable(self, call: Call[Any], error: Exception) -> ClientError:
        detail = f"{self._urls[call.service]}: {type(error).__name__} {error}".rstrip()
        return ClientError(Code.UNAVAILABLE, detail)


class Client(_Places):
    """A node's services, for threads. A context manager."""

    def __init__(self, anchoring_url: str, data_url: str, token: str = "", trust: ssl.SSLContext | None = None) -> None:
        super().__init__(anchoring_url, data_url, token, trust)
        self._http = httpx.Client(**self._options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def send(self, call: Call[T]) -> T:
        """What the node answers; raises `ClientError`."""
        try:
            response = self._http.request(**self._request(call))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(call, error) from None
        return call.result(response.status_code, response.content)


class AsyncClient(_Places):
    """A node's services, for trio. An asynchronous context manager."""

    def __init__(self, anchoring_url: str, data_url: str, token: str = "", trust: ssl.SSLContext | None = None) -> None:
        super().__init__(anchoring_url, data_url, token, trust)
        self._http = httpx.AsyncClient(**self._options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        """What the node answers; raises `ClientError`."""
        try:
            response = await self._http.request(**self._request(call))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(call, error) from None
        return call.result(response.status_code, response.content)
