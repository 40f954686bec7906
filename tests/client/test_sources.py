"""Files and folders that go into a session; what cannot is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lucid.client.errors import BundleError
from lucid.client.sources import left_out, sources


def test_what_can_not_go_in_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a").write_bytes(b"2")
    for paths in ([tmp_path / "none"], [], [Path("/dev/zero")], [tmp_path / "a", tmp_path / "a"]):
        with pytest.raises(BundleError):
            sources(paths)
    assert [each.entry.name for each in sources([tmp_path / "a", tmp_path / "b"])] == ["a", "b/a"]


def test_links_and_pipes_in_folders_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "talk").mkdir()
    (tmp_path / "talk" / "a").write_bytes(b"1")
    (tmp_path / "talk" / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "talk" / "pipe")
    assert [each.entry.name for each in sources([tmp_path / "talk"])] == ["talk/a"]
    assert left_out([tmp_path / "talk"]) == [tmp_path / "talk" / "link", tmp_path / "talk" / "pipe"]
