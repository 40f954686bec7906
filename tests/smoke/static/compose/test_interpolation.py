"""Variables in Compose files, operator by operator, and files that give them."""

from __future__ import annotations

import pytest

from smoke.static.compose.interpolation import interpolated, with_defaults

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


@pytest.mark.parametrize(
    ("text", "plain"),
    [("${A:-1}:${B-2}", "1:2"), ("${A}", "${A}"), ("${A:?no}", "${A:?no}"), ("${A:-}", ""), ("plain", "plain")],
)
def test_variables_stand_for_their_defaults_alone(text: str, plain: str) -> None:
    assert with_defaults(text) == plain
