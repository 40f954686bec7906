"""The two shells around the calls: one for threads, one for trio. What a node answers is bounded in bytes and time."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import trio

from lucid.api.versions import API_HEADER, API_VERSION
from lucid.chain.errors import Code
from lucid.client.calls import MAX_ANSWER_BYTES, Call, ClientError
from lucid.client.deadline import Deadline, TimedBackend

TIMEOUT_S = 30.0
"""How long nothing may come or go; an answer must have begun, its head whole, within twice that, and what it takes to
send a body."""
LEAST_BYTES_S = 16 << 10
"""How fast a body has to go, and an answer to come after its first `TIMEOUT_S`."""
PATIENCE_S = 300.0
"""For how long a node that has too many requests is asked again, as its `Retry-After` says."""
AWAY_S = 20.0
"""For how long one that cannot do it now is."""
MAX_WAIT_S = 60.0
FIRST_WAIT_S = 0.5

T = TypeVar("T")


class _Places:
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


def _head_s(call: Call[Any]) -> float:
    """How long it may take until the head of an answer is whole."""
    return 2 * TIMEOUT_S + len(call.body) / LEAST_BYTES_S


class _Answer:
    """An answer as it comes: refused as soon as it is too long, too slow or compressed."""

    def __init__(self, call: Call[Any], response: httpx.Response) -> None:
        self._call = call
        self._response = response
        self._limit = call.limit if response.is_success else MAX_ANSWER_BYTES
        self._data = bytearray()
        self._began = time.monotonic()
        spoken = response.headers.get(API_HEADER, API_VERSION)
        if spoken.partition(".")[0] != API_VERSION:
            said = f"it speaks version {spoken[:20]} of the API, this client version {API_VERSION}"
            raise self._refused(Code.API_VERSION, said)
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise self._refused(Code.MALFORMED, f"it answers in the encoding {encoding}, which nobody asked for")
        length = response.headers.get("Content-Length", "")
        if call.method != "HEAD" and length.isdigit() and (len(length) > 18 or int(length) > self._limit):
            raise self._refused(Code.TOO_LARGE, f"it answers more than {self._limit} bytes")

    def add(self, part: bytes) -> None:
        """Some more of it; raises `ClientError`."""
        self._data += part
        if len(self._data) > self._limit:
            raise self._refused(Code.TOO_LARGE, f"it answers more than {self._limit} bytes")
        if self.left_s <= 0:
            raise self._refused(Code.TOO_SLOW, f"it answers {len(self._data)} bytes in {TIMEOUT_S:.0f} s and more")

    @property
    def left_s(self) -> float:
        """How long it may take until more of it comes, or its end."""
        return self._began + TIMEOUT_S + len(self._data) / LEAST_BYTES_S - time.monotonic()

    def result(self) -> Any:
        """What the call reads of it; raises `ClientError`."""
        return self._call.result(self._response.status_code, bytes(self._data))

    def _refused(self, code: Code, detail: str) -> ClientError:
        return ClientError(code, f"{self._call.service}: {detail}", self._response.status_code)


class _Waits:
    """How long to wait before a node is asked again that has no time now."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._own = FIRST_WAIT_S

    def next(self, response: httpx.Response) -> float | None:
        """Seconds to wait; None if its answer is to be taken as it is."""
        told = response.headers.get("Retry-After", "")
        if response.status_code != 429 and not (response.status_code == 503 and told):
            return None
        self._own = min(2 * self._own, MAX_WAIT_S)
        wait = min(float(told), MAX_WAIT_S) if told.isascii() and told.isdigit() and len(told) < 9 else self._own
        wait = max(wait, FIRST_WAIT_S)
        patience = PATIENCE_S if response.status_code == 429 else AWAY_S
        return wait if time.monotonic() + wait < self._began + patience else None


class Client(_Places):
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
        waits = _Waits()
        while True:
            self._deadline.within(_head_s(call))
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
        answer = _Answer(call, response)
        self._deadline.within(answer.left_s)
        parts: Iterator[bytes] = response.iter_raw()
        for part in parts:
            answer.add(part)
            self._deadline.within(answer.left_s)
        result: T = answer.result()
        return result


class AsyncClient(_Places):
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
        waits = _Waits()
        while True:
            wait: float | None = None
            with trio.move_on_after(_head_s(call)) as scope:
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
        answer = _Answer(call, response)
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
