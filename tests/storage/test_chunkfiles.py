"""A folder of chunk files: what counts as one, what is left alone, and times and places that outlive the process."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lucid.storage.chunkfiles import INCOMING, QUARANTINE, ChunkFolder

CHUNK = bytes([0xAB]) * 32
OTHER = bytes([0x01]) * 32


@pytest.fixture
def folder(tmp_path: Path) -> ChunkFolder:
    """A folder with one chunk."""
    made = ChunkFolder(tmp_path / "chunks")
    made.clear_incoming()
    moved_in(made, CHUNK, b"words")
    return made


def moved_in(folder: ChunkFolder, chunk: bytes, data: bytes) -> None:
    """Have a chunk come as uploads do."""
    upload = folder.incoming / ("0" * 32)
    upload.write_bytes(data)
    folder.move_in(upload, chunk)
    folder.settle(chunk)


def test_a_chunk_lies_on_the_shelf_of_its_first_byte(folder: ChunkFolder) -> None:
    moved_in(folder, OTHER, b"others")
    assert folder.place(CHUNK) == folder.path / "ab" / ("ab" * 32)
    assert folder.place(CHUNK).read_bytes() == b"words" and not list(folder.incoming.iterdir())
    assert set(folder.chunks()) == {CHUNK, OTHER}
    assert (list(folder.shelf(0xAB)), list(folder.shelf(0x01)), list(folder.shelf(0xFF))) == ([CHUNK], [OTHER], [])
    assert not list(folder.strays())


STRAYS: dict[str, Callable[[Path], None]] = {
    "ab/notes.txt": lambda path: path.touch(),
    "ab/" + "cd" * 32: lambda path: path.touch(),
    "ab/" + "AB" * 32: lambda path: path.touch(),
    "ab/" + "ab" * 31 + "ac": lambda path: path.mkdir(),
    "ab/" + "ab" * 31 + "ad": lambda path: path.symlink_to(path.parent / ("ab" * 32)),
    "ab" * 32: lambda path: path.touch(),
    "more": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("name", STRAYS)
def test_whatever_else_is_there_is_a_stray_and_stays(folder: ChunkFolder, name: str) -> None:
    """Also a link to a chunk: what it leads to is no file of its name."""
    STRAYS[name](folder.path / name)
    assert list(folder.strays()) == [folder.path / name]
    assert list(folder.chunks()) == list(folder.shelf(0xAB)) == [CHUNK]
    folder.clear_incoming()
    assert (folder.path / name).exists()


def test_uploads_that_a_crash_cut_off_go_and_nothing_else_does(folder: ChunkFolder) -> None:
    for name in ("a" * 32, "a" * 33, "README"):
        (folder.incoming / name).touch()
    (folder.incoming / ("b" * 32)).mkdir()
    folder.clear_incoming()
    assert {path.name for path in folder.incoming.iterdir()} == {"a" * 33, "README", "b" * 32}
    assert not list(folder.strays()), "uploads and what is quarantined are none"


def test_a_folder_that_is_not_there_is_empty_and_may_not_be_makeable(tmp_path: Path) -> None:
    """A start on a full disk serves reads: no folder can be made there, as below a file."""
    (tmp_path / "file").touch()
    folder = ChunkFolder(tmp_path / "file" / "chunks")
    folder.clear_incoming()
    assert [*folder.chunks(), *folder.shelf(0), *folder.strays()] == [] and folder.quarantined() == 0


def test_the_time_since_when_nobody_refers_to_a_chunk_is_its_files_own(folder: ChunkFolder) -> None:
    assert folder.unused_since_ms(OTHER) is None
    for since_ms in (1, 1_800_000_000_123):
        folder.mark_unused(CHUNK, since_ms)
        assert ChunkFolder(folder.path).unused_since_ms(CHUNK) == since_ms
    folder.mark_used(CHUNK)
    assert folder.unused_since_ms(CHUNK) != since_ms
    with pytest.raises(FileNotFoundError):
        folder.mark_unused(OTHER, 5)
    with pytest.raises(FileNotFoundError):
        folder.mark_used(OTHER)


def test_what_is_removed_is_gone_and_twice_is_harmless(folder: ChunkFolder) -> None:
    folder.remove(CHUNK)
    folder.remove(CHUNK)
    assert not list(folder.chunks())


def test_files_set_aside_write_over_none_that_were_before(folder: ChunkFolder) -> None:
    for number in range(3):
        folder.quarantine(CHUNK)
        assert not list(folder.chunks()) and folder.quarantined() == number + 1
        moved_in(folder, CHUNK, b"words %d" % number)
    kept = {path.name: path.read_bytes() for path in (folder.path / QUARANTINE).iterdir()}
    name = "ab" * 32
    assert kept == {name: b"words", f"{name}.1": b"words 0", f"{name}.2": b"words 1"}
    assert not list(folder.strays())


def test_an_upload_that_is_not_there_changes_nothing(folder: ChunkFolder) -> None:
    with pytest.raises(FileNotFoundError):
        folder.move_in(folder.path / INCOMING / "none", CHUNK)
    assert folder.place(CHUNK).read_bytes() == b"words"


def test_both_folders_are_durable_once_a_chunk_is_settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shelf, which names the file, and the folder, which names the shelf: all of them, after one wait."""
    folder = ChunkFolder(tmp_path / "chunks")
    folder.clear_incoming()
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.readlink(f"/proc/self/fd/{file}")))
    moved_in(folder, OTHER, b"others")
    assert synced == [str(folder.path / "01"), str(folder.path)]
    synced.clear()
    moved_in(folder, OTHER, b"the same shelf")
    moved_in(folder, CHUNK, b"another shelf")
    assert synced == [str(folder.path / "01"), str(folder.path / "ab")], "they are there to stay"
    folder.place(OTHER).unlink()
    (folder.path / "01").rmdir()
    synced.clear()
    moved_in(folder, OTHER, b"a shelf anew")
    assert synced == [str(folder.path / "01"), str(folder.path)]


def test_a_shelf_that_was_there_may_not_be_durable(folder: ChunkFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was made just before a failure; and one wait that failed is no wait."""
    again, fails = ChunkFolder(folder.path), True
    synced: list[str] = []

    def sync(file: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{file}"))
        if fails and synced[-1] == str(folder.path):
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", sync)
    with pytest.raises(OSError, match="Input/output"):
        moved_in(again, OTHER, b"others")
    fails = False
    moved_in(again, OTHER, b"others")
    assert synced == [str(folder.path / "01"), str(folder.path)] * 2


def test_a_folder_that_cannot_be_written_is_opened_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service started on a full or read-only disk serves what it holds; leftovers of uploads wait."""
    folder = ChunkFolder(tmp_path / "chunks")
    folder.clear_incoming()
    leftover = folder.incoming / ("ab" * 16)
    leftover.write_bytes(b"x")

    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", fails)
    folder.clear_incoming()
    monkeypatch.undo()
    folder.clear_incoming()
    assert not leftover.exists()
