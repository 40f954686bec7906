"""Names that distributions took away: told where the installed version surely lacks them, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from smoke.static.model.install import Install
from smoke.static.python import distributions as table
from smoke.static.python.installed import Installed
from smoke.static.python.removed import ANY, REMOVALS, Removal, has_it, removed
from smoke.static.python.source import Import
from smoke.tree import Tree


def installed(folder: Path, *distributions: str) -> Installed:
    return Installed(Tree(folder), (Install(2, distributions=distributions, directory="/site"),), (3, 12), "Dockerfile")


@pytest.mark.parametrize("removal", REMOVALS, ids=lambda each: f"{each.distribution}-{each.since}-{each.module}")
def test_it_is_told_of_that_version_and_not_of_the_one_before(tmp_path: Path, removal: Removal) -> None:
    name = removal.names[0]
    taken = Import(1, removal.module, names=() if name == ANY else (name,))
    new = installed(tmp_path, f"{removal.distribution}=={removal.since}")
    assert (removal, name) in list(removed(new, taken, (3, 12), bounded=True))
    before = installed(tmp_path, f"{removal.distribution}=={Version(removal.since).major - 1}.99")
    assert not any(each is removal for each, _ in removed(before, taken, (3, 12), bounded=True))
    older = (3, removal.python[1] - 1)
    assert not any(each is removal for each, _ in removed(new, taken, older, bounded=True)), (
        "such a Python gets an older one"
    )
    top = removal.module.partition(".")[0]
    assert removal.distribution in table.candidates(top) or top in (table.modules(removal.distribution) or ())


ESCAPE = Import(1, "flask", names=("escape",))
[FLASK] = [each for each in REMOVALS if (each.distribution, each.since) == ("flask", "3.0")]


@pytest.mark.parametrize(
    ("distributions", "bounded", "gone"),
    [
        (["flask"], False, True),
        (["flask"], True, False),
        (["flask>=3"], True, True),
        (["flask>=2"], False, True),
        (["flask<3"], False, False),
        (["flask~=2.0"], False, False),
        (["flask==2.3.3"], False, False),
        (["flask==3.0rc1"], False, False),
        (["flask==3.*"], False, True),
        (["flask", "no-such-thing"], False, False),
        (["flask-wtf"], False, False),
        (["numpy"], False, False),
    ],
)
def test_a_version_that_is_not_pinned_is_the_newest_unless_something_may_hold_it_back(
    tmp_path: Path, distributions: list[str], bounded: bool, gone: bool
) -> None:
    assert has_it(installed(tmp_path, *distributions), FLASK, bounded=bounded) is gone


@pytest.mark.parametrize(
    ("taken", "names"),
    [
        (Import(1, "flask", names=("escape", "Markup", "Flask")), ["escape", "Markup"]),
        (Import(1, "flask"), []),
        (Import(1, "flask.views", names=("escape",)), []),
        (Import(1, "flask", level=1, names=("escape",)), []),
        (Import(1, "openai.error"), [ANY]),
        (Import(1, "openai.error.sub", names=("x",)), [ANY]),
        (Import(1, "openai", names=("error",)), [ANY]),
        (Import(1, "openai", names=("errors",)), []),
        (Import(1, "openai.errors"), []),
    ],
)
def test_which_imports_take_what_is_gone(tmp_path: Path, taken: Import, names: list[str]) -> None:
    found = removed(installed(tmp_path, "flask==3.1", "openai==1.2"), taken, (3, 12), bounded=False)
    assert [name for _, name in found] == names


def test_of_two_installations_each_has_to_lack_it(tmp_path: Path) -> None:
    installs = tuple(Install(2, distributions=(each,), directory="/site") for each in ("flask==3.0", "flask==2.0"))
    both = Installed(Tree(tmp_path), installs, (3, 12), "Dockerfile")
    assert not has_it(both, FLASK, bounded=False)


def test_the_table_can_be_read() -> None:
    assert all(Version(each.since) > Version("0") and each.names for each in REMOVALS)
