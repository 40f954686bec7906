"""What a client takes of an answer: bounded in bytes and time, in no encoding, of its own version of the interface."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator

import pytest

from lucid.chain.errors import Code
from lucid.client import calls, nodeanswer
from lucid.client.calls import MAX_ANSWER_BYTES
from tests.client.lying import DEEP, Answer, LyingNode, refused
from tests.client.test_sealing import SESSION


def test_nothing_compressed_is_asked_for_or_taken(node: LyingNode) -> None:
    for encoding in ("gzip", "gzip, gzip", "deflate", "br"):
        node.answers["/manifest"] = Answer(
            body=gzip.compress(bytes(1 << 20)), headers=(("Content-Encoding", encoding),)
        )
        assert refused(node, calls.manifest(SESSION)).code is Code.MALFORMED
    assert {headers["Accept-Encoding"] for headers in node.headers} == {"identity"}


def test_an_answer_without_end_is_cut_at_its_limit(node: LyingNode) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield bytes(1 << 16)

    identity = bytes(32)
    node.answers = {f"/chunks/{identity.hex()}": Answer(body=endless), "": Answer(500, endless)}
    assert refused(node, calls.chunk(identity, 2_000)).code is Code.TOO_LARGE
    began = time.monotonic()
    assert refused(node, calls.session_state(SESSION)).code is Code.TOO_LARGE, "errors too"
    assert time.monotonic() - began < 30
    assert calls.session_state(SESSION).limit == MAX_ANSWER_BYTES


def test_an_answer_that_drips_is_cut(node: LyingNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodeanswer, "TIMEOUT_S", 0.5)

    def drip() -> Iterator[bytes]:
        for _ in range(2_000):
            time.sleep(0.05)
            yield b" "

    node.answers[""] = Answer(body=drip)
    began = time.monotonic()
    assert refused(node, calls.session_state(SESSION)).code is Code.TOO_SLOW
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'{"error":{"code":"x"}}', b'{"error":{"code":"LUCID_ERR_1"}}'])
def test_an_error_that_is_none_is_still_one(node: LyingNode, body: bytes) -> None:
    node.answers[""] = Answer(418, body)
    error = refused(node, calls.session_state(SESSION))
    assert (error.code, error.status) == (Code.UNAVAILABLE, 418)


def test_an_answer_that_is_nested_without_end_is_one_sentence(node: LyingNode) -> None:
    for status, code in ((200, Code.MALFORMED), (503, Code.UNAVAILABLE)):
        node.answers[""] = Answer(status, DEEP)
        assert refused(node, calls.session_copies(SESSION)).code is code


def test_a_node_of_another_version_of_the_interface_is_one_sentence(node: LyingNode) -> None:
    node.answers["/manifest"] = Answer(headers=(("Lucid-API-Version", "2"),))
    found = refused(node, calls.manifest(SESSION))
    assert found.code is Code.API_VERSION
    assert "it speaks version 2 of the API, this client version 1" in str(found) and "\n" not in str(found)
    assert {headers["Lucid-API-Version"] for headers in node.headers} == {"1"}
    for spoken in ("1", "1.9"):
        node.answers["/manifest"] = Answer(headers=(("Lucid-API-Version", spoken),))
        with node.client() as client:
            assert client.send(calls.manifest(SESSION)) == b"{}"
