"""Room on the disk: chunks leave the chain's share alone, and what is said of it is what the disk says."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.api.errors import status_of
from lucid.services.process import space as space_module
from lucid.services.process.ballast import BALLAST_BYTES
from lucid.services.process.space import RESERVE_BYTES, WANTED_S, NoRoom, Space
from tests.services.process.disks import fill, free, looking
from tests.waiting import until

MIB = 1 << 20


def of(folder: Path, quota: int = 0, reserve: int = 0) -> Space:
    """The room of a folder."""
    return Space(folder, folder / "ballast", quota, reserve)


# -- what chunks may take ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "kept"), [(-1, None), (0, 0), (5, 5)])
def test_the_reserve_is_what_was_set_or_a_tenth_of_the_disk(tmp_path: Path, asked: int, kept: int | None) -> None:
    space = of(tmp_path, reserve=asked)
    assert space.reserve == (min(RESERVE_BYTES, space.total // 10) if kept is None else kept)


@given(
    st.integers(0, 2**40), st.integers(0, 2**40), st.integers(0, 2**40), st.integers(0, 2**40), st.integers(0, 2**40)
)
def test_what_is_taken_is_within_quota_and_reserve(free: int, reserve: int, quota: int, used: int, more: int) -> None:
    space = of(Path("/"), quota, reserve)
    space.free, space.used = free, used
    assert 0 <= space.room <= max(0, free - reserve)
    try:
        space.check(more, more)
    except NoRoom as refused:
        assert more > space.room or space.room == 0 or (quota and used + more > quota)
        assert space.free == free and status_of(refused.code) == 507
        assert space.low and "MiB are free" in refused.detail
    else:
        assert space.free == free - more >= reserve or more == 0
        assert not quota or used + more <= quota


def test_a_chunk_that_grows_is_held_to_the_quota_as_a_whole(tmp_path: Path) -> None:
    space = of(tmp_path, quota=10)
    space.used = 4
    space.check(3, 3)
    space.check(3, 6)
    with pytest.raises(NoRoom, match="chunks take"):
        space.check(1, 7)


def test_a_look_ahead_takes_nothing(tmp_path: Path) -> None:
    space = of(tmp_path)
    before = space.free
    space.check(MIB, MIB, take=False)
    assert space.free == before
    space.check(MIB, MIB)
    assert space.free == before - MIB


def test_what_was_refused_is_remembered_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One who comes back with a smaller chunk meanwhile is served: it is what is said that lasts."""
    now = 1_000.0
    monkeypatch.setattr("lucid.services.process.space.time.monotonic", lambda: now)
    space = of(tmp_path)
    with pytest.raises(NoRoom):
        space.check(space.room + 1, 1)
    space.check(1, 1)
    space._look()
    found = space.condition()
    assert found is not None and found.state == "disk low" and str(tmp_path) not in str(found)
    now += WANTED_S + 1
    space._look()
    assert space.condition() is None


# -- what the disk says ------------------------------------------------------------------------------------------------


def test_what_is_taken_during_a_look_is_no_room(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look is a thread's: a chunk may take room while it asks, and the ballast takes some of what it found."""
    space = of(disk)
    space._look()
    (disk / "ballast").unlink()
    real = os.statvfs

    def slow(path: Path) -> os.statvfs_result:
        found = real(path)
        space.check(MIB, MIB)
        return found

    monkeypatch.setattr("os.statvfs", slow)
    space._look()
    found = real(disk)
    assert (disk / "ballast").exists() and space.free == found.f_bavail * found.f_frsize - MIB


@pytest.mark.parametrize("number", space_module.NO_ROOM)
def test_a_write_that_found_no_room_leaves_none_until_the_next_look(tmp_path: Path, number: int) -> None:
    space = of(tmp_path)
    assert space.refused(OSError(number, "full"), 5)
    assert space.room == 0 and space.low
    space._look()
    assert space.room > 0 and space.condition() is None


def test_a_write_that_failed_otherwise_is_said_until_one_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    space = of(folder)
    assert not space.refused(OSError(errno.EROFS, "Read-only file system"), 5)
    found = space.condition()
    assert found is not None
    assert (found.state, found.sentence) == ("store failing", "chunks cannot be written: Read-only file system")
    (folder / "ballast").unlink()
    folder.rmdir()
    space._look()
    found = space.condition()
    assert found is not None and "No such file" in found.sentence and str(folder) not in found.sentence
    folder.mkdir()
    space._look()
    assert space.condition() is None and [each.name for each in folder.iterdir()] == ["ballast"]


@pytest.mark.parametrize(
    ("flag", "sentence"), [(os.ST_RDONLY, "Read-only file system"), (0, "Permission denied")], ids=["card", "mode"]
)
def test_a_folder_that_cannot_be_written_is_said_before_anybody_comes_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: int, sentence: str
) -> None:
    space, real = of(tmp_path), os.statvfs
    assert space.condition() is None
    monkeypatch.setattr("os.statvfs", lambda path: os.statvfs_result((*real(path)[:8], flag, *real(path)[9:])))
    monkeypatch.setattr("os.access", lambda path, mode: False)
    space._look()
    found = space.condition()
    assert found is not None
    assert (found.state, found.sentence) == ("store failing", f"chunks cannot be written: {sentence}")
    monkeypatch.undo()
    space._look()
    assert space.condition() is None and [each.name for each in tmp_path.iterdir()] == ["ballast"]


def test_room_is_that_of_the_folder_s_own_disk_which_may_not_be_there_yet(disk: Path, tmp_path: Path) -> None:
    """Chunks may be on a disk of their own: neither its room nor its faults are those of the data folder's."""
    chunks = tmp_path / "chunks"
    space = Space(chunks / "incoming", tmp_path / "ballast", 0, 0)
    assert space.condition() is None and space.total == Space(tmp_path, tmp_path / "ballast", 0, 0).total
    chunks.symlink_to(disk)
    space._look()
    found = os.statvfs(disk)
    assert space.total == found.f_blocks * found.f_frsize
    fill(disk, 0)
    space._look()
    found_low = space.condition()
    assert found_low is not None and found_low.state == "disk low"


async def test_a_disk_that_does_not_answer_is_said_and_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space_module, "SLOW_S", 0.05)
    monkeypatch.setattr(space_module, "LOOK_S", 0.01)
    space, release, real = of(tmp_path), threading.Event(), os.statvfs

    def hang(path: Path) -> os.statvfs_result:
        assert release.wait(120)
        return real(path)

    monkeypatch.setattr("os.statvfs", hang)
    try:
        async with looking(space):
            await until(space.condition)
            found = space.condition()
            assert found is not None and found.sentence == "the disk of the data folder does not answer"
            release.set()
            await until(lambda: space.condition() is None)
    finally:
        release.set()


# -- ballast -----------------------------------------------------------------------------------------------------------


def test_ballast_is_kept_where_there_is_room_and_made_again_after_it_was_let_go(disk: Path) -> None:
    space = of(disk)
    assert (disk / "ballast").stat().st_size == BALLAST_BYTES and space.free == free(disk)
    space.let_go()
    space.let_go()
    assert not (disk / "ballast").exists()
    other = fill(disk, BALLAST_BYTES // 2)
    space._look()
    assert not (disk / "ballast").exists(), "not of what chunks have left"
    other.unlink()
    space._look()
    assert (disk / "ballast").exists()
