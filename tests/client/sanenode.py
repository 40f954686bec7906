"""A node that takes sessions and proves them, and `lucid anchor` that asks it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from harness.notary import CRYPTO, Notary
from lucid.chain.manifests import check_manifest
from lucid.chain.receipts import print_receipt
from lucid.cli.main import main
from tests.client.bench import Bench
from tests.client.lying import Answer, LyingNode

NET = Notary()
BUSY = Answer(429, b'{"error":{"code":"LUCID_ERR_3007","message":"too many requests"}}', (("Retry-After", "1"),))
PENDING = Answer(202, b'{"session":"x","transaction":"00","status":"pending"}')
FINAL = Answer(body=json.dumps({"session": "x", "status": "final", "transaction": "00" * 32, "height": 1}).encode())


class Sane(LyingNode):
    """A node that takes sessions and proves them."""

    def __init__(self, node: LyingNode) -> None:
        self.__dict__ = node.__dict__
        self._answer = LyingNode.answer

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """As a node does that is alone on its chain."""
        if method == "POST" and "/anchor-session" not in self.answers:
            anchor = check_manifest(body, NET.genesis.chain_id, CRYPTO).anchor
            self.answers["GET /receipt"] = Answer(
                body=print_receipt(NET.receipt(NET.transaction(anchor), body), NET.genesis)
            )
            self.asked.append(f"{method} {path}")
            return PENDING
        if method == "GET" and "/sessions/" in path and not path.partition("?")[0].endswith(("/receipt", "/manifest")):
            return FINAL
        return super().answer(method, path, body)


@pytest.fixture
def node(bench: Bench) -> Iterator[LyingNode]:
    """The bench's node, as sane as a test leaves it, and a file to anchor."""
    sane = Sane(bench.node)
    bench.node.answer = sane.answer  # type: ignore[method-assign]
    (bench.folder / "f").write_bytes(bytes(range(256)) * 40)
    yield bench.node


def anchor(bench: Bench, *options: str) -> tuple[int, str]:
    """Run `lucid anchor`; returns its status and what it says on standard error."""
    files = [] if "--resume" in options else ["f"]
    configs = [] if "--config" in options else ["--config", "node.toml"]
    status = main(["anchor", *files, *configs, "--owner", "owner.key", "--chunk-size", "1KiB", *options])
    return status, bench.capsys.readouterr().err


def kept(bench: Bench) -> str:
    """The file of the one recording that goes on."""
    [path] = bench.folder.glob("*.recording")
    return path.name


def methods(node: LyingNode) -> list[str]:
    """The methods of what was asked."""
    return [each.partition(" ")[0] for each in node.asked]
