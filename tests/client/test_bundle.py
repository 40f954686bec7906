"""A session's stream of files: what goes in comes out, and what fails leaves nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lucid.client.bundle import Unpacker, bundle_bytes, index_of, left_out, pack, sources
from lucid.client.errors import BundleError

LEAST = 90


def stream(files: Any, data: bytes = b"") -> bytes:
    """A stream whose index says whatever it likes."""
    index = files if isinstance(files, bytes) else json.dumps({"files": files}).encode()
    return len(index).to_bytes(8, "big") + index + data


def refused(folder: Path, data: bytes, room: int | None = None) -> str:
    """Why a stream is refused; nothing is left of it."""
    before = sorted(folder.rglob("*"))
    with pytest.raises(BundleError) as caught, Unpacker(folder, len(data) if room is None else room) as unpacker:
        unpacker.feed(data)
        unpacker.finish()
    assert sorted(folder.rglob("*")) == before
    return caught.value.detail


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


def test_what_can_not_go_in_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a").write_bytes(b"2")
    for paths in ([tmp_path / "none"], [], [Path("/dev/zero")], [tmp_path / "a", tmp_path / "a"]):
        with pytest.raises(BundleError):
            sources(paths)
    assert len(sources([tmp_path / "a", tmp_path / "b"])) == 2
    files = sources([tmp_path / "a"])
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(BundleError, match="changed"):
        list(pack(files, 100, LEAST))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 100,
        stream(b"{"),
        stream(b'{"files":[],"files":[]}'),
        stream(b'{"files":[],"more":1}'),
        stream([{"name": "a", "size": -1}]),
        stream([{"name": "a", "size": 2**53}]),
        stream([{"name": "a", "size": 1.0}]),
        stream([{"name": "a", "size": 2**52}]),
        stream([{"name": "../a", "size": 1}], b"x"),
        stream([{"name": "a", "size": 2}], b"x"),
        stream([{"name": "a", "size": 1}], b"xyz"),
        stream([{"name": "a", "size": 1}, {"name": "a", "size": 1}], b"xx"),
        stream([{"name": "a", "size": 1}, {"name": "a/b", "size": 1}], b"xx"),
        stream([{"name": "d/x", "size": 1}, {"name": "taken", "size": 1}], b"xx"),
        stream([{"name": "d/x", "size": 1}, {"name": "taken/y", "size": 1}], b"xx"),
        stream([{"name": "link/y", "size": 1}], b"x"),
    ],
)
def test_what_is_no_stream_of_files_leaves_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "elsewhere").mkdir()
    output = tmp_path / "out"
    output.mkdir()
    (output / "taken").write_bytes(b"mine")
    (output / "link").symlink_to(tmp_path / "elsewhere")
    refused(output, data)
    assert (output / "taken").read_bytes() == b"mine" and not list((tmp_path / "elsewhere").iterdir())


def test_names_that_collide_with_parts_and_links_that_wait_do_no_harm(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    output = tmp_path / "out"
    output.mkdir()
    (output / ".a.part").symlink_to(victim)
    data = stream([{"name": "a", "size": 1}, {"name": ".a.part", "size": 1}], b"12")
    with Unpacker(output, len(data)) as unpacker:
        unpacker.feed(data)
        assert sorted(path.name for path in unpacker.finish()) == ["%2Ea.part", "a"]
    assert not victim.exists()


def test_an_index_that_promises_more_than_the_session_has_is_refused_at_once(tmp_path: Path) -> None:
    data = stream([{"name": "a", "size": 1_000}], bytes(10))
    assert "more bytes" in refused(tmp_path, data, room=len(data) + 900)


def test_a_name_that_is_taken_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    data = stream([{"name": "d/a", "size": 1}, {"name": "d/b", "size": 1}], b"12")
    with pytest.raises(BundleError, match="exists already"), Unpacker(tmp_path, len(data)) as unpacker:
        unpacker.feed(data)
        (tmp_path / "d").mkdir()
        (tmp_path / "d" / "b").write_bytes(b"mine")
        unpacker.finish()
    assert {path.name: path.read_bytes() for path in (tmp_path / "d").iterdir()} == {"b": b"mine"}
