"""Programs of well-known distributions, held against what is installed beside these tests."""

from __future__ import annotations

from importlib.metadata import distributions

from smoke.static.python.distributions import normalized
from smoke.static.python.known_programs import KNOWN_PROGRAMS, surely_lack


def test_what_is_installed_here_has_no_other_programs() -> None:
    for each in distributions():
        known = KNOWN_PROGRAMS.get(normalized(each.name))
        own = {point.name for point in each.entry_points if point.group in ("console_scripts", "gui_scripts")}
        assert known is None or own <= {*known.split()}, each.name


def test_what_is_not_known_may_bring_any() -> None:
    assert surely_lack({"flask", "click"}, "tickerd") and surely_lack(set(), "tickerd")
    assert not surely_lack({"flask"}, "flask") and not surely_lack({"flask", "never-heard-of"}, "tickerd")
