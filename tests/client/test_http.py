"""The client for threads: what a node answers is checked, and told."""

from __future__ import annotations

from lucid.chain.chunks import chunk_id
from lucid.chain.errors import Code
from lucid.client import calls
from tests.client.lying import Answer, LyingNode, refused
from tests.client.test_sealing import SESSION


def test_a_chunk_is_checked_against_its_id(node: LyingNode) -> None:
    node.answers[f"/chunks/{bytes(32).hex()}"] = Answer(body=b"x" * 2_000)
    assert refused(node, calls.chunk(bytes(32))).code is Code.CHUNK_ID
    node.chunks[chunk_id(b"y" * 2_000).hex()] = b"y" * 2_000
    with node.client() as client:
        assert client.send(calls.chunk(chunk_id(b"y" * 2_000), 2_000)) == b"y" * 2_000


def test_what_a_node_says_is_escaped(node: LyingNode) -> None:
    node.answers[""] = Answer(404, b'{"error":{"code":"LUCID_ERR_3002","message":"\\u001b[2K\\nlucid: all is well"}}')
    assert str(refused(node, calls.session_state(SESSION))).isprintable()
