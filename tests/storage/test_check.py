"""What is wrong with a store: each kind of damage is named by a sentence of its own, and a sound one has none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import structs

from lucid.chain.blocks import Block
from lucid.chain.chunks import MIN_CHUNK_BYTES, chunk_id
from lucid.chain.codec import encode
from lucid.ledger.rows import HEAD_KEY, anchored_key
from lucid.ledger.state import ROW_TABLE, TREE_TABLE, Write
from lucid.machines.chain import BLOCK_TABLE, HEIGHT_TABLE
from lucid.storage.check import adopt_chunks, check_chunks, check_store
from lucid.storage.chunkfiles import CHUNK_TABLE, ChunkFolder, ChunkRow
from lucid.storage.interface import IMPORT_TABLE, StoreDamaged
from lucid.storage.sqlite import SqliteStore
from tests.builders import Chain, grown, stored

DATA = [bytes([number]) * (MIN_CHUNK_BYTES + number) for number in range(3)]


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


# -- chunk files -------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, store: SqliteStore) -> ChunkFolder:
    """A folder with the files of three chunks, of which the store has rows."""
    made = ChunkFolder(tmp_path / "chunks")
    for data in DATA:
        put(made, data)
        store.write([(CHUNK_TABLE, chunk_id(data), encode(ChunkRow(len(data), 0)))])
    return made


def put(folder: ChunkFolder, data: bytes, chunk: bytes = b"") -> None:
    """Put a file in its place."""
    path = folder.place(chunk or chunk_id(data))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def unreadable(path: Path) -> None:
    """A folder in the place of a file."""
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda path: None, None),
        (Path.unlink, "the file of the chunk {} is missing"),
        (lambda path: path.write_bytes(b"x" * 2_000), "the file of the chunk {} does not have its bytes"),
        (unreadable, "the file of the chunk {} does not have its bytes"),
        (lambda path: os.truncate(path, 0), "the file of the chunk {} does not have its bytes"),
    ],
    ids=["sound", "missing", "others", "folder", "empty"],
)
def test_each_chunk_file_is_read_whole(
    store: SqliteStore, folder: ChunkFolder, harm: Callable[[Path], object], says: str | None
) -> None:
    chunk = chunk_id(DATA[1])
    harm(folder.place(chunk))
    assert check_chunks(store, folder.path) == ([] if says is None else [says.format(chunk.hex())])


def test_a_row_that_says_another_size_and_a_file_that_no_row_knows_are_named(
    store: SqliteStore, folder: ChunkFolder
) -> None:
    known, other = chunk_id(DATA[0]), b"other" * 300
    store.write([(CHUNK_TABLE, known, encode(ChunkRow(7, 0)))])
    put(folder, other)
    assert sorted(check_chunks(store, folder.path)) == sorted(
        [
            f"the chunk {known.hex()} has {len(DATA[0])} bytes, its row says 7",
            f"the store does not know the chunk {chunk_id(other).hex()}",
        ]
    )


def test_a_row_that_cannot_be_read_is_the_stores_damage(store: SqliteStore, folder: ChunkFolder) -> None:
    store.write([(CHUNK_TABLE, chunk_id(DATA[0]), b"\xff")])
    with pytest.raises(StoreDamaged):
        check_chunks(store, folder.path)


def test_only_what_is_called_right_and_large_enough_is_taken_in_and_once(
    store: SqliteStore, folder: ChunkFolder
) -> None:
    fresh, small, wrong = b"fresh" * 300, b"small", bytes(32)
    put(folder, fresh)
    put(folder, small)
    put(folder, fresh, wrong)
    adopted, refused = adopt_chunks(store, folder.path)
    assert adopted == 1 and sorted(refused) == sorted([chunk_id(small).hex(), wrong.hex()])
    assert store.get(CHUNK_TABLE, chunk_id(fresh)) == encode(ChunkRow(len(fresh), 0))
    assert adopt_chunks(store, folder.path)[0] == 0, "what has its row keeps it"
