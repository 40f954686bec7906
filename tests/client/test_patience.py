"""How a client patience for a node that has no time now: as it is told to, and not forever."""

from __future__ import annotations

import time

import pytest

from lucid.chain.errors import Code
from lucid.client import calls, patience
from tests.client.lying import Answer, LyingNode, refused
from tests.client.test_sealing import SESSION

BUSY = (429, b'{"error":{"code":"LUCID_ERR_3007","message":"too many requests"}}')


@pytest.mark.parametrize("told", [(), (("Retry-After", "1"),), (("Retry-After", "soon"),)])
def test_a_client_waits_as_it_is_told_and_asks_again(node: LyingNode, told: tuple[tuple[str, str], ...]) -> None:
    node.answers["/manifest"] = [Answer(*BUSY, told), Answer(body=b"{}")]
    began = time.monotonic()
    with node.client() as client:
        assert client.send(calls.manifest(SESSION)) == b"{}"
    assert time.monotonic() - began >= (1.0 if told and told[0][1] == "1" else 0.5)
    assert len(node.asked) == 2


def test_its_patience_ends(node: LyingNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PATIENCE_S", 2.0)
    node.answers["/manifest"] = Answer(*BUSY, (("Retry-After", "1"),))
    assert refused(node, calls.manifest(SESSION)).code is Code.TOO_MANY
    assert 2 <= len(node.asked) <= 3
    node.answers["/manifest"] = Answer(*BUSY, (("Retry-After", "99999999"),))
    began = time.monotonic()
    assert refused(node, calls.manifest(SESSION)).status == 429
    assert time.monotonic() - began < 30


def test_a_service_that_says_nothing_of_later_is_not_waited_for(node: LyingNode) -> None:
    node.answers["/manifest"] = Answer(503)
    assert refused(node, calls.manifest(SESSION)).status == 503
    assert len(node.asked) == 1
