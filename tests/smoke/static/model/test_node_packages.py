"""Packages that a node_modules may have: where a lock file names them, and where others may come along."""

from __future__ import annotations

import pytest

from smoke.static.model.node_packages import NodeModules


@pytest.mark.parametrize(
    ("package", "omitted", "locked", "may"),
    [
        ("express", True, True, True),
        ("nodemon", False, True, True),
        ("nodemon", True, False, False),
        ("accepts", True, True, False),
        ("accepts", True, False, True),
    ],
)
def test_what_may_be_in_it(package: str, omitted: bool, locked: bool, may: bool) -> None:
    every = frozenset({"express", "nodemon"})
    assert NodeModules(every, frozenset({"express"}), omitted, locked).may_have(package) is may


def test_why_a_package_is_not_in_it() -> None:
    held = NodeModules(frozenset({"nodemon"}), frozenset(), omitted=True)
    assert held.lacks("nodemon") == "a development dependency, which is left out"
    assert held.lacks("express") == "which nothing installs"
