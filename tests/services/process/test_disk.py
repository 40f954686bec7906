"""Calls of the disk: whoever asks gives up on one that hangs, a stop waits for none, a file is closed last of all."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import trio

from lucid.services.process import disk as disk_module
from lucid.services.process.disk import THREADS, Disk, DiskSlow, NewFile
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore
from tests.waiting import until


@asynccontextmanager
async def mounted(folder: Path) -> AsyncIterator[tuple[Disk, DurableStore]]:
    """A disk and the store beside it."""
    with closing(SqliteStore(folder / "data.sqlite")) as sqlite:
        store = DurableStore(sqlite)
        yield Disk(store), store


@pytest.fixture
def hung(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """What calls wait for; they are given up after a tenth of a second."""
    monkeypatch.setattr(disk_module, "DISK_S", 0.1)
    release = threading.Event()
    yield release
    release.set()


async def test_a_call_gives_what_it_returns_and_raises_what_it_raises(tmp_path: Path) -> None:
    async with mounted(tmp_path) as (disk, _):
        assert await disk.call(os.path.getsize, tmp_path / "data.sqlite") > 0
        assert await disk.finish(divmod, 7, 2) == (3, 1)
        for call in (disk.call, disk.finish):
            with pytest.raises(FileNotFoundError):
                await call(os.stat, tmp_path / "missing")


async def test_one_that_hangs_is_given_up_and_so_is_who_waits_for_its_thread(
    tmp_path: Path, hung: threading.Event
) -> None:
    async with mounted(tmp_path) as (disk, _):
        given_up = 0

        async def ask() -> None:
            nonlocal given_up
            with pytest.raises(DiskSlow, match="does not answer"):
                await disk.call(hung.wait, 120)
            given_up += 1

        async with trio.open_nursery() as nursery:
            for _ in range(THREADS + 4):
                nursery.start_soon(ask)
        assert given_up == THREADS + 4
        assert await disk.call(os.getpid, limiter=trio.CapacityLimiter(1)) == os.getpid(), "another's thread is free"
        hung.set()
        await until(lambda: disk._limiter.borrowed_tokens == 0)
        assert await disk.call(os.getpid) == os.getpid()


async def test_a_lock_whose_holder_waits_for_the_disk_is_given_up(tmp_path: Path, hung: threading.Event) -> None:
    async with mounted(tmp_path) as (disk, _):
        lock = trio.Lock()
        await disk.acquire(lock)
        async with trio.open_nursery() as nursery:

            async def other() -> None:
                with pytest.raises(DiskSlow):
                    await disk.acquire(lock)

            nursery.start_soon(other)
        lock.release()
        await disk.acquire(lock)


@pytest.mark.parametrize("how", ["call", "finish"])
async def test_a_stop_waits_for_no_call(
    tmp_path: Path, hung: threading.Event, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_module, "DISK_S", 600.0)
    async with mounted(tmp_path) as (disk, store):
        done = False

        async def ask() -> None:
            nonlocal done
            with pytest.raises(DiskSlow):
                await getattr(disk, how)(hung.wait, 120)
            done = True

        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask)
                await until(lambda: disk._limiter.borrowed_tokens == 1)
                await trio.sleep(0.05)
                assert not done
                store.end()
        with pytest.raises(DiskSlow):
            await disk.call(os.getpid)


async def test_what_must_be_finished_has_no_bound(tmp_path: Path, hung: threading.Event) -> None:
    async with mounted(tmp_path) as (disk, _), trio.open_nursery() as nursery:

        async def release() -> None:
            await trio.sleep(5 * disk_module.DISK_S)
            hung.set()

        nursery.start_soon(release)
        assert await disk.finish(hung.wait, 120)


async def test_what_is_done_beside_a_block_ends_with_it_and_raises_after_it(tmp_path: Path) -> None:
    async with mounted(tmp_path) as (disk, _):
        done, gate = list[str](), threading.Event()

        def wait() -> None:
            assert gate.wait(120)
            done.append("work")

        async with disk.beside(wait):
            done.append("block")
            gate.set()
        assert done == ["block", "work"]
        with pytest.raises(FileNotFoundError):
            async with disk.beside(os.stat, tmp_path / "missing"):
                await trio.sleep(0)
                done.append("to its end")
        assert done[-1] == "to its end"
        with pytest.raises(ValueError, match="the block's own"):
            async with disk.beside(os.stat, tmp_path / "missing"):
                raise ValueError("the block's own")


def test_a_new_file_is_its_user_s_alone_and_never_another(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "new"
    file = NewFile(path)
    file.write(b"one")
    file.write(memoryview(bytes(3 << 20)))
    file.sync()
    assert path.read_bytes() == b"one" + bytes(3 << 20) and path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        NewFile(path)


def test_all_bytes_are_written_where_the_system_takes_few_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:7]))
    NewFile(tmp_path / "new").write(bytes(range(256)))
    assert (tmp_path / "new").read_bytes() == bytes(range(256))


def test_a_file_is_closed_once_nothing_uses_it_a_hanging_thread_included(tmp_path: Path) -> None:
    file = NewFile(tmp_path / "new")
    number, release = file._file, threading.Event()

    def write_late(held: NewFile) -> None:
        assert release.wait(120)
        held.write(b"late")

    thread = threading.Thread(target=write_late, args=(file,))
    thread.start()
    del file
    gc.collect()
    os.fstat(number)
    release.set()
    thread.join(120)
    del thread
    gc.collect()
    assert (tmp_path / "new").read_bytes() == b"late"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)
