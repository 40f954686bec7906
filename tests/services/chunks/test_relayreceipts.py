"""Receipts for relays: signed for what came from there, again where they do not come to the chain; proofs wait."""

from __future__ import annotations

from pathlib import Path

import msgspec

from lucid.services.chunks.handedin import SAID_BLOCKS
from lucid.services.chunks.relayreceipts import KEPT_BACK_BLOCKS
from tests.services.chunks.relayside import IDS, ME, NAMED, OTHER, RELAY, SESSION, SIGNATURE, UNNAMED, Around, run


async def test_it_signs_for_the_held_chunks_that_came_from_the_relay(tmp_path: Path) -> None:
    async def test(node: Around) -> None:
        await node.fetched(IDS[0], OTHER, RELAY)
        await node.fetched(IDS[1], RELAY, OTHER)
        await node.fetched(IDS[2], RELAY, kept=False)
        await node.fetched(IDS[3], RELAY)
        await node.fetched(IDS[4], RELAY)
        node.origins.came(IDS[2], RELAY)  # nobody asked for it
        await node.relaying.look([SESSION])
        body = {"session": SESSION.hex(), "relay": RELAY.hex(), "height": 33, "chunks": 2}
        assert node.taken == [("/node/receipts", body)] and node.relaying.receipts.signed == 1

    await run(tmp_path, test)


async def test_it_signs_nothing_where_nothing_came_from_there_or_nothing_is_owed(tmp_path: Path) -> None:
    async def test(node: Around) -> None:
        await node.relaying.look([SESSION])
        await node.fetched(IDS[0], RELAY)
        for known in (None, msgspec.structs.replace(NAMED, owed=False)):
            node.known = known
            await node.relaying.look([SESSION])
        assert not node.taken

    await run(tmp_path, test)


async def test_a_proof_waits_until_the_receipt_is_on_the_chain_and_no_longer_than_a_slot(tmp_path: Path) -> None:
    async def test(node: Around) -> None:
        assert await node.relaying.awaiting_receipt([SESSION]) == set(), "nothing came from there"
        await node.fetched(IDS[0], RELAY)
        for later in (0, 1, KEPT_BACK_BLOCKS - 1):
            node.known = msgspec.structs.replace(NAMED, height=NAMED.height + later)
            assert await node.relaying.awaiting_receipt([SESSION]) == {SESSION}
        node.known = msgspec.structs.replace(NAMED, height=NAMED.height + KEPT_BACK_BLOCKS)
        assert await node.relaying.awaiting_receipt([SESSION]) == set(), "who keeps receipts out keeps no proof out"
        node.known = NAMED
        assert await node.relaying.awaiting_receipt([SESSION]) == {SESSION}
        node.known = msgspec.structs.replace(NAMED, owed=False)
        assert await node.relaying.awaiting_receipt([SESSION]) == set() and not node.relaying.receipts._owing
        assert [path for path, _ in node.taken] == ["/node/receipts"]
        node.known = UNNAMED
        node.manifest = {"relay": {"node": ME.hex(), "signature": SIGNATURE.hex()}}
        assert await node.relaying.awaiting_receipt([SESSION]) == set() and not node.asked, "no mandate is due for that"
        node.known = NAMED
        node.away = True
        assert await node.relaying.awaiting_receipt([SESSION]) == set(), "a proof waits for nobody's answer"
        node.away = False
        node.rules = 5
        assert await node.relaying.awaiting_receipt([SESSION]) == set()

    await run(tmp_path, test)


async def test_what_does_not_come_to_the_chain_is_handed_in_again(tmp_path: Path) -> None:
    async def test(node: Around) -> None:
        await node.fetched(IDS[0], RELAY)
        node.status = 503
        for _ in range(2):
            await node.relaying.look([SESSION])
        assert len(node.taken) == 2 and node.relaying.receipts.signed == 0
        node.status = 202
        for later in (0, SAID_BLOCKS - 1, SAID_BLOCKS):
            node.known = msgspec.structs.replace(NAMED, height=NAMED.height + later)
            await node.relaying.look([SESSION])
        assert len(node.taken) == 4 and node.relaying.receipts.signed == 2

    await run(tmp_path, test)
