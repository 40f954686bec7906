"""The words that a shell makes of its text, as far as they can be known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.model.shell_syntax import grammar
from smoke.static.model.shell_words import ShellWords
from tests.smoke.static.model.staged import stage

VALUES = {"A": "one two", "B": "", "P": "/x"}
FILES = {"a.txt": "", "b.txt": "", ".c.txt": ""}


def words(text: str) -> list[str]:
    """What the arguments of a command come to."""
    command = grammar().parse(f"run {text}".encode()).root_node.named_children[0]
    reader = ShellWords(stage(files=FILES), VALUES)
    return [word for child in command.named_children[1:] for word in reader.of(child)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a b", ["a", "b"]),
        ("'a b' \"c d\"", ["a b", "c d"]),
        ("$A", ["one", "two"]),
        ('"$A"', ["one two"]),
        ("'$A'", ["$A"]),
        ("$B", []),
        ('"$B"', [""]),
        ("$P/y ${P}z", ["/x/y", "/xz"]),
        ("${NONE:-d} ${B:-d} ${B-d} ${A:+s}", ["d", "d", "s"]),
        ("$NONE", ["$NONE"]),
        ("a\\ b", ["a b"]),
        ('"a\\"b"', ['a"b']),
        ("{a,b}.py", ["a.py", "b.py"]),
        ("'{a,b}'", ["{a,b}"]),
        ("*.txt", ["/a.txt", "/b.txt"]),
        ('"*.txt"', ["*.txt"]),
        ("*.md", ["*.md"]),
        ("$(date)", ["$()"]),
        ("--to=$P", ["--to=/x"]),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="'\0"), max_size=30))
def test_what_stands_in_single_quotes_stays_as_it_is(text: str) -> None:
    assert words(f"'{text}'") == [text]
