"""What goes wrong with a live node, told without what runs one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from smoke.live.failure import LiveError, NotPossible


def test_what_is_not_possible_is_caught_as_what_goes_wrong() -> None:
    """Whoever only wants to say why it did not work needs one name; whoever skips a check tells them apart."""
    with pytest.raises(LiveError, match="no small disks"):
        raise NotPossible("no small disks")
    assert not isinstance(LiveError("it is dead"), NotPossible)


def test_it_needs_nothing_that_a_node_does() -> None:
    """The command catches it before it knows whether an engine or a client of one is installed."""
    code = "import sys, smoke.live.failure; print(*({'docker', 'httpx', 'msgspec'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
