"""An answer as it comes: refused as soon as it is too long, too slow or compressed."""

from __future__ import annotations

import time
from typing import Any

import httpx

from lucid.api.versions import API_HEADER, API_VERSION
from lucid.chain.errors import Code
from lucid.client.calls import MAX_ANSWER_BYTES, Call, ClientError

TIMEOUT_S = 30.0
"""How long nothing may come or go; an answer must have begun, its head whole, within twice that, and what it takes to
send a body."""
LEAST_BYTES_S = 16 << 10
"""How fast a body has to go, and an answer to come after its first `TIMEOUT_S`."""


def head_s(call: Call[Any]) -> float:
    """How long it may take until the head of an answer is whole."""
    return 2 * TIMEOUT_S + len(call.body) / LEAST_BYTES_S


class NodeAnswer:
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
