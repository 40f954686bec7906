"""What a client takes from a node: bounded in bytes, in time and in encodings; and how it waits when it is told to."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lucid.chain.chunks import chunk_id
from lucid.chain.errors import Code
from lucid.client import AsyncClient, ClientError, calls
from lucid.client import http as http_module
from lucid.client.calls import MAX_ANSWER_BYTES
from tests.client.lying import DEEP, Answer, LyingNode, lying_node
from tests.client.test_sealing import SESSION

BUSY = (429, b'{"error":{"code":"LUCID_ERR_3007","message":"too many requests"}}')


@pytest.fixture
def node() -> Iterator[LyingNode]:
    """A node that lies."""
    with lying_node() as made:
        yield made


def refused(node: LyingNode, call: calls.Call[Any]) -> ClientError:
    """What the client says."""
    with node.client() as client, pytest.raises(ClientError) as caught:
        client.send(call)
    return caught.value


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
    monkeypatch.setattr(http_module, "TIMEOUT_S", 0.5)

    def drip() -> Iterator[bytes]:
        for _ in range(2_000):
            time.sleep(0.05)
            yield b" "

    node.answers[""] = Answer(body=drip)
    began = time.monotonic()
    assert refused(node, calls.session_state(SESSION)).code is Code.TOO_SLOW
    assert time.monotonic() - began < 30


def test_no_proxy_gets_to_see_a_token(node: LyingNode, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    node.answers["/manifest"] = Answer(body=b"{}")
    with node.client("secret") as client:
        assert client.send(calls.manifest(SESSION)) == b"{}"
    assert node.headers[-1]["Authorization"] == "Bearer secret"


@pytest.mark.parametrize("told", [(), (("Retry-After", "1"),), (("Retry-After", "soon"),)])
def test_a_client_waits_as_it_is_told_and_asks_again(node: LyingNode, told: tuple[tuple[str, str], ...]) -> None:
    node.answers["/manifest"] = [Answer(*BUSY, told), Answer(body=b"{}")]
    began = time.monotonic()
    with node.client() as client:
        assert client.send(calls.manifest(SESSION)) == b"{}"
    assert time.monotonic() - began >= (1.0 if told and told[0][1] == "1" else 0.5)
    assert len(node.asked) == 2


def test_its_patience_ends(node: LyingNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "PATIENCE_S", 2.0)
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


def test_a_chunk_is_checked_against_its_id(node: LyingNode) -> None:
    node.answers[f"/chunks/{bytes(32).hex()}"] = Answer(body=b"x" * 2_000)
    assert refused(node, calls.chunk(bytes(32))).code is Code.CHUNK_ID
    node.chunks[chunk_id(b"y" * 2_000).hex()] = b"y" * 2_000
    with node.client() as client:
        assert client.send(calls.chunk(chunk_id(b"y" * 2_000), 2_000)) == b"y" * 2_000


async def test_the_trio_client_has_the_same_bounds(node: LyingNode) -> None:
    node.answers["/manifest"] = [Answer(*BUSY, (("Retry-After", "1"),)), Answer(body=bytes(5))]
    async with AsyncClient(node.url, node.url) as client:
        assert await client.send(calls.manifest(SESSION)) == bytes(5)
        node.answers["/manifest"] = Answer(headers=(("Content-Encoding", "gzip"),))
        with pytest.raises(ClientError, match="encoding"):
            await client.send(calls.manifest(SESSION))
        node.answers[f"/chunks/{bytes(32).hex()}"] = Answer(body=bytes(3_000))
        with pytest.raises(ClientError, match="3004"):
            await client.send(calls.chunk(bytes(32), 2_999))


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'{"error":{"code":"x"}}', b'{"error":{"code":"LUCID_ERR_1"}}'])
def test_an_error_that_is_none_is_still_one(node: LyingNode, body: bytes) -> None:
    node.answers[""] = Answer(418, body)
    error = refused(node, calls.session_state(SESSION))
    assert (error.code, error.status) == (Code.UNAVAILABLE, 418)


def test_an_answer_that_is_nested_without_end_is_one_sentence(node: LyingNode) -> None:
    for status, code in ((200, Code.MALFORMED), (503, Code.UNAVAILABLE)):
        node.answers[""] = Answer(status, DEEP)
        assert refused(node, calls.session_copies(SESSION)).code is code


def test_what_a_node_says_is_escaped(node: LyingNode) -> None:
    node.answers[""] = Answer(404, b'{"error":{"code":"LUCID_ERR_3002","message":"\\u001b[2K\\nlucid: all is well"}}')
    assert str(refused(node, calls.session_state(SESSION))).isprintable()


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
