"""A folder with a store in a file, for tests of what works on one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from lucid.storage.opening import open_store
from tests.cli.command import Done, assert_refused, lucid

ROWS = [("kept", bytes([number]), bytes(100)) for number in range(50)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a store of some rows, and a log of votes."""
    with closing(open_store(f"sqlite:{tmp_path / 'source'}")) as store:
        store.write([*ROWS, ("vote", b"latest", b"v")])
    return tmp_path


def store(folder: Path, *words: object) -> Done:
    """Run `lucid store` there."""
    return lucid("store", *words, cwd=folder)


def rows(path: Path) -> dict[bytes, bytes]:
    """The rows of a store, and no votes."""
    with closing(open_store(f"sqlite:{path}")) as opened:
        assert not list(opened.scan("vote"))
        return dict(opened.scan("kept"))


def assert_nothing_made(folder: Path, words: list[str], says: str) -> None:
    """What is asked is refused in one sentence, and the folder is as it was."""
    (folder / "file").write_bytes(b"\xff no store, however long one reads in it" * 99)
    before = {path.name for path in folder.iterdir()}
    assert_refused(store(folder, *words), says)
    assert {path.name for path in folder.iterdir()} == before
