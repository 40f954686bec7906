"""What is done to services that run, before it is looked at what came of it: a kill, a client that stalls."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

from smoke.live.node import Node
from smoke.live.underway import Run


def restart(run: Run) -> None:
    """End all by SIGKILL and start them again. Raises `LiveError` when they do not become healthy."""
    for service in run.node.services:
        run.node.kill(service)
    for service in run.node.services:
        run.node.start(service)
    run.node.await_health(run.node.services, "healthy", run.start_s)


@contextlib.contextmanager
def stalled(node: Node, service: str, text: str) -> Iterator[None]:
    """A client that says something and reads nothing of the answer."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", node.ports[service]))
        client.sendall(text.encode())
        time.sleep(0.5)
        yield
