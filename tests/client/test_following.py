"""What becomes of a recording: final, failed or not yet; held by other nodes; proven, and by its own manifest alone."""

from __future__ import annotations

import json

import msgspec
import pytest

from harness.notary import SESSION
from lucid.api.answers import SessionCopies
from lucid.chain.receipts import print_receipt
from lucid.cli.main import main
from lucid.client import following
from lucid.client.calls import ClientError
from lucid.client.following import await_final, await_replicated, replicated
from tests.client.bench import Bench, bench
from tests.client.lying import Answer, LyingNode, lying_node
from tests.client.sanenode import BUSY, NET, PENDING, anchor, methods, node

__all__ = ["bench", "node"]

OWNER_ID = bytes(32)


def said(status: str) -> Answer:
    """A session's state."""
    state = {"session": str(SESSION), "status": status, "transaction": "00" * 32, "height": 1}
    return Answer(body=json.dumps(state | {"code": "LUCID_ERR_1001", "message": "no"}).encode())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for long."""
    monkeypatch.setattr(following, "POLL_S", 0.001)
    monkeypatch.setattr(following, "COPIES_POLL_S", 0.001)


@pytest.mark.usefixtures("quick")
def test_a_session_is_followed_until_it_is_final_through_a_node_that_is_away() -> None:
    with lying_node() as there, there.client() as client:
        there.answers["GET "] = [said("pending"), Answer(503), said("included"), said("final")]
        told: list[str] = []
        assert await_final(client, SESSION, 60.0, told.append).status == "final"
        assert told == ["pending", "included", "final"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("answer", "status"), [(said("failed"), 0), (Answer(404), 404)])
def test_what_failed_or_is_not_known_is_waited_for_no_longer(answer: Answer, status: int) -> None:
    with lying_node() as there, there.client() as client:
        there.answers["GET "] = answer
        with pytest.raises(ClientError) as refused:
            await_final(client, SESSION, 60.0)
        assert refused.value.status == status and len(there.asked) == 1


@pytest.mark.usefixtures("quick")
def test_who_has_waited_long_enough_gets_what_is_so() -> None:
    with lying_node() as there, there.client() as client:
        there.answers["GET "] = said("pending")
        assert await_final(client, SESSION, -1.0).status == "pending"


HELD = SessionCopies(
    session=str(SESSION), owner="", copies=3, stored=0, verified=0, replicated=5, missing=0, corrupted=0, on_chain=3
)


@pytest.mark.parametrize(
    ("changed", "whole"),
    [
        ({}, True), ({"on_chain": None}, True), ({"on_chain": 2}, False), ({"copies": 1, "on_chain": 1}, False),
        ({"stored": 1}, False), ({"verified": 1}, False), ({"missing": 1}, False), ({"corrupted": 1}, False),
        ({"pending": 1}, False),
    ],
)  # fmt: skip
def test_a_session_is_replicated_where_nothing_lacks_and_the_chain_says_so(
    changed: dict[str, int | None], whole: bool
) -> None:
    assert replicated(msgspec.structs.replace(HELD, **changed)) is whole


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("last", "asked"), [({}, 3), ({"copies": 1}, 3)])
@pytest.mark.parametrize("copies", [3, 0])
def test_copies_are_waited_for_where_there_can_be_some(last: dict[str, int], asked: int, copies: int) -> None:
    fewer = Answer(body=msgspec.json.encode(msgspec.structs.replace(HELD, stored=1, copies=copies)))
    with lying_node() as there, there.client() as client:
        end = msgspec.structs.replace(HELD, **last)
        there.answers["GET "] = [fewer, fewer, Answer(body=msgspec.json.encode(end))]
        told: list[str] = []
        assert await_replicated(client, SESSION, OWNER_ID, 60.0, told.append) == end
        assert len(there.asked) == asked and told == ["copying"] * 2


def test_the_other_nodes_that_are_named_keep_the_manifest_too(bench: Bench, node: LyingNode) -> None:
    with lying_node() as second, lying_node() as third:
        second.answers["POST /anchor-session"] = PENDING
        bench.config("second.toml", second.url)
        third.answers["POST /anchor-session"] = BUSY._replace(status=503, headers=())
        bench.config("third.toml", third.url)
        named = [f"--config={name}.toml" for name in ("node", "second", "third")]
        status = main(["anchor", "f", *named, "--owner", "owner.key", "--chunk-size", "1KiB", "--receipt", "r.json"])
        error = bench.capsys.readouterr().err
        assert status == 0 and error.count("\n") == 1 and "no second copy of the manifest" in error
        assert methods(second) == ["POST"] and not second.chunks
    assert (bench.folder / "r.json").exists() and not list(bench.folder.glob("*.recording"))


def test_a_receipt_of_another_manifest_of_the_same_session_is_none(bench: Bench, node: LyingNode) -> None:
    original = node.answer

    def answer(method: str, path: str, body: bytes) -> Answer:
        answered = original(method, path, body)
        if method == "POST":
            mine = json.loads(body)
            other = NET.manifest(session=mine["session"], chunks=mine["chunks"], codec="another")
            node.answers["GET /receipt"] = Answer(body=print_receipt(NET.receipt(manifest=other), NET.genesis))
        return answered

    node.answer = answer  # type: ignore[method-assign]
    status, error = anchor(bench, "--receipt", "r.json")
    assert status == 20 and "6012" in error and not (bench.folder / "r.json").exists()
