"""Pairs of distributions that do not go together, where the older one is pinned."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from smoke.static.model.install import Install
from smoke.static.python.installed import Installed
from smoke.static.python.mismatched import PAIRS, mismatched
from smoke.tree import Tree


def installed(folder: Path, *distributions: str) -> Installed:
    return Installed(Tree(folder), (Install(2, distributions=distributions, directory="/site"),), (3, 12), "Dockerfile")


@pytest.mark.parametrize(
    ("distributions", "bounded", "pairs"),
    [
        (["flask==2.1.0"], False, ["werkzeug"]),
        (["flask==2.1.0"], True, []),
        (["flask==2.1.0", "werkzeug==2.3"], False, []),
        (["flask==2.1.0", "werkzeug==3.0.1"], True, []),
        (["flask==2.1.0", "werkzeug==3.0.1"], False, ["werkzeug"]),
        (["flask==2.3.0"], False, []),
        (["flask"], False, []),
        (["flask==2.1.0", "no-such-thing"], False, []),
    ],
)
def test_an_older_one_that_is_pinned_beside_a_newer_one(
    tmp_path: Path, distributions: list[str], bounded: bool, pairs: list[str]
) -> None:
    found = installed(tmp_path, *distributions)
    assert [each.newer for each in mismatched(found, {"flask"}, (3, 12), bounded=bounded)] == pairs
    assert not list(mismatched(found, {"os"}, (3, 12), bounded=bounded)), "it is not loaded"
    assert not list(mismatched(found, {"flask"}, None, bounded=bounded))


def test_the_table_can_be_read() -> None:
    assert all(len(SpecifierSet(each.versions)) and Version(each.since) > Version("0") for each in PAIRS)
