"""The client for threads: it sends calls, and waits for what a node answers, bounded in bytes and time."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self, TypeVar

import httpx

from lucid.client.calls import Call
from lucid.client.deadline import Deadline, TimedBackend
from lucid.client.nodeaccess import NodeAccess
from lucid.client.nodeanswer import NodeAnswer, head_s
from lucid.client.patience import Patience

T = TypeVar("T")


class Client(NodeAccess):
    """A node's services, for threads. A context manager."""

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
        self._deadline = Deadline()
        transport = httpx.HTTPTransport(**self._transport)
        # httpx has no way of its own to name what makes connections; httpcore, under it, has.
        transport._pool._network_backend = TimedBackend(self._deadline)
        self._http = httpx.Client(transport=transport, **self._options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def send(self, call: Call[T]) -> T:
        """What the node answers, after waiting as long as it says that it has no time. Raises `ClientError`."""
        waits = Patience()
        while True:
            self._deadline.within(head_s(call))
            try:
                with self._http.stream(**self._request(call)) as response:
                    wait = waits.next(response)
                    if wait is None:
                        return self._read(call, response)
            except httpx.TimeoutException as error:
                raise self._too_slow(call) if self._deadline.over else self._unreachable(call, error) from None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise self._unreachable(call, error) from None
            time.sleep(wait)

    def _read(self, call: Call[T], response: httpx.Response) -> T:
        answer = NodeAnswer(call, response)
        self._deadline.within(answer.left_s)
        parts: Iterator[bytes] = response.iter_raw()
        for part in parts:
            answer.add(part)
            self._deadline.within(answer.left_s)
        result: T = answer.result()
        return result
