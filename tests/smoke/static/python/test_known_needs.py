"""What the table of distributions does not say."""

from __future__ import annotations

import pytest

from smoke.static.python.distributions import modules, needs, normalized
from smoke.static.python.known_needs import KNOWN_NEEDS


@pytest.mark.parametrize("name", sorted(KNOWN_NEEDS))
def test_all_that_a_distribution_brings_is_known(name: str) -> None:
    assert name == normalized(name)
    pending, every = [name], set()
    while pending:
        each = pending.pop()
        if each not in every:
            every.add(each)
            found = needs(each)
            assert found is not None, each
            pending += found
    assert [each for each in every if modules(each) is None] == []
