"""What is read of a service's settings."""

from __future__ import annotations

import pytest

from smoke.static.checks.compose.running import items_of, text_of, with_defaults


@pytest.mark.parametrize(
    ("text", "plain"),
    [("${A:-1}:${B-2}", "1:2"), ("${A}", "${A}"), ("${A:?no}", "${A:?no}"), ("${A:-}", ""), ("plain", "plain")],
)
def test_variables_stand_for_their_defaults_alone(text: str, plain: str) -> None:
    assert with_defaults(text) == plain


def test_what_is_not_there_is_empty() -> None:
    assert text_of(None) == "" and items_of(None) == []
