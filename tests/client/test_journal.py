"""What a recording has done so far: written whole or not at all, read back, and bound to the files as they were."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.client import journal as module
from lucid.client.errors import BundleError
from lucid.client.journal import Journal, marks, read_journal, write_journal
from lucid.client.sources import sources

SESSION = UUID("713582cd-70cf-44d3-a17f-bbc50069b142")


def begun(folder: Path) -> Journal:
    """A recording of a file and of one in a folder."""
    (folder / "talks").mkdir()
    (folder / "talks" / "one").write_bytes(b"words")
    (folder / "two").write_bytes(bytes(3_000))
    paths = [folder / "talks", folder / "two"]
    return Journal(
        session=SESSION,
        chain="ab" * 32,
        owner="cd" * 32,
        paths=tuple(map(str, paths)),
        files=marks(sources(paths)),
        chunk_bytes=1_024,
        started_ms=7,
    )


texts = st.text(max_size=20)
numbers = st.integers(0, 2**53)
journals = st.builds(
    Journal,
    session=st.uuids(),
    chain=texts,
    owner=texts,
    paths=st.lists(texts, max_size=3).map(tuple),
    files=st.lists(st.tuples(texts, numbers, numbers), max_size=3).map(tuple),
    chunk_bytes=numbers,
    started_ms=numbers,
    manifest=texts,
)


@settings(max_examples=25)
@given(journals)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, journal: Journal) -> None:
    path = tmp_path_factory.getbasetemp() / "journal"
    write_journal(path, journal)
    assert read_journal(path) == journal and not path.with_name("journal.part").exists()


def test_it_is_its_users_alone_and_durable_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced = tmp_path / "journal", list[bytes]()
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        fsync(descriptor)
        synced.append((tmp_path / "journal.part").read_bytes())

    monkeypatch.setattr(os, "fsync", noted)
    journal = begun(tmp_path)
    for each in (journal, journal.signed(b"{}")):
        write_journal(path, each)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600 and synced[-1] == path.read_bytes()
    assert len(synced) == 2


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, journal = tmp_path / "journal", begun(tmp_path)
    write_journal(path, journal)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            write_journal(path, journal.signed(b"{}"))
    assert read_journal(path) == journal
    (tmp_path / "journal.part").write_bytes(b"[" * 9_000)  # what a crash left may be longer than what comes
    write_journal(path, journal.signed(b"{}"))
    assert read_journal(path).manifest == "{}"


def test_the_files_are_found_again_as_they_were(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    assert [each.entry.name for each in journal.sources()] == ["talks/one", "two"]
    assert journal.signed(b"{}").sources() == journal.sources() and journal.manifest == ""


def touched(path: Path) -> None:
    """Give a file another time, and nothing else."""
    os.utime(path, ns=(1, 1))


def grown(path: Path) -> None:
    """Give a file another size, at the time that it had: what clocks and archives do."""
    before = path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes() + b"more")
    os.utime(path, ns=(before, before))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda folder: (folder / "two").write_bytes(bytes(3_001)), "the files have changed"),
        (lambda folder: grown(folder / "two"), "the files have changed"),
        (lambda folder: touched(folder / "two"), "the files have changed"),
        (lambda folder: (folder / "talks" / "more").touch(), "the files have changed"),
        (lambda folder: (folder / "talks" / "one").rename(folder / "talks" / "0"), "the files have changed"),
        (lambda folder: (folder / "two").unlink(), "two is not a file"),
    ],
    ids=["longer", "longer at its time", "later", "more", "renamed", "gone"],
)
def test_files_that_changed_are_another_recording(tmp_path: Path, change: Callable[[Path], object], says: str) -> None:
    journal = begun(tmp_path)
    change(tmp_path)
    with pytest.raises(BundleError, match=says):
        journal.sources()


WHOLE = msgspec.json.encode(
    Journal(session=SESSION, chain="", owner="", paths=(), files=(), chunk_bytes=1, started_ms=1)
)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is not a recording that was interrupted"),
        (WHOLE[:-1], "is not a recording"),
        (WHOLE[:-1] + b',"more":1}', "is not a recording"),
        (b"[" * 100_000, "is not a recording"),
        (b"\xff", "is not a recording"),
        (WHOLE.replace(b'"lucid_recording":1', b'"lucid_recording":2'), "is of version 2; this is 1"),
    ],
    ids=["empty", "half", "more", "deep", "bytes", "newer"],
)
def test_what_is_no_recording_is_one_sentence(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "journal").write_bytes(data)
    with pytest.raises(BundleError, match=says) as refused:
        read_journal(tmp_path / "journal")
    assert "\n" not in str(refused.value)


def test_a_file_without_end_is_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_JOURNAL_BYTES", 1_000)
    with pytest.raises(BundleError, match="/dev/zero is not a recording"):
        read_journal(Path("/dev/zero"))
