"""A token goes to its node alone."""

from __future__ import annotations

import pytest

from lucid.client import calls
from tests.client.lying import Answer, LyingNode
from tests.client.test_sealing import SESSION


def test_no_proxy_gets_to_see_a_token(node: LyingNode, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    node.answers["/manifest"] = Answer(body=b"{}")
    with node.client("secret") as client:
        assert client.send(calls.manifest(SESSION)) == b"{}"
    assert node.headers[-1]["Authorization"] == "Bearer secret"
