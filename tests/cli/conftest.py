"""What tests of several commands need: a node that answers as a test says, and a process that outlives a signal."""

from __future__ import annotations

import signal
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


@pytest.fixture
def survived() -> Iterator[None]:
    """SIGTERM comes to this very process: a command that does not heed it would take that along."""

    def not_heeded(*_: object) -> None:
        raise AssertionError("it does not heed SIGTERM")

    before = signal.signal(signal.SIGTERM, not_heeded)
    yield
    signal.signal(signal.SIGTERM, before)
