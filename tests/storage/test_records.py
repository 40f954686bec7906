"""Files of records: what is written comes back in order, and what is cut, damaged or no such file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import zstandard

from lucid.chain.codec import Record, decode
from lucid.chain.errors import Code, Refusal
from lucid.storage.records import LENGTH_BYTES, MAX_RECORD_BYTES, READ_BYTES, RecordWriter, read_records


class Page(Record):
    """A record of the tests."""

    number: int
    text: bytes


PAGES = [Page(number, bytes([number]) * 70) for number in range(200)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A whole file of records."""
    writer = RecordWriter(tmp_path / "records")
    for each in PAGES:
        writer.write(each)
    writer.close()
    return tmp_path / "records"


def refused(path: Path, says: str) -> None:
    """A file is refused with these words."""
    with pytest.raises(Refusal) as caught:
        list(read_records(path))
    assert caught.value.code is Code.MALFORMED and says in caught.value.detail, caught.value


def test_what_is_written_is_read_in_order_over_the_edges_of_what_is_read_at_once(path: Path) -> None:
    writer = RecordWriter(path)
    large = Page(7, bytes(3 * READ_BYTES) + b"end")
    for each in [*PAGES, large, *PAGES]:
        writer.write(each)
    writer.close()
    assert [decode(data, Page) for data in read_records(path)] == [*PAGES, large, *PAGES]


def test_a_file_without_records_is_whole(tmp_path: Path) -> None:
    RecordWriter(tmp_path / "none").close()
    assert list(read_records(tmp_path / "none")) == []


def test_what_was_flushed_outlives_the_writer_and_is_not_taken_for_a_whole_file(tmp_path: Path) -> None:
    """Of a process that is killed: the reader gets every record, and then that there may have been more."""
    writer = RecordWriter(tmp_path / "records")
    writer.write(PAGES[0])
    writer.write(PAGES[1])
    writer.flush()
    found = []
    with pytest.raises(Refusal, match="its compressed stream has no end"):
        for data in read_records(tmp_path / "records"):
            found.append(decode(data, Page))
    assert found == PAGES[:2]
    writer.close()
    assert len(list(read_records(tmp_path / "records"))) == 2


def test_a_file_cut_anywhere_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        refused(path, "")


def test_a_stream_that_ends_within_a_record_is_refused(tmp_path: Path) -> None:
    """Its compression is whole: only the length of the record says that something is missing."""
    for plain in (b"\0", (9).to_bytes(LENGTH_BYTES, "big") + bytes(8)):
        (tmp_path / "short").write_bytes(zstandard.compress(plain))
        refused(tmp_path / "short", "it ends within a record")


def test_what_follows_the_end_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")
    refused(path, "something follows its end")


def test_a_record_of_an_impossible_size_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "huge").write_bytes(zstandard.compress((MAX_RECORD_BYTES + 1).to_bytes(LENGTH_BYTES, "big")))
    refused(tmp_path / "huge", "a record of 1073741825 bytes")


def test_a_file_that_is_not_there_is_the_systems_word(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_records(tmp_path / "none"))
    with pytest.raises(FileNotFoundError):
        RecordWriter(tmp_path / "no folder" / "records")


def test_a_disk_without_room_is_an_error_of_the_system() -> None:
    writer = RecordWriter(Path("/dev/full"))
    writer.write(PAGES[0])
    with pytest.raises(OSError, match="No space left"):
        writer.flush()
    with pytest.raises(OSError, match="No space left"):
        writer.close()
