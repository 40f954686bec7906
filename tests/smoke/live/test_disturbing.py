"""What is done to services: all are killed before any starts, and a client that stalls is there until the end."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

from smoke.live.disturbing import restart, stalled


def test_all_are_killed_before_any_is_started_and_awaited() -> None:
    seen: list[tuple[str, object]] = []
    node: Any = SimpleNamespace(
        services=["one", "two"],
        kill=lambda service: seen.append(("kill", service)),
        start=lambda service: seen.append(("start", service)),
        await_health=lambda services, status, within_s: seen.append((status, (*services, within_s))),
    )
    run: Any = SimpleNamespace(node=node, start_s=7.0)
    restart(run)
    assert seen == [
        *[("kill", "one"), ("kill", "two"), ("start", "one"), ("start", "two")],
        ("healthy", ("one", "two", 7.0)),
    ]


def test_a_client_has_spoken_and_stays_until_it_is_let_go() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        node: Any = SimpleNamespace(ports={"one": server.getsockname()[1]})
        with stalled(node, "one", "GET / HTTP/1.1\r\n"):
            taken, _ = server.accept()
            assert taken.recv(99) == b"GET / HTTP/1.1\r\n"
            taken.settimeout(0.1)
            try:
                left = taken.recv(99)
            except TimeoutError:
                left = b"nothing yet"
            assert left == b"nothing yet"
        taken.settimeout(5)
        with taken:
            assert taken.recv(99) == b"", "it is gone"
