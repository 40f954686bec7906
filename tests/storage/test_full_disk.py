"""A disk that is full for real: writes wait, the reason is named, and nothing is lost when there is room again."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import trio

from lucid.storage import durable
from lucid.storage.durable import DurableStore
from lucid.storage.interface import StoreFull
from lucid.storage.opening import open_store

DISK_BYTES = 4 << 20
VALUE = bytes(5_000)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small filesystem of its own."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None:
        pytest.skip("needs the mount command")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", tmp_path], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("needs the right to mount a filesystem")
    try:
        yield tmp_path
    finally:
        subprocess.run([umount, tmp_path], check=True)


def fill(disk: Path, left: int = 0) -> Path:
    """Take all room but `left` bytes; returns the file to delete."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(VALUE) == len(VALUE):
            pass
    with ballast.open("r+b") as file:
        file.truncate(max(0, ballast.stat().st_size - left))
    return ballast


@pytest.mark.parametrize("left", [0, 30_000, 300_000])
def test_what_is_written_on_a_full_disk_is_durable_once_there_is_room(
    disk: Path, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "RETRY_S", 0.01)

    async def main(store: DurableStore) -> int:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.run)
            await store.write([("row", b"first", VALUE)])
            ballast = fill(disk, left)
            put = 0
            with trio.fail_after(10):
                while store.trouble is None:
                    ticket = store.put([("row", b"%04d" % put, VALUE), ("pair", b"%04d" % put, b"")])
                    put += 1
                    await trio.sleep(0.001)
            assert "LUCID_ERR_1102" in store.trouble
            with trio.move_on_after(0.1) as waiting:
                await store.durable(ticket)
            assert waiting.cancelled_caught, "what is not on the disk is not acknowledged"
            assert store.get("row", b"%04d" % (put - 1)) == VALUE and store.get("row", b"first") == VALUE
            ballast.unlink()
            with trio.fail_after(10):
                await store.durable(ticket)
            assert store.trouble is None
            nursery.cancel_scope.cancel()
        return put

    url = f"sqlite:{disk}/store"
    with closing(open_store(url)) as inner:
        put = trio.run(main, DurableStore(inner))
    with closing(open_store(url)) as inner:
        assert [key for key, _ in inner.scan("row")] == [*(b"%04d" % number for number in range(put)), b"first"]
        assert [key for key, _ in inner.scan("pair")] == [b"%04d" % number for number in range(put)]
        assert inner.check() == []


def test_a_store_does_not_open_on_a_full_disk_and_is_whole_after_that(disk: Path) -> None:
    url = f"sqlite:{disk}/store"
    with closing(open_store(url)) as store:
        store.write([("row", b"%04d" % number, VALUE) for number in range(50)])
    ballast = fill(disk)
    with pytest.raises(StoreFull):
        open_store(url)
    ballast.unlink()
    with closing(open_store(url)) as store:
        assert len(list(store.scan("row"))) == 50 and store.check() == []
