"""A node that lies, for the tests of clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.client.lying import LyingNode, lying_node


@pytest.fixture
def node() -> Iterator[LyingNode]:
    """A node that lies."""
    with lying_node() as made:
        yield made
