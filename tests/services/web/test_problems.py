"""Problems and their one shape: any code and any text is an error that a program can read."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.api.errors import MEANINGS, ErrorEnvelope, status_of
from lucid.chain.errors import Code
from lucid.services.web.problems import RETRY_AFTER_S, Problem, envelope


@given(st.sampled_from(Code), st.text(), st.text(max_size=40), st.sampled_from([None, 400, 503]))
def test_any_problem_is_an_envelope_of_its_code_and_a_line_of_text(
    code: Code, detail: str, request: str, status: int | None
) -> None:
    problem = Problem(code, detail, {"name": "value"}, status=status)
    inside = msgspec.json.decode(envelope(problem, request, "a-service"), type=ErrorEnvelope).error
    assert (inside.code, inside.service, inside.request_id) == (code.code, "a-service", request)
    assert inside.message.startswith(code.sentence) and inside.message.isprintable()
    assert not detail.isprintable() or len(detail) > 100 or detail in inside.message
    assert inside.details == {"name": "value"}
    assert problem.status == (status or status_of(code)) and problem.status in MEANINGS


@pytest.mark.parametrize("code", Code)
def test_the_status_of_each_code_has_a_meaning(code: Code) -> None:
    assert Problem(code).status in MEANINGS and not Problem(code).headers and not Problem(code).details


def test_what_one_says_is_no_other_s() -> None:
    one, other = Problem(Code.REQUEST), Problem(Code.REQUEST)
    one.details["name"] = one.headers["Name"] = "value"
    assert not other.details and not other.headers and RETRY_AFTER_S >= 1
