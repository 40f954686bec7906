"""What anybody may ask of blocks: in pages, by height and hash, what proves a transaction, and whether one is valid."""

from __future__ import annotations

from lucid.chain.codec import encode
from lucid.chain.errors import Code
from lucid.chain.receipts import verify_receipt
from lucid.machines.chain import BLOCK_TABLE, height_key
from lucid.machines.receipts import MAX_HEADERS
from lucid.services.chain.index import INDEX_TABLE
from lucid.storage.sqlite import SqliteStore
from tests.builders import CRYPTO
from tests.services.chain.managing import GENESIS, node

NOBODY = "ab" * 32


async def test_blocks_come_in_pages_newest_first(store: SqliteStore) -> None:
    async with node(store) as here:
        assert await here.get("/blocks") == {"blocks": [], "next": None}
        hashes = [await here.grow() for _ in range(5)]
        for limit in (1, 2, 5, 100):
            page = await here.get(f"/blocks?limit={limit}")
            found = [each["hash"] for each in page["blocks"]]
            while page["next"] is not None:
                page = await here.get(f"/blocks?limit={limit}&from={page['next']}")
                found += [each["hash"] for each in page["blocks"]]
            assert found == hashes[::-1]
        assert (await here.get("/blocks?from=900&limit=1"))["blocks"][0]["hash"] == hashes[-1]
        for wrong in ("limit=0", "limit=101", "from=-1", "from=x"):
            await here.get(f"/blocks?{wrong}", 400)


async def test_a_block_is_found_by_height_and_hash_and_only_a_final_one(store: SqliteStore) -> None:
    async with node(store) as here:
        await here.get("/blocks/latest", 404)
        hash_ = await here.grow(here.signers.anchor(0))
        block = here.signers.blocks[0]
        found = await here.get("/blocks/1")
        assert found == await here.get(f"/blocks/{hash_}") == await here.get("/blocks/latest")
        assert (found["hash"], found["encoded"]) == (hash_, encode(block).hex())
        assert found["transactions"] == [each.id.hex() for each in block.transactions]
        waiting = here.signers.grow()
        chain = here.growing.chain
        await here.driver.inspect(
            lambda: here.growing.inner.write(chain.add(chain.judge(waiting, waiting.header.hash)))
        )
        for absent in ("0", "2", "9" * 16, NOBODY, waiting.header.hash.hex()):
            await here.get(f"/blocks/{absent}", 404)
        for wrong in ("x", "-1", "9" * 17, "\u0661", NOBODY[:-2]):
            await here.get(f"/blocks/{wrong}", 400)


async def test_a_receipt_proves_its_transaction_up_to_the_block_that_is_asked_for(store: SqliteStore) -> None:
    async with node(store) as here:
        before = await here.grow()
        await here.grow(here.signers.anchor(0))
        last = await here.grow()
        [transaction] = here.signers.blocks[1].transactions
        path = f"/receipts/{transaction.id.hex()}"
        for query, checkpoint in (("", None), (f"?checkpoint={last}", bytes.fromhex(last))):
            answer = await here.client.get(path + query)
            verified = verify_receipt(answer.content, GENESIS, CRYPTO, checkpoint)
            assert (verified.transaction.id, verified.height) == (transaction.id, 2)
        for checkpoint_, status in ((NOBODY, 404), (before, 409)):
            refused = await here.get(f"{path}?checkpoint={checkpoint_}", status)
            assert refused["error"]["code"] == Code.RECEIPT_CHECKPOINT.code
        await here.get(f"/receipts/{NOBODY}", 404)
        await here.get("/receipts/x", 400)
        await here.get(f"{path}?checkpoint=x", 400)
        assert str(2 + MAX_HEADERS - 1) in refused["error"]["message"], "it says which could be"


async def test_bytes_that_are_not_those_of_their_hash_are_never_given_out(store: SqliteStore) -> None:
    """Both rows can be read: what is wrong with them is seen by their meaning alone."""
    async with node(store) as here:
        hashes = [await here.grow(here.signers.anchor(number)) for number in range(3)]
        first, second, _ = here.signers.blocks
        [other] = second.transactions
        await here.growing.store.write([(INDEX_TABLE, other.id, height_key(1) + height_key(0))])
        refused = await here.get(f"/receipts/{other.id.hex()}", 503)
        assert f"damaged in the table {INDEX_TABLE} at the key {other.id.hex()}" in refused["error"]["message"]
        here.growing.inner.write([(BLOCK_TABLE, bytes.fromhex(hashes[1]), encode(first))])
        for path in ("/blocks", "/blocks/2", f"/blocks/{hashes[1]}", "/blocks?from=2&limit=1"):
            refused = await here.get(path, 503)
            assert refused["error"]["code"] == Code.STORE_DAMAGED.code
            assert f"damaged in the table {BLOCK_TABLE} at the key {hashes[1]}" in refused["error"]["message"]
        await here.get("/blocks/1")


async def test_a_block_is_judged_by_the_rule_that_it_breaks_first_and_changes_nothing(store: SqliteStore) -> None:
    async with node(store) as here:
        await here.grow()
        good = here.signers.seal(here.signers.build())
        wrong = here.signers.resign(good, tick=0)
        for block, valid in ((good, True), (wrong, False), (good, True), (here.signers.blocks[0], True)):
            found = await here.get("/validate-block", block=encode(block).hex())
            assert (found["valid"], found["hash"]) == (valid, block.header.hash.hex())
            assert (found["code"] is None) is valid
        described = (await here.client.get("/openapi.json")).json()["paths"]["/validate-block"]["post"]
        example = described["requestBody"]["content"]["application/json"]["examples"]["example"]["value"]
        assert (await here.get("/validate-block", **example))["valid"] is False, "it is a block"
        for junk in ("x", "00", encode(good).hex()[:-2], encode(good).hex() + "00"):
            await here.get("/validate-block", 400, block=junk)
        assert here.growing.chain.tree.root.height == 1 and len(here.growing.chain.tree.nodes) == 1
