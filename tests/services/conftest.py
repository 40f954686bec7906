"""What the tests of the services share: a node of its own as real processes, and an empty store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lucid.services.devnet import Devnet
from lucid.storage.sqlite import SqliteStore


@pytest.fixture(scope="session")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """A network of one node, a block every second, for tests that only look at it or add to it."""
    with Devnet(tmp_path_factory.mktemp("lone"), 1, 1_000, journal=True) as network:
        yield network


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty store of rows."""
    with closing(SqliteStore(tmp_path / "store")) as found:
        yield found
