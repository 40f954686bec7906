"""Flags, options with values and operands of a command line."""

from __future__ import annotations

import pytest

from smoke.static.model.operands import plain_operands, read_operands

VALUED = frozenset({"-o", "--mode"})


@pytest.mark.parametrize(
    ("words", "flags", "values", "operands"),
    [
        ("-rf a b", {"-r", "-f"}, {}, ["a", "b"]),
        ("--force a", {"--force"}, {}, ["a"]),
        ("-o x a", set(), {"-o": "x"}, ["a"]),
        ("--mode=7 a", set(), {"--mode": "7"}, ["a"]),
        ("--mode 7 a", set(), {"--mode": "7"}, ["a"]),
        ("-r -- -f a", {"-r"}, {}, ["-f", "a"]),
        ("- a", set(), {}, ["-", "a"]),
        ("a --mode", set(), {"--mode": ""}, ["a"]),
    ],
)
def test_words_are_told_apart(words: str, flags: set[str], values: dict[str, str], operands: list[str]) -> None:
    assert read_operands(words.split(), VALUED) == (flags, values, operands)


def test_words_that_are_no_options() -> None:
    assert plain_operands(["-rf", "a", "--mode", "7", "b", "-"], "-m --mode") == ["a", "b", "-"]
