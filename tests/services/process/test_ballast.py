"""The ballast is let go on a full disk, and on no other."""

from __future__ import annotations

from pathlib import Path

from lucid.services.process.ballast import BALLAST_BYTES, make_way
from lucid.services.process.space import Space
from tests.services.process.disks import fill, free


def test_way_is_made_on_a_full_disk_alone(disk: Path) -> None:
    Space(disk, disk / "ballast", 0, 0)
    make_way(disk, disk / "ballast")
    assert (disk / "ballast").exists()
    fill(disk, 0)
    make_way(disk, disk / "ballast")
    assert not (disk / "ballast").exists() and free(disk) >= BALLAST_BYTES
    make_way(disk, disk / "ballast")
    make_way(disk / "missing", disk / "ballast")
