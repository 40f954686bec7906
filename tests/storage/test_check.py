"""What is wrong with a store: each kind of damage is named by a sentence of its own, and a sound one has none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import structs

from lucid.chain.blocks import Block
from lucid.chain.codec import encode
from lucid.ledger.rows import HEAD_KEY, anchored_key
from lucid.ledger.rowstore import Write
from lucid.ledger.state import ROW_TABLE, TREE_TABLE
from lucid.machines.chain import BLOCK_TABLE, HEIGHT_TABLE
from lucid.storage.check import check_store
from lucid.storage.interface import IMPORT_TABLE
from lucid.storage.sqlite import SqliteStore
from tests.builders import Chain, grown, stored


@pytest.fixture(scope="module")
def chain() -> Chain:
    """A chain of three blocks, all final."""
    made = grown(2)
    made.grow(made.anchor())
    made.settle()
    return made


@pytest.fixture
def store(tmp_path: Path, chain: Chain) -> Iterator[SqliteStore]:
    """The store of a node that has all of it."""
    with closing(SqliteStore(tmp_path / "store")) as opened:
        opened.write(
            [(table, key, value) for table, rows in stored(chain.store).items() for key, value in rows.items()]
        )
        for block in chain.blocks:
            opened.write([placed(block), (BLOCK_TABLE, block.header.hash, encode(block))])
        yield opened


def placed(block: Block, height: int | None = None) -> Write:
    """The row of a final height."""
    return HEIGHT_TABLE, (block.header.height if height is None else height).to_bytes(8, "big"), block.header.hash


def faults(store: SqliteStore) -> list[str]:
    """What is wrong with it."""
    return check_store(store)[0]


# -- the chain ---------------------------------------------------------------------------------------------------------


def test_a_sound_store_is_measured(store: SqliteStore, chain: Chain) -> None:
    found, tables = check_store(store)
    assert found == []
    assert tables[BLOCK_TABLE] == (3, sum(32 + len(encode(block)) for block in chain.blocks))
    assert set(tables) == {*store.tables()} and tables[HEIGHT_TABLE] == (3, 3 * 40)


def test_an_empty_store_is_sound(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "empty")) as store:
        assert check_store(store) == ([], {})


def test_what_an_import_left_is_not_judged_further(store: SqliteStore) -> None:
    store.write([(IMPORT_TABLE, b"mark", b""), (ROW_TABLE, HEAD_KEY, b"\xff")])
    assert faults(store) == ["an import into this store did not finish: import again"]


def test_a_row_that_the_tree_does_not_know_is_seen(store: SqliteStore, chain: Chain) -> None:
    store.write([(ROW_TABLE, anchored_key(bytes(16), bytes(32)), b"more")])
    [said] = faults(store)
    assert said.startswith("the ledger's rows have the state root ") and said.endswith(chain.tip.root.hex())


def test_rows_that_cannot_be_read_are_seen(store: SqliteStore) -> None:
    store.write([(ROW_TABLE, HEAD_KEY, b"\xff")])
    [said] = faults(store)
    assert said.startswith("the ledger's rows cannot be read: ")
    store.write([(ROW_TABLE, HEAD_KEY, None)])
    assert faults(store) == ["the ledger lacks its core rows"]


def test_a_tree_that_lacks_its_root_is_seen(store: SqliteStore) -> None:
    store.write([(TREE_TABLE, key, None) for key, _ in store.scan(TREE_TABLE)])
    assert len(faults(store)) == 1 and "the ledger" in faults(store)[0]


def broken_blocks(chain: Chain) -> dict[str, list[Write]]:
    """Damage of the second of three blocks, by the sentence that it is."""
    first, second, _ = chain.blocks
    emptied = structs.replace(chain.blocks[2], transactions=())
    return {
        "the block of height 2 is missing": [(BLOCK_TABLE, second.header.hash, None)],
        "the block of height 2 cannot be read: ": [(BLOCK_TABLE, second.header.hash, b"\xff")],
        "the block of height 2 is another than its key says": [placed(first, 2)],
        "the block of height 3 has another body than its header says": [
            (BLOCK_TABLE, emptied.header.hash, encode(emptied))
        ],
    }


@pytest.mark.parametrize("number", range(4))
def test_a_block_that_is_not_what_it_should_be_is_named(store: SqliteStore, chain: Chain, number: int) -> None:
    says, writes = [*broken_blocks(chain).items()][number]
    store.write(writes)
    assert [said for said in faults(store) if said.startswith(says)]


def test_a_block_of_another_chain_does_not_follow(store: SqliteStore, chain: Chain) -> None:
    header = structs.replace(chain.blocks[1].header, parent=bytes(32))
    other = structs.replace(chain.blocks[1], header=header)
    store.write([placed(other), (BLOCK_TABLE, other.header.hash, encode(other))])
    assert faults(store) == [f"the block of height {height} does not follow the one below" for height in (2, 3)]


def test_heights_below_a_snapshot_may_be_missing(store: SqliteStore, chain: Chain) -> None:
    table, key, _ = placed(chain.blocks[0])
    store.write([(table, key, None), (BLOCK_TABLE, chain.blocks[0].header.hash, None)])
    assert faults(store) == []
