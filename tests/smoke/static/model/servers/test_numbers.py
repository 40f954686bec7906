"""Options of servers that take a number."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from smoke.static.model.servers.numbers import no_number
from tests.smoke.static.model.servers.situation import given


@pytest.mark.parametrize(
    ("server", "words", "refused"),
    [
        ("gunicorn", "-b 0.0.0.0:eighty a:b", True),
        ("gunicorn", "--bind=0.0.0.0:8000 a:b", False),
        ("gunicorn", "-b unix:/run/a.sock -w auto a:b", True),
        ("uvicorn", "a:b --port 70000", True),
        ("uvicorn", "a:b --port 8000 --workers 4", False),
        ("uvicorn", "a:b --port $PORT", False),
    ],
)
def test_a_number_is_a_number(server: str, words: str, refused: bool) -> None:
    assert bool(no_number(server, words.split(), given())) is refused


def test_a_variable_stays_text_where_no_shell_reads_it() -> None:
    spoken = replace(given(), spoken=("uvicorn", "a:b", "--port", "$PORT"))
    assert "stays as it is" in no_number("uvicorn", ["a:b", "--port", "$PORT"], spoken)
