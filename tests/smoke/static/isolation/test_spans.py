"""Which parts of a text are comments, strings and imports."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.isolation.places import Comments
from smoke.static.isolation.pythonspans import python_spans
from smoke.static.isolation.spans import Spans, TextPart, rough_spans, setting_spans


def parts(text: str, spans: Spans) -> dict[str, TextPart]:
    """The part that each word written in capitals is in."""
    return {word: spans.at(text.index(word)) for word in ("CODE", "COMMENT", "STRING", "IMPORT") if word in text}


ROUGH = (
    ("CODE // COMMENT\n'STRING'\n", Comments.SLASHES),
    ("/* COMMENT */ CODE\n", Comments.SLASHES),
    ("'// STRING' CODE\n", Comments.SLASHES),
    ("import x from 'IMPORT'\nCODE\n", Comments.SLASHES),
    ("x = require('IMPORT')\nCODE\n", Comments.SLASHES),
    ("-- COMMENT\nCODE\n", Comments.DASHES),
    ("<!-- COMMENT --> CODE\n", Comments.MARKUP),
    ("CODE # COMMENT\n", Comments.HASH),
    ("CODE a#b\n", Comments.HASH),
)


@pytest.mark.parametrize(("text", "style"), ROUGH)
def test_other_languages_by_their_marks(text: str, style: Comments) -> None:
    found = parts(text, rough_spans(text, style))
    assert found == {word: TextPart[word] for word in found}


def test_of_settings_only_comments_are_told_apart() -> None:
    text = "a = 'CODE' # COMMENT\n; x\n"
    assert parts(text, setting_spans(text, Comments.HASH)) == {"CODE": TextPart.CODE, "COMMENT": TextPart.COMMENT}


@given(st.text(alphabet="ab'\"`#/*-\\\n ;<>!", max_size=60), st.sampled_from([*Comments]))
def test_any_text_has_a_part_at_each_of_its_places(text: str, style: Comments) -> None:
    for spans in (rough_spans(text, style), python_spans(text), setting_spans(text, style)):
        assert all(isinstance(spans.at(place), TextPart) for place in range(len(text) + 1))
