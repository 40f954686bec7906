"""The client for trio has the bounds of the one for threads."""

from __future__ import annotations

import pytest

from lucid.client import AsyncClient, ClientError, calls
from tests.client.lying import Answer, LyingNode
from tests.client.test_sealing import SESSION

BUSY = (429, b'{"error":{"code":"LUCID_ERR_3007","message":"too many requests"}}')


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
