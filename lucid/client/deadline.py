"""A time by which a thread's request must have gone on: every read and write of its connection is held to it.

httpx bounds each read by itself. A node that sends a byte in time each time, or one interim answer (HTTP 103) after the
other, would be waited for without end.
"""

from __future__ import annotations

import math
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore

PIECE_BYTES = 64 << 10
"""What is written between two looks at the clock."""


class Deadline(threading.local):
    """Each thread has its own, as each sends one request at a time."""

    def __init__(self) -> None:
        self._at = math.inf

    def within(self, seconds: float) -> None:
        """From now on so long."""
        self._at = time.monotonic() + seconds

    @property
    def over(self) -> bool:
        """Whether it has passed."""
        return time.monotonic() >= self._at

    def bound(self, timeout: float | None) -> float | None:
        """A timeout, cut to what is left."""
        left = max(self._at - time.monotonic(), 0.001)
        return timeout if math.isinf(left) else left if timeout is None else min(timeout, left)


class TimedBackend(httpcore.SyncBackend):
    """Connections whose reads and writes end at a deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """See `httpcore.NetworkBackend`."""
        within = self._deadline.bound(timeout)
        return TimedStream(super().connect_tcp(host, port, within, local_address, socket_options), self._deadline)


class TimedStream(httpcore.NetworkStream):
    """One such connection."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See `httpcore.NetworkStream`."""
        if self._deadline.over:
            raise httpcore.ReadTimeout("the deadline has passed")
        return self._stream.read(max_bytes, self._deadline.bound(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See `httpcore.NetworkStream`."""
        view = memoryview(buffer)
        for start in range(0, len(view), PIECE_BYTES):
            if self._deadline.over:
                raise httpcore.WriteTimeout("the deadline has passed")
            self._stream.write(bytes(view[start : start + PIECE_BYTES]), self._deadline.bound(timeout))

    def close(self) -> None:
        """See `httpcore.NetworkStream`."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """See `httpcore.NetworkStream`."""
        within = self._deadline.bound(timeout)
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, within), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """See `httpcore.NetworkStream`."""
        return self._stream.get_extra_info(info)
