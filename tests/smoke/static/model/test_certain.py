"""The programs that a script surely starts: they decide whether a health check can succeed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.model.certain import certain_programs

CERTAIN = {
    "curl -f x || exit 1": ["curl"],
    "curl -f x || wget x": [],
    "A=1 exec python -c x": ["python"],
    "curl x | grep ok": ["grep"],
    "test -f x && pg_isready": ["pg_isready"],
    "$TOOL x": [],
    "a; b": [],
    "'broken": [],
}


@pytest.mark.parametrize(("script", "programs"), CERTAIN.items())
def test_programs_that_decide_a_health_check(script: str, programs: list[str]) -> None:
    assert certain_programs(script) == programs


WORDS = st.sampled_from(["curl", "wget", "&&", "||", "|", ";", "(", ")", "'", '"', "$X", "exec", "{", "}", "\n", "A=1"])


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_any_text_is_read_and_only_programs_that_stand_in_it_are_named(script: str) -> None:
    for program in certain_programs(script):
        assert program in script and "$" not in program
