"""Files that are there whole or not at all: what is cut off, full or in the way leaves what was there before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lucid.storage import files
from lucid.storage.files import sync, whole_file, write_durably


def names(folder: Path) -> list[str]:
    """What a folder holds."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool, bytes | None]]:
    """What is made durable, in order: its name, whether the file that it is about is there, and its bytes by then."""
    found: list[tuple[str, bool, bytes | None]] = []

    def noted(path: Path) -> None:
        sync(path)
        there = path / "mine" if path.is_dir() else path
        found.append((path.name, path.is_dir(), there.read_bytes() if there.is_file() else None))

    monkeypatch.setattr(files, "sync", noted)
    return found


def test_a_whole_file_is_durable_before_it_has_its_name(
    tmp_path: Path, synced: list[tuple[str, bool, bytes | None]]
) -> None:
    with whole_file(tmp_path / "mine") as part:
        assert part.parent.parent == tmp_path, "on the same disk, or it could not be renamed"
        part.write_bytes(b"words")
        assert not (tmp_path / "mine").exists()
    assert synced == [("mine", False, b"words"), (tmp_path.name, True, b"words")]
    assert names(tmp_path) == ["mine"]


class CutOffError(Exception):
    """Whatever ends the writing of a file."""


def test_a_file_that_is_cut_off_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CutOffError), whole_file(tmp_path / "mine") as part:
        part.write_bytes(b"half")
        raise CutOffError
    assert names(tmp_path) == []
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "mine"):
        pass
    assert names(tmp_path) == [], "nor is one that nobody wrote"


def test_what_a_killed_process_left_goes_and_what_another_is_at_stays(tmp_path: Path) -> None:
    for name in (".mine.lucid-killed", ".other.lucid-killed", ".mine.backups"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine").touch()
    with whole_file(tmp_path / "mine") as first:
        first.write_bytes(b"first")
        assert not (tmp_path / ".mine.lucid-killed").exists()
        with whole_file(tmp_path / "mine") as second:
            second.write_bytes(b"second")
            assert first.exists()
        assert (tmp_path / "mine").read_bytes() == b"second"
    assert names(tmp_path) == [".mine.backups", ".other.lucid-killed", "mine"]


@pytest.mark.parametrize("mine", [True, False])
def test_no_file_is_written_over(tmp_path: Path, mine: bool) -> None:
    if mine:
        (tmp_path / "mine").write_bytes(b"before")
    else:
        (tmp_path / "mine").mkdir()
    with pytest.raises(FileExistsError, match="mine exists already"), whole_file(tmp_path / "mine"):
        raise AssertionError("it is not begun")
    assert names(tmp_path) == ["mine"] and (not mine or (tmp_path / "mine").read_bytes() == b"before")


def test_what_is_written_durably_replaces_what_was_in_one_step(
    tmp_path: Path, synced: list[tuple[str, bool, bytes | None]]
) -> None:
    for data in (b"one", b"", b"another" * 1_000):
        synced.clear()
        write_durably(tmp_path / "mine", data)
        assert synced == [(".mine.part", False, data), (tmp_path.name, True, data)]
        assert names(tmp_path) == ["mine"]


@pytest.mark.parametrize("call", ["write_bytes", "replace"])
def test_a_disk_that_fails_leaves_what_was_there(tmp_path: Path, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_durably(tmp_path / "mine", b"before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, call, full)
        with pytest.raises(OSError, match="No space"):
            write_durably(tmp_path / "mine", b"after")
    assert (tmp_path / "mine").read_bytes() == b"before"
    write_durably(tmp_path / "mine", b"after")
    assert names(tmp_path) == ["mine"], "and what it left is gone with the next"


def test_nothing_stays_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for path in (tmp_path, tmp_path / "none"):
        try:
            sync(path)
        except FileNotFoundError:
            assert path.name == "none"
    assert len(os.listdir("/proc/self/fd")) == before
