"""Which parts of a text are comments, strings and imports; what is none of them is code."""

from __future__ import annotations

from bisect import bisect_right
from enum import Enum, auto
from typing import NamedTuple

from smoke.static.isolation.places import Comments
from smoke.static.regex import regex


class TextPart(Enum):
    """What a piece of a source file is."""

    CODE = auto()
    COMMENT = auto()
    STRING = auto()
    IMPORT = auto()


class Span(NamedTuple):
    """A piece of a text, `end` not included."""

    start: int
    end: int
    part: TextPart


class Spans:
    """Answers which part of a text an offset is in."""

    def __init__(self, spans: list[Span]) -> None:
        self._spans = sorted(spans)
        self._starts = [span.start for span in self._spans]

    def at(self, offset: int) -> TextPart:
        """The part that an offset (in characters) is in."""
        index = bisect_right(self._starts, offset) - 1
        if index >= 0 and offset < self._spans[index].end:
            return self._spans[index].part
        return TextPart.CODE


# A string that nothing closes ends with its line: every start then matches, and no text is read more than once.
_DOUBLE, _SINGLE = r'"(?:[^"\\\n]|\\[\s\S])*"?', r"(?<!\w)'(?:[^'\\\n]|\\[\s\S])*'?"
_BACKTICK = r"`(?:[^`\\]|\\[\s\S])*`?"
_STRINGS = rf"(?P<string>{_DOUBLE}|{_SINGLE})"
_ROUGH = {
    Comments.HASH: rf"(?P<comment>(?:(?<=\s)|^)\#[^\n]*)|{_STRINGS}",
    Comments.SLASHES: rf"(?P<comment>//[^\n]*|/\*[\s\S]*?(?:\*/|\Z))|(?P<string>{_DOUBLE}|{_SINGLE}|{_BACKTICK})",
    Comments.DASHES: rf"(?P<comment>--[^\n]*|/\*[\s\S]*?(?:\*/|\Z))|{_STRINGS}",
    Comments.MARKUP: r"(?P<comment><!--[\s\S]*?(?:-->|\Z))",
    Comments.SEMICOLON: rf"(?P<comment>;[^\n]*)|{_STRINGS}",
    Comments.NONE: rf"{_STRINGS}",
}
_PATTERNS = {style: regex(f"(?m){pattern}") for style, pattern in _ROUGH.items()}
_SETTING = regex(rf"(?m)(?P<comment>^[ \t]*;[^\n]*|(?:(?<=\s)|^)\#[^\n]*)|{_STRINGS}")
_IMPORT_LINE = regex(
    r"(?m)^[ \t]*(?:import|from|use|using|require|include|\#include|extern crate)\b[^\n]*"
    r"|\b(?:require|import)\s{0,5}\(\s{0,5}['\"][^'\"\n]*['\"]\s{0,5}\)"
    r"|\bfrom\s{1,5}['\"][^'\"\n]*['\"]"
)


def rough_spans(text: str, style: Comments) -> Spans:
    """The parts of a text in a language that has no reader here: by how it marks comments and strings."""
    spans = []
    for match in _PATTERNS[style].finditer(text):
        part = TextPart.COMMENT if match.lastgroup == "comment" else TextPart.STRING
        spans.append(Span(match.start(), match.end(), part))
    found = Spans(spans)
    imports = [
        Span(match.start(), match.end(), TextPart.IMPORT)
        for match in _IMPORT_LINE.finditer(text)
        if found.at(match.start()) is TextPart.CODE
    ]
    inside = Spans(imports)
    # An import's own string is the import; a comment on its line stays one.
    kept = [span for span in spans if span.part is TextPart.COMMENT or inside.at(span.start) is not TextPart.IMPORT]
    return layered(imports, kept)


def layered(below: list[Span], above: list[Span]) -> Spans:
    """Spans of which those above cover pieces of the ones below."""
    cover = sorted(above)
    starts = [span.start for span in cover]
    spans = list(above)
    for start, end, part in below:
        first = start
        for piece in cover[bisect_right(starts, start) : bisect_right(starts, end)]:
            spans.append(Span(first, piece.start, part))
            first = max(first, piece.end)
        spans.append(Span(first, end, part))
    return Spans(spans)


def setting_spans(text: str, style: Comments) -> Spans:
    """The comments of a configuration or dependency file; what stands elsewhere is code."""
    pattern = _SETTING if style is Comments.HASH else _PATTERNS[style]
    return Spans(
        [
            Span(match.start(), match.end(), TextPart.COMMENT)
            for match in pattern.finditer(text)
            if match.lastgroup == "comment"
        ]
    )
