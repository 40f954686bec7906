"""Variables in Compose files, operator by operator, and files that give them."""

from __future__ import annotations

import pytest

from smoke.static.compose.interpolation import interpolated

VALUES = {"A": "a", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("$A-${A}", "a-a"),
        ("$$A", "$A"),
        ("${NONE:-b}", "b"),
        ("${EMPTY:-b}${EMPTY-c}", "b"),
        ("${NONE-b}", "b"),
        ("${NONE:-${A}}", "a"),
        ("${A:+set}${NONE:+set}${EMPTY+there}", "setthere"),
        ("${NONE:?why}", "${NONE}"),
        ("$NONE", "${NONE}"),
        ("100%", "100%"),
        ("$1", "$1"),
    ],
)
def test_an_operator_gives_what_compose_gives(text: str, meaning: str) -> None:
    assert interpolated(text, VALUES) == meaning
