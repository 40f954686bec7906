"""A stream of files written into a folder: what fails leaves nothing, and writes over nothing."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from lucid.client.errors import BundleError, NameTaken
from lucid.client.unpacking import Unpacker


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


@pytest.mark.parametrize("links", [True, False])
def test_one_who_goes_on_takes_his_own_files_for_his_own_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """He was killed as he named them; what he left unfinished goes."""

    def none(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", none)
    data = stream([{"name": "a", "size": 1}, {"name": "d/b", "size": 1}], b"12")
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / ".lucid-x").mkdir()
    (tmp_path / ".lucid-x" / "7").touch()
    with pytest.raises(NameTaken), Unpacker(tmp_path, len(data), parts=".lucid-x") as unpacker:
        unpacker.feed(data)
    with Unpacker(tmp_path, len(data), parts=".lucid-x", resumed=True) as unpacker:
        unpacker.feed(data)
        assert unpacker.finish() == [tmp_path / "a", tmp_path / "d" / "b"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "d"]
    for mine in (b"?", b"mine"):
        (tmp_path / "d" / "b").write_bytes(mine)
        with pytest.raises(NameTaken), Unpacker(tmp_path, len(data), resumed=True) as unpacker:
            unpacker.feed(data)
            unpacker.finish()
        assert (tmp_path / "d" / "b").read_bytes() == mine and (tmp_path / "a").read_bytes() == b"1"
