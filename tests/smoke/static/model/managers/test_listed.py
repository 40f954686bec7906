"""Requirement files as they stand at a step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.model.managers.listed import other_pin, requirement_lines
from tests.smoke.static.model.staged import stage

FILES = {
    "all.txt": "# head\nflask==3.0 # web\n\n-r more.txt\nredis>=5; python_version > '3'\n--index-url https://example.org\n",
    "more.txt": "httpx \\\n  ==0.27\n",
    "loop.txt": "-r loop.txt\na\n",
    "bounded.txt": "-c limits.txt\na\n",
    "limits.txt": "b==1\n",
    "gone.txt": "-r nowhere.txt\na\n",
}


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("all.txt", ["flask==3.0", "httpx    ==0.27", "redis>=5; python_version > '3'"]),
        ("bounded.txt", ["a"]),
        ("gone.txt", ["a"]),
    ],
)
def test_lines(name: str, lines: list[str]) -> None:
    """Comments, options and constraints are no requirements; what a file includes is."""
    found = list(requirement_lines(stage(files=FILES), f"/{name}", 0))
    assert [line for line, absent in found if not absent] == lines
    assert not any(absent for _, absent in found)


def test_a_file_that_is_not_there_is_told_unless_something_may_have_made_it() -> None:
    made = stage()
    assert list(requirement_lines(made, "none.txt", 0)) == [("", "there is no /none.txt at this step")]
    assert list(requirement_lines(made, "/usr/share/none.txt", 0)) == []
    for operand in ("*.txt", "$FILE", "https://example.org/a.txt", "-"):
        assert list(requirement_lines(made, operand, 0)) == []


def test_a_circle_of_files_ends() -> None:
    assert [line for line, _ in requirement_lines(stage(files=FILES), "/loop.txt", 0)].count("a") < 20


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    assert all(line or absent for line, absent in requirement_lines(stage(files={"a.txt": text}), "/a.txt", 0))


def test_two_pins_of_one_distribution() -> None:
    pins: dict[str, str] = {}
    assert other_pin(pins, "Zope.Interface==1") == ""
    assert other_pin(pins, "zope-interface==1") == "", "the same, in another spelling"
    assert other_pin(pins, "zope_interface[extra]==2 # newer") == "zope-interface is pinned to 1 and to 2"
    assert other_pin(pins, "zope-interface==3; python_version < '3'") == "", "perhaps never"
    assert other_pin(pins, "zope-interface>=3") == ""
