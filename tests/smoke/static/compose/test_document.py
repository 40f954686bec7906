"""YAML with its places, bounded before it is built."""

from __future__ import annotations

from contextlib import suppress

import pytest

from smoke.static.compose.document import YamlError, items_of, read_yaml, text_of
from tests.effort import no_hang


def test_values_have_their_lines_and_null_is_no_text() -> None:
    root = read_yaml("a:\n  b: [x, 'null', ~]\n  c:\n", "f.yaml")
    items = root.get("a", "b")
    assert items is not None and [(each.text, each.null) for each in items.children()] == [
        ("x", False),
        ("null", False),
        ("", True),
    ]
    found = root.get("a", "c")
    assert found is not None and found.null and found.line == 3 and found.file == "f.yaml"
    assert read_yaml("").null


def test_anchors_merges_tags_and_repeated_keys() -> None:
    root = read_yaml("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\n  c: !reset null\n  b: 4\n")
    found = root.get("y")
    assert found is not None and found.mapping is not None
    assert {key: value.text for key, value in found.mapping.items()} == {"a": "1", "b": "4", "c": "null"}
    assert found.mapping["c"].tag == "!reset" and found.repeated == [("b", 6)]


BOMB = "x0: &a0 [lol]\n" + "".join(f"x{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 40))


@pytest.mark.parametrize(
    "text", ["a: [", "\t- x", "a: b: c", "- " * 9_000, "a: {" * 4_000, "[" + "*a," * 9_000, "{? [a] : b"]
)
def test_what_can_not_be_read_says_where(text: str) -> None:
    with pytest.raises(YamlError) as raised:
        read_yaml(text)
    assert raised.value.line >= 1 and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "text", [BOMB, 'a: "' + "\\a" * 200_000 + '"', 'a: "x\n' + "  y\n" * 50_000 + '"', "a: &a [*a]\n"]
)
def test_bombs_are_read_or_refused_in_time(text: str) -> None:
    with no_hang(), suppress(YamlError):
        read_yaml(text)


def test_what_is_not_there_is_empty() -> None:
    assert text_of(None) == "" and items_of(None) == [] == items_of(read_yaml("a"))
    assert text_of(read_yaml("a")) == "a" and [each.text for each in items_of(read_yaml("[b]"))] == ["b"]
