"""How the code asks over HTTP: by a client that is made once and that leaves the environment's proxies alone.

Each new client reads all certificates of the machine, 50 ms of a core; and a proxy that the environment names would be
shown tokens, and what it says of a port of this machine would be taken for the answer of who listens there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("lucid", "sim", "harness", "smoke", "images", "docs")
CLIENTS = ("Client", "AsyncClient")
ONE_QUESTION = ("get", "head", "post", "put", "patch", "delete", "options", "request", "stream")


def wrong_ways(paths: Iterable[Path]) -> list[str]:
    """Where a client is made for one question, or one that asks the proxies; who gives a transport gives it all."""
    found = []
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not ast.unparse(node.func).startswith("httpx."):
                continue
            name = ast.unparse(node.func).removeprefix("httpx.")
            given = {each.arg for each in node.keywords}
            if name in ONE_QUESTION or (name in CLIENTS and not given & {"trust_env", "transport"}):
                found.append(f"{path.name}:{node.lineno} {name}")
    return found


def test_a_client_asks_more_than_once_and_no_proxy() -> None:
    assert not wrong_ways(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("httpx.get(url, trust_env=False)", True),
        ("httpx.Client(timeout=5)", True),
        ("httpx.AsyncClient()", True),
        ("httpx.Client(timeout=5, trust_env=False)", False),
        ("httpx.Client(transport=transport, **options)", False),
        ("client.get(url)", False),
        ("httpx.Limits()", False),
    ],
)
def test_a_wrong_way_is_found(tmp_path: Path, text: str, wrong: bool) -> None:
    path = tmp_path / "one.py"
    path.write_text(text)
    assert bool(wrong_ways([path])) == wrong
