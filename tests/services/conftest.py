"""A node of its own as real processes, shared by the tests that only look at it or add to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lucid.services.devnet import Devnet


@pytest.fixture(scope="session")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """A network of one node, a block every second."""
    with Devnet(tmp_path_factory.mktemp("lone"), 1, 1_000, journal=True) as network:
        yield network
