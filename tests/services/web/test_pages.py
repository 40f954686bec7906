"""The pages for people in a real browser, where there is one: they work under their policy, and are text alone."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from lucid.chain.document import print_genesis
from lucid.chain.genesis import GenesisNode
from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES
from lucid.services.web.pages import load_page
from tests.browser import Browser
from tests.waiting import wait_until

HOSTILE = "<img src=x onerror=document.title=1><script>document.title=1</script>"
SHORT = "<img src=x onerror=document.title=1>\u202e\n"
"""It fits a node's name."""
PAGES = ("", "blocks", "sessions", "nodes", "data", "block/2", "session/7c9e6679-7425-40de-944b-e07fc1f90ae7")
FOR_MS = 4_000
"""How long the scripts of a page run."""
PATHS = {
    "chain": "/chain",
    "services": "/services",
    "nodes": "/nodes",
    "data": "/data",
    "sessions": "/sessions",
    "blocks": "/blocks",
}


def body(page: str) -> str:
    """What a page shows, without its style and script."""
    return re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)


def await_height(node: Any, height: int) -> None:
    """Wait for a block."""
    wait_until(lambda: httpx.get(f"{node.url('manager')}/chain").json()["height"] >= height)


@contextmanager
def stand_in(answer: Callable[[str], Any]) -> Iterator[str]:
    """A server with the explorer's page under its policy, whose other paths answer JSON; gives its URL."""
    page = load_page("explorer")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0].lstrip("/")
            data = page.document.encode() if path == "explorer" else json.dumps(answer(path)).encode()
            self.send_response(200)
            if path == "explorer":
                self.send_header("Content-Security-Policy", page.policy)
            self.send_header("Content-Type", "text/html" if path == "explorer" else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/explorer"
        finally:
            server.shutdown()
            thread.join()


def hostile(value: Any) -> Any:
    """JSON in which every text is markup."""
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, list):
        return [hostile(each) for each in value]
    return {key: hostile(each) for key, each in value.items()} if isinstance(value, dict) else value


@pytest.fixture(scope="module")
def answers(lone: Devnet) -> dict[str, Any]:
    """What a node answers to the explorer."""
    node = lone.nodes[0]
    await_height(node, 2)
    httpx.get(f"{node.url('manager')}/data")
    wait_until(lambda: httpx.get(f"{node.url('manager')}/data").json()["counts"] is not None)
    found = {name: httpx.get(f"{node.url('manager')}{path}").json() for name, path in PATHS.items()}
    found["blocks/2"] = httpx.get(f"{node.url('manager')}/blocks/2").json()
    member, key = found["nodes"]["nodes"][0]["member"], node.key.hex()
    member["double_votes"] = [{"epoch": 3, "view": 7}]
    found["nodes"]["nodes"].append({"node": "ab" * 32, "member": None, "peer": PEER})
    found["services"]["services"][1] |= {"status": "degraded", "reasons": [TWICE["sentence"]], "conditions": [TWICE]}
    session = {"session": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "owner": key, "transaction": key, "height": 2}
    failed = session | {"status": "failed", "message": "refused", "code": "LUCID_ERR_6006", "accepted_ms": 1}
    found["sessions"] |= {
        "final": [session | {"time_ms": 1}],
        "included": [session | {"time_ms": 1, "owner": "ab" * 32}],
        "waiting": {"waiting": 1, "sessions": [failed | {"owner": "cd" * 32}]},
    }
    found["sessions/7c9e6679-7425-40de-944b-e07fc1f90ae7"] = {"sessions": [failed]}
    return found


TWICE = {"state": "key in two places", "sentence": "this node's key has voted elsewhere", "remedy": "stop the other"}
PEER = {
    "node": "ab" * 32,
    "connected": True,
    "connected_ms": 1,
    "messages_in": 1,
    "messages_out": 1,
    "bytes_in": 1,
    "bytes_out": 1,
    "dropped": 0,
    "height": 1,
    "behind": 12,
    "heard_ms": 1,
}


def test_the_explorer_shows_where_the_chain_stands(browser: Browser, lone: Devnet, tmp_path: Path) -> None:
    node = lone.nodes[0]
    await_height(node, 2)
    page = body(browser.shown(f"{node.url('manager')}/explorer", tmp_path, FOR_MS))
    for label in ("final height", "finality took", "leads now", "leads next", "validators"):
        assert f"<small>{label}</small>" in page, page[-3_000:]
    assert node.key.hex()[:8] in page and "Latest blocks" in page and page.count("healthy") >= 4


