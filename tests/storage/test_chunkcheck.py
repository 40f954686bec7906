"""What is wrong with a folder of chunks, against its store's rows, and which of its files a store takes in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lucid.chain.chunks import MIN_CHUNK_BYTES, chunk_id
from lucid.chain.codec import encode
from lucid.storage.chunkcheck import adopt_chunks, check_chunks
from lucid.storage.chunkfiles import ChunkFolder
from lucid.storage.chunkrow import CHUNK_TABLE, ChunkRow
from lucid.storage.errors import StoreDamaged
from lucid.storage.sqlite import SqliteStore

DATA = [bytes([number]) * (MIN_CHUNK_BYTES + number) for number in range(3)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store that holds nothing yet."""
    with closing(SqliteStore(tmp_path / "store")) as opened:
        yield opened


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


@pytest.mark.parametrize(("left", "says"), [(DATA[1], None), (DATA[2], "is missing"), (DATA[1][:-1], "is missing")])
def test_a_chunk_that_a_power_cut_left_where_it_was_uploaded_is_there(
    store: SqliteStore, folder: ChunkFolder, left: bytes, says: str | None
) -> None:
    """Its row was durable before its new name; the service gives it its place as it starts."""
    chunk = chunk_id(DATA[1])
    folder.place(chunk).unlink()
    folder.incoming.mkdir()
    (folder.incoming / ("0" * 32)).write_bytes(left)
    (folder.incoming / ("1" * 32)).mkdir()
    found = check_chunks(store, folder.path)
    assert found == ([] if says is None else [f"the file of the chunk {chunk.hex()} {says}"])


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
