"""A real mongod for the tests, started once when first asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mongod import Mongod


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A one-node replica set."""
    with Mongod(tmp_path_factory.mktemp("mongod")) as running:
        yield running
