"""A stage under way: its users, paths and failures."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import FileSystem
from smoke.static.model.stage import Stage
from tests.smoke.static.model.staged import stage


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("root", 0),
        ("0", 0),
        ("1000:1000", 1000),
        ("nonroot:nonroot", 65532),
        ("nobody", 65534),
        ("app", None),
        ("", None),
        ("²", None),
        ("\u0661", None),
        ("99999999999", None),
        ("-1", None),
    ],
)
def test_users_are_numbers_or_known_names(name: str, number: int | None) -> None:
    """Docker takes ASCII digits that fit into a number; of other texts it looks for a name."""
    assert Stage(FileSystem()).number(name) == number


def test_a_home_is_the_variable_s_or_the_user_s() -> None:
    made = Stage(FileSystem(), user="app:app", homes={"app": "/home/app"})
    assert made.home() == "/home/app" and made.path("~/x") == "/home/app/x" and made.path("~") == "/home/app"
    made.environment["HOME"] = "/srv"
    assert made.home() == "/srv"
    assert Stage(FileSystem(), user="who").home() == ""
    assert made.path("~other/x") == "/~other/x" and made.path("a~") == "/a~", "neither is the home directory"


@given(
    st.lists(st.sampled_from(["a", "b", "..", ".", ""]), max_size=6).map("/".join), st.sampled_from(["/", "/srv/app"])
)
def test_paths_are_absolute_and_normal_and_stay_the_same(text: str, workdir: str) -> None:
    made = Stage(FileSystem(), workdir=workdir)
    path = made.path(text)
    assert path.startswith("/") and ".." not in path.split("/") and made.path(path) == path
    assert not path.startswith("//") and (posixpath.isabs(text) or path == made.path(f"{workdir}/{text}"))


def test_a_build_stops_at_the_first_failure() -> None:
    made = stage()
    made.fail(3, "curl is not there", "curl")
    made.fail(4, "neither is wget", "wget")
    assert [(each.line, each.lacks) for each in made.failures] == [(3, "curl")]


def test_what_fails_for_another_reason_lacks_no_program() -> None:
    made = stage()
    made.fail(3, "cp finds nothing", "cp")
    assert made.failures[0].lacks == ""


def test_a_program_is_lacking_where_it_surely_is_nowhere() -> None:
    made = stage()
    assert made.lacks("curl") and not made.lacks("python")
    made.files.suspect("/usr/local/bin", "something ran", DoubtCause.COMMAND)
    assert not made.lacks("curl")


def test_on_a_slim_base_no_more_is_lacking_once_packages_came() -> None:
    made = stage()
    before = made.lacking
    made.packages = ("curl",)
    assert made.lacking != before