def test_the_explorer_shows_sessions_peers_evidence_and_chunks(
    browser: Browser, answers: dict[str, Any], tmp_path: Path
) -> None:
    with stand_in(lambda path: answers[path]) as url:
        page = {
            name: body(browser.shown(f"{url}#{name}", tmp_path, FOR_MS)) for name in ("", "sessions", "nodes", "data")
        }
    assert "key in two places" in page[""] and "To do: stop the other" in page[""] and "voted twice" in page[""]
    for state in ("final", "included", "failed"):
        assert f">{state}</span>" in page["sessions"], state
    assert "12 blocks behind" in page["nodes"] and "epoch 3, view 7" in page["nodes"]
    for state in ("replicated", "verified", "stored", "missing", "corrupted"):
        assert f">{state}</span>" in page["data"], state
    assert "By node" in page["data"] and "this node" in page["data"]


def test_the_explorer_is_live_without_a_reload(browser: Browser, answers: dict[str, Any], tmp_path: Path) -> None:
    asked = 0

    def answer(path: str) -> Any:
        nonlocal asked
        asked += path == "chain"
        return answers[path] | ({"height": 1_000 + asked} if path == "chain" else {})

    with stand_in(answer) as url:
        page = body(browser.shown(url, tmp_path, FOR_MS))
    found = re.search(r"final height</small><b>1,0(\d\d)<", page)
    assert found is not None and int(found[1]) >= 2, page[:3_000]


def test_whatever_a_node_says_stays_text(browser: Browser, answers: dict[str, Any], tmp_path: Path) -> None:
    with stand_in(lambda path: hostile(answers[path])) as url:
        for name in PAGES:
            page = browser.shown(f"{url}#{name}", tmp_path, FOR_MS)
            assert "<title>Lucid explorer</title>" in page and page.count("<script>") == 1, name
            assert "<img" not in body(page) and "&lt;img" in body(page), name


def test_a_hostile_address_stays_text(browser: Browser, lone: Devnet, tmp_path: Path) -> None:
    page = browser.shown(f"{lone.nodes[0].url('manager')}/explorer#{HOSTILE}", tmp_path, FOR_MS)
    assert "<img" not in body(page) and "<title>Lucid explorer</title>" in page


def test_a_hostile_name_on_the_chain_stays_text(browser: Browser, tmp_path: Path) -> None:
    network = Devnet(tmp_path / "net", 1, 1_000)
    [node] = network.nodes
    named = msgspec.structs.replace(network.genesis, nodes=(GenesisNode(node.key, SHORT),)).check()
    (network.folder / "genesis.toml").write_text(print_genesis(named), encoding="utf-8")
    with network:
        [found] = httpx.get(f"{node.url('manager')}/nodes").json()["nodes"]
        assert found["member"]["name"] == SHORT.encode("unicode_escape").decode()
        page = browser.shown(f"{node.url('manager')}/explorer#nodes", tmp_path / "browser", FOR_MS)
    assert "&lt;img src=x onerror=document.title=1&gt;" in body(page) and "<img" not in body(page)
    assert "<title>Lucid explorer</title>" in page


@pytest.mark.parametrize(("name", "path"), [("explorer", "/explorer"), ("description", "/docs")])
def test_a_page_runs_its_own_script_alone(lone: Devnet, name: str, path: str) -> None:
    found = httpx.get(lone.nodes[0].url("manager") + path)
    policy = found.headers["Content-Security-Policy"]
    assert policy == load_page(name, "block-manager").policy
    assert "unsafe" not in policy and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert not re.search(r" on\w+=|style=|https?://", body(found.text))


@pytest.mark.parametrize("service", SERVICES)
def test_the_description_shows_parameters_bodies_and_errors(
    browser: Browser, lone: Devnet, tmp_path: Path, service: str
) -> None:
    page = browser.shown(f"{lone.nodes[0].url(service)}/docs", tmp_path, FOR_MS)
    assert "<summary>" in page and "Too many requests" in page and "<code>/health</code>" in page


def test_where_the_chain_stands(lone: Devnet) -> None:
    node = lone.nodes[0]
    found = httpx.get(f"{node.url('manager')}/chain").json()
    assert found["leader"] == found["leader_next"] == node.key.hex() and found["validators"] == [node.key.hex()]
    assert (found["peers"], found["block_interval_ms"]) == (0, 1_000) and found["age_ms"] < 60_000
