"""Distributions that newer versions of Python cannot load, and the releases that they can."""

from __future__ import annotations

from packaging.version import Version

from smoke.static.python.distributions import normalized
from smoke.static.python.unloadable import LOADABLE, UNLOADABLE


def test_the_tables_can_be_read() -> None:
    assert all(normalized(name) == name and version[0] == 3 for name, (version, _) in UNLOADABLE.items())
    assert all(normalized(name) == name and Version(first) for name, first, _ in LOADABLE.values())
