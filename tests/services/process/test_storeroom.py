"""A store is told when its disk is full, and when it is not any more."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from lucid.services.process import storeroom
from lucid.services.process.storeroom import STORE_ROOM_BYTES, StoreRoom
from tests.services.process.disks import fill, looking
from tests.waiting import until


async def test_a_store_is_told_of_its_full_disk_and_of_room_again(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storeroom, "STORE_LOOK_S", 0.01)
    room = StoreRoom(disk)
    assert room.condition() is None, "nothing is known yet"
    other = fill(disk, STORE_ROOM_BYTES // 2)
    async with looking(room):
        await until(room.condition)
        found = room.condition()
        assert found is not None and (found.state, found.sentence) == ("disk low", "the store's disk has 0.5 MiB left")
        other.unlink()
        await until(lambda: room.condition() is None)


async def test_a_store_s_disk_that_cannot_be_asked_is_not_its_to_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storeroom, "STORE_LOOK_S", 0.01)
    room = StoreRoom(tmp_path / "missing")
    async with looking(room):
        await trio.sleep(0.05)
        assert room.condition() is None
