"""The client for trio: it sends calls, and waits for what a node answers, bounded in bytes and time."""

from __future__ import annotations

import ssl
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

import httpx
import trio

from lucid.client.calls import Call, ClientError
from lucid.client.nodeaccess import NodeAccess
from lucid.client.nodeanswer import NodeAnswer, head_s
from lucid.client.patience import Patience

T = TypeVar("T")


class AsyncClient(NodeAccess):
    """A node's services, for trio. An asynchronous context manager."""

    def __init__(
        self,
        anchoring_url: str,
        data_url: str,
        token: str = "",
        trust: ssl.SSLContext | None = None,
        manager_url: str = "",
        engine_url: str = "",
    ) -> None:
        super().__init__(anchoring_url, data_url, token, trust, manager_url, engine_url)
        self._http = httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(**self._transport), **self._options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        """What the node answers, after waiting as long as it says that it has no time. Raises `ClientError`."""
        waits = Patience()
        while True:
            wait: float | None = None
            with trio.move_on_after(head_s(call)) as scope:
                try:
                    async with self._http.stream(**self._request(call)) as response:
                        wait = waits.next(response)
                        if wait is None:
                            return await self._read(call, response, scope)
                except (httpx.HTTPError, httpx.InvalidURL) as error:
                    raise self._unreachable(call, error) from None
            if wait is None:
                raise self._too_slow(call)
            await trio.sleep(wait)

    @staticmethod
    async def _read(call: Call[T], response: httpx.Response, scope: trio.CancelScope) -> T:
        answer = NodeAnswer(call, response)
        scope.deadline = trio.current_time() + answer.left_s
        parts = response.aiter_raw()
        try:
            async for part in parts:
                answer.add(part)
                scope.deadline = trio.current_time() + answer.left_s
        except ClientError:
            # The generators under it are left at no yield: they end by themselves once the connection is closed.
            await response.aclose()
            with suppress(httpx.HTTPError, httpx.StreamError):
                async for _ in parts:
                    pass
            raise
        result: T = answer.result()
        return result
