"""Lists of programs: what is in them decides what an image surely lacks."""

from __future__ import annotations

import pytest

from smoke.static.model.bases import tools
from smoke.static.model.packages import known_programs

LISTS = {name: value for name, value in vars(tools).items() if name.endswith("_PROGRAMS") or name == "BUILDPACK"}


@pytest.mark.parametrize("name", LISTS)
def test_programs_have_plain_names(name: str) -> None:
    assert LISTS[name] and all(each and "/" not in each and each == each.strip() for each in LISTS[name])


@pytest.mark.parametrize("name", [each for each in LISTS if each not in ("_COREUTILS", "BUILDPACK")])
def test_every_distribution_has_a_shell(name: str) -> None:
    assert "sh" in LISTS[name]


def test_a_distribution_lacks_the_package_managers_of_the_others() -> None:
    assert "apk" not in tools.DEBIAN_PROGRAMS and "apt-get" not in tools.ALPINE_PROGRAMS
    assert "apk" not in tools.BUSYBOX_PROGRAMS and "apk" in tools.ALPINE_PROGRAMS


def test_what_is_often_missing_is_known_and_not_in_a_slim_image() -> None:
    """A program that no list knows is never told to be missing."""
    for program in ("curl", "wget", "git", "gcc", "nc", "ps"):
        assert program in known_programs() and program not in tools.DEBIAN_PROGRAMS
