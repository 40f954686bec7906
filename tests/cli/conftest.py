"""A node that answers commands as a test says, one for all tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.client.lying import LyingNode, lying_node


@pytest.fixture(scope="module")
def liar() -> Iterator[LyingNode]:
    """The node."""
    with lying_node() as running:
        yield running


@pytest.fixture
def node(liar: LyingNode) -> LyingNode:
    """The same, which was asked nothing yet and holds nothing."""
    for each in (liar.answers, liar.asked, liar.headers, liar.chunks):
        each.clear()
    return liar
