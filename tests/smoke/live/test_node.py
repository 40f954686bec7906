"""A node from outside: where its services answer, what they say, and how long one waits for them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from smoke.live.failure import LiveError
from smoke.live.node import Node, nothing
from smoke.live.plain import PlainProduct
from smoke.live.processes import ProcessNode
from smoke.manifestfile import parse_manifest

MANIFEST = """
[[service]]
name = "shop"
dockerfile = "Dockerfile"
port = 9001
health = "/health"
[[service]]
name = "worker"
dockerfile = "Dockerfile"
"""


class Speaker(BaseHTTPRequestHandler):
    """Says that it is well, degraded, or what its path asks for."""

    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/degraded" else 200)
        self.end_headers()
        self.wfile.write(b'{"status": "healthy"}')

    def log_message(self, *words: object) -> None:
        """Nobody reads it."""


def node_of(folder: Path) -> ProcessNode:
    return ProcessNode(folder, PlainProduct(parse_manifest(MANIFEST.encode()), folder))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node whose shop answers in a thread of the test's own."""
    made = node_of(tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", made.ports["shop"]), Speaker) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


def test_each_service_that_listens_has_a_port_of_its_own(tmp_path: Path) -> None:
    first, second = node_of(tmp_path), node_of(tmp_path)
    assert first.services == ["shop", "worker"] and [*first.ports] == ["shop"]
    assert first.ports != second.ports, "the first may not have started yet"
    assert first.port("worker") is None and first.port("shop") == first.ports["shop"]
    assert first.url("shop") == first.inner_url("shop") == f"http://127.0.0.1:{first.ports['shop']}"


def test_services_in_containers_find_each_other_by_name_and_their_own_ports(tmp_path: Path) -> None:
    node = node_of(tmp_path)
    node.contained = True
    assert node.inner_url("shop") == "http://shop:9001" and node.port("shop") == 9001
    assert node.url("shop") != node.inner_url("shop"), "the harness stands outside"


def test_a_service_is_asked_at_its_health_path(node: Node) -> None:
    state, answer = node.state("shop")
    assert state == "healthy" and answer is not None and answer.request.url.path == "/health"
    assert node.await_health(["shop"], "healthy", 60) == {"shop": {"status": "healthy"}}
    degraded = node.ask("shop", "/degraded")
    assert degraded is not None and node.product.state(node, "shop", degraded) == "degraded"


def test_a_proxy_is_not_asked(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """The services are of this machine; what a proxy says of their ports would be taken for theirs."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert node.send("GET", "shop", "/health").status_code == 200


def test_asking_reads_no_certificates(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked five times a second, and each time they were read anew: half a core."""
    monkeypatch.setattr(ssl, "create_default_context", None)
    for _ in range(3):
        assert node.ask("shop", "/health") is not None
        assert node.send("POST", "shop", "/orders", content=b"tea", timeout=60.0).status_code == 501


def test_nobody_answers_where_nothing_runs(tmp_path: Path) -> None:
    node = node_of(tmp_path)
    assert node.ask("shop", "/health") is None and node.state("shop") == ("", None)
    with pytest.raises(httpx.ConnectError):
        node.send("POST", "shop", "/orders")


def test_who_has_ended_is_not_waited_for(tmp_path: Path) -> None:
    """The deadline is ten minutes: a test that hangs here waits for it."""
    node = node_of(tmp_path)
    (tmp_path / "shop.log").write_text("no database")
    with pytest.raises(LiveError, match="shop has ended: no database"):
        node.await_health(["shop", "worker"], "healthy", 600)


def test_who_is_not_well_in_time_is_named_with_what_it_said(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "running", lambda service: True)
    with pytest.raises(LiveError, match=r"shop is not degraded after 0 s: \{'status': 'healthy'\}"):
        node.await_health(["shop"], "degraded", 0)


def test_a_node_needs_nothing_unless_it_is_told() -> None:
    assert nothing("127.0.0.1") == {}
