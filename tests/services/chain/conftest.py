"""A store of rows, for what a block manager shows of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lucid.storage.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty one."""
    with closing(SqliteStore(tmp_path / "store")) as found:
        yield found
