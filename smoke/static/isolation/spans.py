"""Which parts of a text are comments, strings and imports; what is none of them is code."""

from __future__ import annotations

import io
import tokenize
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
    return _layered(imports, kept)


def _layered(below: list[Span], above: list[Span]) -> Spans:
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


_STRING_TOKENS = frozenset(
    getattr(tokenize, name) for name in ("STRING", "FSTRING_MIDDLE", "TSTRING_MIDDLE") if hasattr(tokenize, name)
)


_BREAKS = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


def python_spans(text: str) -> Spans:
    """The parts of Python source by its tokens; a file that cannot be read as tokens is taken by its marks."""
    reader = _PythonReader(text)
    try:
        for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
            reader.take(token)
    except (tokenize.TokenError, SyntaxError, ValueError, IndexError, RecursionError, MemoryError):
        return rough_spans(text, Comments.HASH)
    return _layered(reader.imports, reader.spans)


class _PythonReader:
    """Collects spans token by token, statement by statement."""

    def __init__(self, text: str) -> None:
        self.spans: list[Span] = []
        self.imports: list[Span] = []
        self._size = len(text)
        self._lines = _line_starts(text)
        self._strings: list[tuple[int, int]] = []
        self._bare = True
        """Whether the statement has nothing but strings so far: then it is documentation, which nothing runs."""
        self._importing = -1
        self._fresh = True

    def take(self, token: tokenize.TokenInfo) -> None:
        """Look at the next token."""
        start, end = self._offset(token.start), self._offset(token.end)
        if token.type == tokenize.COMMENT:
            self.spans.append(Span(start, end, TextPart.COMMENT))
        elif token.type in _STRING_TOKENS:
            self._strings.append((start, end))
            self._fresh = False
        elif token.type in _BREAKS:
            self._finish(start)
        elif token.type != tokenize.NL:
            if self._importing < 0 and (token.string == "import" or (token.string == "from" and self._fresh)):
                self._importing = start
            if token.string == ";":
                self._finish(start)
            else:
                self._bare = False
                self._fresh = token.string == ":"

    def _finish(self, end: int) -> None:
        part = TextPart.COMMENT if self._bare else TextPart.STRING
        self.spans += [Span(first, last, part) for first, last in self._strings]
        if self._importing >= 0:
            self.imports.append(Span(self._importing, end, TextPart.IMPORT))
        self._strings, self._bare, self._importing, self._fresh = [], True, -1, True

    def _offset(self, place: tuple[int, int]) -> int:
        line, column = place
        return min(self._lines[line - 1] + column, self._size) if line <= len(self._lines) else self._size


def _line_starts(text: str) -> list[int]:
    """Offset of each line, as `readline` without translation of line ends sees them, and of what would follow."""
    starts = [0]
    for line in io.StringIO(text, newline=""):
        starts.append(starts[-1] + len(line))
    return starts
