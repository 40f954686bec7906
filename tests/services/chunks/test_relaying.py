"""Sessions are looked through for mandates and receipts, and the chain is asked once for both."""

from __future__ import annotations

from pathlib import Path

from tests.services.chunks.relayside import IDS, ME, NAMED, RELAY, SESSION, SIGNATURE, UNNAMED, Around, run


async def test_the_manager_is_asked_once_of_a_page_for_mandates_and_receipts(tmp_path: Path) -> None:
    async def test(node: Around) -> None:
        await node.fetched(IDS[0], RELAY)
        node.manifest = {"relay": {"node": ME.hex(), "signature": SIGNATURE.hex()}}
        other = b"t" * 16 + SESSION[16:]
        for known, path in ((UNNAMED, "/transactions"), (NAMED, "/node/receipts")):
            node.known, node.looks = known, 0
            node.taken.clear()
            await node.relaying.look([SESSION] if known is NAMED else [other])
            assert node.looks == 1 and [each for each, _ in node.taken] == [path]

    await run(tmp_path, test)


async def test_of_a_session_that_is_not_on_the_chain_nothing_is_said(tmp_path: Path) -> None:
    async def test(node: Around) -> None:
        await node.fetched(IDS[0], RELAY)
        node.known = None
        await node.relaying.look([SESSION])
        assert not node.taken and not node.asked

    await run(tmp_path, test)
