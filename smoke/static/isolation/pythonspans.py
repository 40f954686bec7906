"""Which parts of Python's source are comments, strings and imports, by its tokens."""

from __future__ import annotations

import io
import tokenize

from smoke.static.isolation.places import Comments
from smoke.static.isolation.spans import Span, Spans, TextPart, layered, rough_spans

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
    return layered(reader.imports, reader.spans)


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
