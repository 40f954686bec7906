"""Another service of the same node, asked over HTTP with the node's token."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from lucid.chain.errors import Code
from lucid.services.process.config import Config
from lucid.services.web.problems import Problem

_log = logging.getLogger("lucid.sibling")

ANSWER_S = 5.0
CONNECTIONS = 32


class Sibling:
    """A client of one service; `trouble` says why it could not be reached the last time, as /health tells it."""

    def __init__(self, name: str, url: str, config: Config) -> None:
        self.name = name
        self.trouble: str | None = f"{name}: not reached yet"
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {config.token}"},
            verify=config.trust(),
            trust_env=False,  # no proxy is shown the token
            timeout=ANSWER_S,
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def fetch(self, path: str, wait_s: float = ANSWER_S) -> tuple[int, bytes]:
        """Status and body of what is answered. Raises `Problem` (503) when it cannot be reached."""
        return await self._send(self._client.build_request("GET", path, timeout=wait_s))

    async def get(self, path: str, wait_s: float = ANSWER_S) -> Any:
        """The JSON that is answered, or None if there is no such thing. Raises `Problem` (503)."""
        status, data = await self.fetch(path, wait_s)
        if status == 404:
            return None
        if status != 200:
            raise self._problem(f"it answers {status}", path)
        with self.understood():
            return msgspec.json.decode(data)

    def _problem(self, sentence: str, detail: str) -> Problem:
        """Remember what is wrong in words for /health; what the client says of it is for the log, once."""
        trouble = f"{self.name}: {sentence}"
        if trouble != self.trouble:
            _log.info("%s (%s)", trouble, detail)
        self.trouble = trouble
        return Problem(Code.UNAVAILABLE, trouble)

    @contextmanager
    def understood(self) -> Iterator[None]:
        """Raise `Problem` (503) where an answer has another shape than it should: something else listens there."""
        try:
            yield
        except (msgspec.MsgspecError, KeyError, TypeError, ValueError, RecursionError):
            raise self._problem("something else answers at its address", f"at {self._client.base_url}") from None

    async def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Status and JSON of what is answered to `body`. Raises `Problem` (503)."""
        request = self._client.build_request(method, path, content=msgspec.json.encode(body))
        status, data = await self._send(request)
        with self.understood():
            return status, msgspec.json.decode(data)

    async def post(self, path: str, body: bytes) -> int:
        """The status that is answered to bytes. Raises `Problem` (503) when it cannot be reached."""
        headers = {"Content-Type": "application/octet-stream"}
        status, _ = await self._send(self._client.build_request("POST", path, content=body, headers=headers))
        return status

    async def _send(self, request: httpx.Request) -> tuple[int, bytes]:
        try:
            response = await self._client.send(request)
        except Exception as error:  # whatever the client makes of an answer must not end this service
            late = isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout)
            said = "it does not answer in time" if late else "it cannot be reached"
            raise self._problem(said, f"{type(error).__name__} {error}".rstrip()) from None
        self.trouble = None
        return response.status_code, response.content
