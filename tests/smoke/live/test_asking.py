"""What an answer says, whatever a service under test may answer."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.live.asking import told


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"a": [1, null]}', {"a": [1, None]}),
        (b"plain words", "503 plain words"),
        (b"", "503"),
        (b"x" * 999, f"503 {'x' * 200}"),
        (b"\x80", "503 \N{REPLACEMENT CHARACTER}"),
        (b"[" * 100_000, f"503 {'[' * 200}"),
    ],
)
def test_an_answer_is_told_as_json_or_by_its_beginning(body: bytes, says: object) -> None:
    assert told(httpx.Response(503, content=body)) == says


@given(st.binary(max_size=20))
def test_whatever_a_service_answers_is_told(body: bytes) -> None:
    """A service under test may say anything; what it says is reported, and never ends the harness."""
    told(httpx.Response(200, content=body))


def test_no_answer_says_nothing() -> None:
    assert told(None) is None
