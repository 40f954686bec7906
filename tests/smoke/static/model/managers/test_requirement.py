"""Why one requirement cannot be met at a step."""

from __future__ import annotations

import pytest

from smoke.static.model.managers.requirement import unmet
from tests.smoke.static.model.staged import stage


@pytest.mark.parametrize(
    ("reference", "requirement", "says"),
    [
        ("python:3.12-slim", "flask==3.0", ""),
        ("python:3.12-slim", "a @ git+https://example.org/a", "needs git"),
        ("python:3.12", "a @ git+https://example.org/a", ""),
        ("python:3.12-slim", "psycopg2", "no compiler"),
        ("python:3.12-slim", "Psycopg2==2.9.9", "no compiler"),
        ("python:3.12-slim", "psycopg2; sys_platform == 'win32'", ""),
        ("python:3.12", "psycopg2", ""),
        ("python:3.12-slim", "a @ file:///home/someone/a", "a file of another machine"),
        ("python:3.12-slim", "a @ file:///usr/share/a", ""),
        ("example/own:1", "flask", ""),
    ],
)
def test_what_it_takes(reference: str, requirement: str, says: str) -> None:
    made = stage("python:3.12-slim" if reference.startswith("example") else reference)
    found = unmet(made, requirement, False)
    assert says in found and bool(says) == bool(found)


def test_another_index_may_have_a_wheel() -> None:
    assert unmet(stage(), "psycopg2", True) == ""
    assert "needs git" in unmet(stage(), "a @ git+https://example.org/a", True)
