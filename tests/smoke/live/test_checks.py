"""What the live checks make of a node that cannot be tried as they would like to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smoke.finding import Finding, Verdict
from smoke.live.checks import LIFECYCLE, guarded
from smoke.live.failure import LiveError, NotPossible


@pytest.mark.parametrize(
    ("error", "verdict"), [(NotPossible("no small disks"), Verdict.SKIP), (LiveError("it is dead"), Verdict.FAIL)]
)
def test_what_an_engine_does_not_have_is_a_skip_and_a_dead_node_a_failure(error: LiveError, verdict: Verdict) -> None:
    def step() -> Iterator[Finding]:
        yield LIFECYCLE.passed("it was healthy before")
        raise error

    before, last = guarded(LIFECYCLE, step)
    assert (before.verdict, last.verdict, last.message) == (Verdict.PASS, verdict, str(error))
