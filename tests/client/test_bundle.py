"""A session's stream of files: what goes in comes out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lucid.client.bundle import bundle_bytes, index_of, pack
from lucid.client.errors import BundleError
from lucid.client.sources import left_out, sources
from lucid.client.unpacking import Unpacker

LEAST = 90


@pytest.mark.parametrize("size", [LEAST, 100, 1_000, 10_000])
def test_files_and_folders_come_apart_as_they_were_put_together(tmp_path: Path, size: int) -> None:
    inside = tmp_path / "in" / "talk"
    (inside / "deep" / "er").mkdir(parents=True)
    contents = {"a": b"", "deep/b": b"1", "deep/er/c": bytes(999), "z": bytes(range(250)) * 20}
    for name, data in contents.items():
        (inside / name).write_bytes(data)
    (inside / "link").symlink_to("/etc/passwd")
    os.mkfifo(inside / "deep" / "pipe")
    assert left_out([inside, tmp_path / "in"]) == [inside / "deep" / "pipe", inside / "link"] * 2
    (tmp_path / "single").write_bytes(b"single")
    files = sources([inside, tmp_path / "single"])
    assert [each.entry.name for each in files] == [*(f"talk/{name}" for name in sorted(contents)), "single"]
    parts = list(pack(files, size, LEAST))
    assert [last for _, last in parts] == [False] * (len(parts) - 1) + [True]
    assert all(len(part) == size for part, _ in parts[:-1]) and LEAST <= len(parts[-1][0]) <= size
    assert sum(len(part) for part, _ in parts) - bundle_bytes(index_of(files)) in range(LEAST)
    output = tmp_path / "out"
    output.mkdir()
    with Unpacker(output, sum(len(part) for part, _ in parts)) as unpacker:
        for part, _ in parts:
            unpacker.feed(part)
        written = unpacker.finish()
    assert {str(path.relative_to(output)): path.read_bytes() for path in written} == {
        **{f"talk/{name}": data for name, data in contents.items()},
        "single": b"single",
    }
    assert sorted(path.name for path in output.iterdir()) == ["single", "talk"]


def test_a_file_that_changes_meanwhile_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    files = sources([tmp_path / "a"])
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(BundleError, match="changed"):
        list(pack(files, 100, LEAST))
