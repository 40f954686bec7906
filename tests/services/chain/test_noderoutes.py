"""What a node's other services are told by its block manager, over real sockets: places, what follows, and peers."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from lucid.chain.codec import encode
from lucid.chain.votes import PROPOSE
from lucid.machines.replicamessages import MAX_BYTES, ChunkOffer
from lucid.services.chain import noderoutes
from lucid.services.chain.noderoutes import MAX_SESSIONS
from lucid.storage.sqlite import SqliteStore
from tests.services.chain.managing import GENESIS, HEADERS, node
from tests.services.peer.acquainted import KEYS
from tests.services.peer.sites import pair
from tests.waiting import until

STRANGER = "ab" * 32


async def test_all_of_it_is_for_the_node_s_own_alone(store: SqliteStore) -> None:
    async with node(store) as here:
        described = (await here.client.get("/openapi.json")).json()["paths"]
        routes = [(method, path) for path, each in described.items() if "/node/" in path for method in each]
        assert len(routes) >= 12
        for method, path in routes:
            place = path.replace("{identity}", STRANGER).replace("{node}", STRANGER)
            for headers in ({}, {"Authorization": "Bearer operator"}):
                assert (await here.client.request(method.upper(), place, headers=headers)).status_code == 401, path


async def test_where_a_transaction_and_a_session_are(store: SqliteStore) -> None:
    async with node(store) as here:
        anchor = here.signers.anchor(0)
        await here.get(f"/node/sessions/{anchor.session.hex()}", 404)
        hash_ = await here.grow(anchor)
        [transaction] = here.signers.blocks[0].transactions
        assert await here.get(f"/node/transactions/{transaction.id.hex()}") == {"height": 1, "final": True}
        held = {
            "height": 1,
            "owner": anchor.owner.hex(),
            "root": anchor.root.hex(),
            "transaction": transaction.id.hex(),
        }
        for query in ("", f"?owner={anchor.owner.hex()}"):
            assert await here.get(f"/node/sessions/{anchor.session.hex()}{query}") == {"sessions": [held]}
        await here.get(f"/node/sessions/{anchor.session.hex()}?owner={STRANGER}", 404)
        await here.get(f"/node/transactions/{STRANGER}", 404)
        for wrong in ("transactions/x", "sessions/x", f"sessions/{anchor.session.hex()}?owner=x", "votes/x"):
            await here.get(f"/node/{wrong}", 400)
        info = await here.get("/node/info")
        assert (info["height"], info["hash"], len(info["validators"])) == (1, hash_, 4)
        assert info["chain_id"] == GENESIS.chain_id.hex() and info["state_root"] == here.signers.tip.root.hex()


async def test_a_block_that_is_not_final_yet_holds_its_transactions_too(store: SqliteStore) -> None:
    async with node(store) as here:
        block = here.signers.grow(here.signers.anchor(0))
        chain = here.growing.chain

        def add() -> None:
            here.growing.inner.write(chain.add(chain.judge(block, block.header.hash)))

        await here.driver.inspect(add)
        assert await here.get(f"/node/transactions/{block.transactions[0].id.hex()}") == {"height": 1, "final": False}
        assert (await here.get("/node/info"))["height"] == 0


async def test_copies_and_challenges_are_answered_in_the_order_of_the_question(store: SqliteStore) -> None:
    async with node(store) as here:
        first, other, absent = (here.signers.anchor(number) for number in range(3))
        await here.grow(first, other)
        await here.grow(here.signers.holding(0, ranges=((0, 7),)))
        names = [each.identity.hex() for each in (absent, first, other)]
        found = (await here.get("/node/replicas", sessions=names))["sessions"]
        assert [each and each["here"] for each in found] == [None, [[0, 7]], []]
        while here.signers.tip.core.head.epoch == 0:
            await here.grow()
        found = (await here.get("/node/challenges", sessions=names))["sessions"]
        assert [each and each["epoch"] for each in found] == [None, 1, None]
        for path in ("replicas", "challenges"):
            many = (await here.get(f"/node/{path}", sessions=names[:1] * (MAX_SESSIONS + 1)))["sessions"]
            assert len(many) == MAX_SESSIONS
            for wrong in ("x", names[0][:-2], names[0] + "00"):
                await here.get(f"/node/{path}", 400, sessions=[names[0], wrong])
            await here.get(f"/node/{path}", 400, sessions=names, more=1)


@pytest.mark.parametrize("path", ["final", "anchored"])
async def test_who_follows_the_chain_is_told_of_each_block_once(
    store: SqliteStore, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noderoutes, "PAGE_BLOCKS", 2)
    async with node(store) as here:
        assert (await here.get(f"/node/{path}"))["height"] == 0
        anchors = [here.signers.anchor(number) for number in range(5)]
        hashes = [await here.grow(anchor) for anchor in anchors]
        found, after = list[Any](), 0
        while after < 5:
            page = await here.get(f"/node/{path}?after={after}")
            assert page["height"] == min(5, after + 2)
            found += page["blocks"] if path == "final" else page["sessions"]
            after = page["height"]
        if path == "final":
            assert [(each["height"], each["hash"]) for each in found] == list(zip(range(1, 6), hashes, strict=True))
            ids = [block.transactions[0].id.hex() for block in here.signers.blocks]
            assert [each["transactions"] for each in found] == [[each] for each in ids]
        else:
            assert found == [anchor.identity.hex() for anchor in anchors]


@pytest.mark.parametrize("path", ["final", "anchored"])
async def test_who_waits_is_answered_by_a_block_by_time_or_by_a_stop(store: SqliteStore, path: str) -> None:
    async with node(store) as here:
        await here.grow()
        page: dict[str, Any] = {}

        async def follow(query: str) -> None:
            page.update(await here.get(f"/node/{path}?{query}"))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(follow, "after=1&wait_ms=30000")
            await until(lambda: here.waiting)
            await here.grow(here.signers.anchor(0))
        assert page["height"] == 2 and not here.waiting
        await follow("after=2&wait_ms=1")
        assert page["height"] == 2 and not page["blocks" if path == "final" else "sessions"]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(follow, "after=2&wait_ms=30000")
            await until(lambda: here.waiting)
            for scope in here.waiting:
                scope.cancel()
        assert page["height"] == 2
        for wrong in ("after=-1", "after=x", "wait_ms=30001"):
            await here.get(f"/node/{path}?{wrong}", 400)


async def test_votes_credits_and_the_schedule(store: SqliteStore) -> None:
    async with node(store) as here:
        for query in ("", "?epoch=0&slot=0"):
            await here.get(f"/node/schedule{query}", 404)
        hash_ = await here.grow()
        header = here.signers.blocks[0].header
        proposer = header.proposer.hex()
        assert await here.get(f"/node/votes/{proposer}") == {"view": header.view, "kind": PROPOSE, "block": hash_}
        await here.get(f"/node/votes/{proposer}?since={header.view + 1}", 404)
        await here.get(f"/node/votes/{proposer}?until={header.view}", 404)
        await here.get(f"/node/votes/{STRANGER}", 404)
        credits = await here.get("/node/credits")
        assert {each["node"] for each in credits["members"]} == {here.signers.node(number).hex() for number in range(4)}
        schedule = await here.get("/node/schedule")
        assert (schedule["epoch"], schedule["slot"]) == (0, here.signers.tip.core.schedule.slot)
        assert schedule["leaders"][0] == proposer
        assert await here.get("/node/schedule?epoch=0") == schedule
        for wrong, status in (("epoch=9", 404), ("slot=9999", 404), ("epoch=x", 400)):
            await here.get(f"/node/schedule?{wrong}", status)


async def test_members_and_peers_are_told_and_reached(store: SqliteStore) -> None:
    message = encode(ChunkOffer(chunks=(bytes(32),)))
    async with pair() as (dialer, site), node(store, dialer.peers) as here:

        async def send(data: bytes, status: int, to: str = KEYS[1].hex()) -> None:
            found = await here.client.post(f"/node/peers/{to}/chunks", content=data, headers=HEADERS)
            assert found.status_code == status, found.text

        members = await here.get("/node/members")
        assert sorted(members["members"]) == sorted(here.signers.node(number).hex() for number in range(4))
        assert (members["connected"], members["replication_factor"], members["rules"]) == ([KEYS[1].hex()], 3, 4)
        assert members["weights"] == [1, 1, 1, 1]
        [peer] = (await here.get("/node/peers"))["peers"]
        assert peer["address"].startswith("tcp://127.0.0.1:") and peer["state"]["connected"]
        for wrong in (b"", b"\xc1", message[:-1], message + b"x"):
            await send(wrong, 400)
        await send(message, 400, to="x")
        await send(message, 404, to=STRANGER)
        await send(bytes(MAX_BYTES + 1), 413)
        await send(message, 202)
        await until(lambda: site.got)
        assert site.got == [(KEYS[0], message)], "and nothing of what was refused"


async def test_a_peer_that_is_not_connected_is_not_reached(store: SqliteStore) -> None:
    async with node(store) as here:
        data = encode(ChunkOffer(chunks=(bytes(32),)))
        refused = await here.client.post(f"/node/peers/{KEYS[1].hex()}/chunks", content=data, headers=HEADERS)
        assert refused.status_code == 404 and "connected" in refused.json()["error"]["message"]
