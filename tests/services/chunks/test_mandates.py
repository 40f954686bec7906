"""Mandates of relays: what an owner signed for this node is handed in, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from lucid.chain.codec import decode
from lucid.chain.transactions import Payload, RelayMandate
from tests.services.chunks.relayside import ME, OTHER, SESSION, SIGNATURE, UNNAMED, Around, run


async def test_a_node_that_an_owner_named_in_the_manifest_hands_that_in(tmp_path: Path) -> None:
    async def test(node: Around) -> None:
        node.known = UNNAMED
        node.manifest = {"relay": {"node": ME.hex(), "signature": SIGNATURE.hex()}, "chunks": []}
        for _ in range(2):
            await node.relaying.look([SESSION])
        [(path, body)] = node.taken
        assert path == "/transactions" and node.asked == 1
        payload: Any = decode(bytes.fromhex(body["payload"]), Payload)  # type: ignore[arg-type]
        assert payload == RelayMandate(ME, SESSION[16:], SESSION[:16], SIGNATURE)

    await run(tmp_path, test)


@pytest.mark.parametrize("relay", [None, OTHER])
async def test_a_node_that_no_owner_named_hands_nothing_in(tmp_path: Path, relay: bytes | None) -> None:
    async def test(node: Around) -> None:
        node.known = UNNAMED
        await node.relaying.look([SESSION])
        node.relaying.mandates._mandates.clear()
        node.manifest = {"relay": relay and {"node": relay.hex(), "signature": SIGNATURE.hex()}}
        await node.relaying.look([SESSION])
        node.known = msgspec.structs.replace(UNNAMED, open=False)
        node.manifest = {"relay": {"node": ME.hex(), "signature": SIGNATURE.hex()}}
        await node.relaying.look([SESSION])
        assert not node.taken and node.asked == 2

    await run(tmp_path, test)
