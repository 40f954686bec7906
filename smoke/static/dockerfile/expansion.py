"""Docker's own shell words: quotes, escapes and `$NAME` in its many forms, as BuildKit's lexer reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from smoke.static.regex import regex

MAX_VALUE = 1 << 16
"""Letters of an expanded text; more is cut, since values that double themselves would have no end."""
MAX_NESTING = 16
MAX_STARS = 3
"""Wildcards of a `${NAME#pattern}` that are matched; with more the value stays as it is."""
MAX_MATCHED = 4096

SPACE = (
    "\t\n\v\f\r \N{NEXT LINE}\N{NO-BREAK SPACE}\N{OGHAM SPACE MARK}\u2000-\u200a\N{LINE SEPARATOR}"
    "\N{PARAGRAPH SEPARATOR}\N{NARROW NO-BREAK SPACE}\N{MEDIUM MATHEMATICAL SPACE}\N{IDEOGRAPHIC SPACE}"
)
"""What Go calls white space, as a set within a regular expression; Python's own `\\s` has four more."""

_SPECIAL = "@*#?-$!"
_GAP = regex(rf"[{SPACE}]+")
_WORD = regex(rf"[^{SPACE}]+")


class Expanded(Struct, frozen=True):
    """A text with its variables replaced and its quotes taken off."""

    text: str
    unset: tuple[str, ...] = ()
    """Variables in it that nothing had set and that had no default."""
    failed: str = ""
    """Why Docker would refuse it; empty when it would not."""
    words: tuple[str, ...] = ()
    """The text cut at white space outside of quotes, after variables were replaced."""


class _Refused(Exception):
    """The text means nothing; it never leaves this module."""


class _Words:
    """Words in the making: white space ends one, unless it was quoted."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.parts: list[str] = []
        self.length = 0

    def add(self, text: str) -> None:
        """Text whose white space parts words."""
        for number, part in enumerate(_GAP.split(text)):
            if number:
                self.end()
            if part:
                self.keep(part)

    def keep(self, text: str) -> None:
        """Text that belongs to the word as it is."""
        if self.length < MAX_VALUE:
            self.parts.append(text)
            self.length += len(text)

    def end(self) -> None:
        """The word ends here."""
        if word := "".join(self.parts):
            self.done.append(word)
        self.parts = []


class _Lexer:
    """One pass over a text."""

    def __init__(
        self, text: str, values: Mapping[str, str], escape: str, *, raw: bool, keep: bool, quotes: bool
    ) -> None:
        self.text, self.values, self.escape = text, values, escape
        self.raw_quotes, self.raw_escapes, self.keep, self.quotes = raw, raw, keep, quotes
        self.plain = re.compile(rf"[^$'\"</}}{re.escape(escape)}]*")
        self.position = 0
        self.unset: list[str] = []

    def peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def next(self) -> str:
        self.position += 1
        return self.text[self.position - 1 : self.position]

    def until(self, stop: str, depth: int, *, raw: bool) -> tuple[str, _Words]:
        """Text up to an unquoted `stop` (or the end), which is passed by. `raw` keeps escapes."""
        words, length = _Words(), 0
        parts: list[str] = []
        before, self.raw_escapes = self.raw_escapes, raw
        try:
            while letter := self.peek():
                if stop and letter == stop:
                    self.position += 1
                    return "".join(parts), words
                piece = self._piece(letter, words, depth)
                if length < MAX_VALUE:
                    parts.append(piece)
                    length += len(piece)
        finally:
            self.raw_escapes = before
        if stop:
            raise _Refused(f"it ends before a {stop}")
        words.end()
        return "".join(parts)[:MAX_VALUE], words

    def _piece(self, letter: str, words: _Words, depth: int) -> str:
        if letter == "$":
            piece = self._dollar(depth)
            words.add(piece)
        elif letter in "'\"" and self.quotes:
            piece = self._single() if letter == "'" else self._double(depth)
            words.keep(piece)
        elif letter == "<":
            piece = self._less()
            words.keep(piece)
        elif letter == self.escape:
            piece = self._escaped(words)
        else:
            piece = self._plain()
            words.add(piece)
        return piece

    def _plain(self) -> str:
        """Letters that mean nothing in particular, many at once."""
        start = self.position
        more = self.plain.match(self.text, start + 1)
        assert more is not None, "no letter at all is a match, too"
        self.position = more.end()
        return self.text[start : self.position]

    def _escaped(self, words: _Words) -> str:
        mark, follower = self.next(), self.next()
        kept = mark if self.raw_escapes else ""
        words.keep(kept + follower)
        return kept + follower

    def _less(self) -> str:
        self.position += 1
        if self.peek() != "<":
            return "<"
        start = self.position - 1
        self.position += 1
        while (letter := self.peek()) and letter in "\t\r ":
            self.position += 1
        return self.text[start : self.position]

    def _single(self) -> str:
        start = self.position + 1
        end = self.text.find("'", start)
        if end < 0:
            raise _Refused("a single quote is not closed")
        self.position = end + 1
        return self.text[start - 1 : end + 1] if self.raw_quotes else self.text[start:end]

    def _double(self, depth: int) -> str:
        mark = self.next() if self.raw_quotes else self.next()[:0]
        parts = [mark]
        while letter := self.peek():
            if letter == '"':
                self.position += 1
                return "".join((*parts, mark))
            if letter == "$":
                parts.append(self._dollar(depth))
                continue
            self.position += 1
            if letter == self.escape:
                follower = self.peek()
                if self.raw_escapes:
                    parts.append(letter)
                if not follower:
                    continue
                if follower in ('"', "$", self.escape):
                    letter = self.next()
                elif self.raw_escapes:
                    continue
            parts.append(letter)
        raise _Refused("a double quote is not closed")

    def _dollar(self, depth: int) -> str:
        self.position += 1
        if self.peek() != "{":
            name = self._name()
            return self._value(name, f"${name}") if name else "$"
        self.position += 1
        if self.peek() in ("", "{", "}", ":"):
            raise _Refused("a ${ names no variable")
        if depth >= MAX_NESTING:
            raise _Refused("${ is nested too deeply")
        name, operator = self._name(), self.next()
        if operator == "}":
            return self._value(name, f"${{{name}}}")
        if operator == "/":
            return self._replaced(name, depth + 1)
        colon = ":" if operator == ":" else ""
        operator = self.next() if colon else operator
        if not operator or operator not in ("-+?" if colon else "-+?#%"):
            raise _Refused(f"${{{name}{colon}{operator} is not an expansion")
        return self._modified(name, colon, operator, depth + 1)

    def _name(self) -> str:
        match = re.compile(r"\d+|[^\W\d]\w*").match(self.text, self.position)
        if match is None:
            special = self.peek()
            if special and special in _SPECIAL:
                self.position += 1
                return special
            return ""
        self.position = match.end()
        return match[0]

    def _value(self, name: str, written: str) -> str:
        value = self.values.get(name)
        if value is None:
            self.unset.append(name)
            return written if self.keep else ""
        return value

    def _modified(self, name: str, colon: str, operator: str, depth: int) -> str:
        known = len(self.unset)
        word, _ = self.until("}", depth, raw=operator in "#%")
        value = self.values.get(name)
        there = bool(value) if colon else value is not None
        if self.keep and value is None:
            return f"${{{name}{colon}{operator}{word}}}"
        if operator in "#%":
            return _trimmed(self._value(name, ""), operator, word)
        if operator == "?" and not there:
            raise _Refused(f"{name}: {word or 'is not set'}")
        if there == (operator == "-"):
            del self.unset[known:]  # the word is not used, so what it lacks does not matter
        if operator == "+":
            return word if there else ""
        return (value or "") if there else word

    def _replaced(self, name: str, depth: int) -> str:
        every = self.peek() == "/"
        self.position += every
        pattern, _ = self.until("/", depth, raw=True)
        new, _ = self.until("}", depth, raw=True)
        value = self._value(name, "")
        expression = _expression(pattern, greedy=True)
        if expression is None or len(value) > MAX_MATCHED:
            return value
        return expression.sub(lambda _: new, value, count=0 if every else 1)[:MAX_VALUE]


def _expression(pattern: str, *, greedy: bool) -> re.Pattern[str] | None:
    """A `*` and `?` pattern as a regular expression; none when it has too many wildcards to be matched quickly."""
    if pattern.count("*") > MAX_STARS or len(pattern) > MAX_MATCHED:
        return None
    parts, letters = [], iter(pattern)
    for letter in letters:
        if letter == "*":
            parts.append(".*" if greedy else ".*?")
        elif letter == "?":
            parts.append(".")
        elif letter == "\\":
            follower = next(letters, "")
            if not follower or follower not in "*?\\}/":
                raise _Refused(f"\\{follower} is not an escape in a pattern")
            parts.append(re.escape(follower))
        else:
            parts.append(re.escape(letter))
    return re.compile("".join(parts))


def _trimmed(value: str, operator: str, word: str) -> str:
    """`${NAME#word}` and `%`: without its shortest (doubled: longest) beginning or end that matches."""
    greedy = word.startswith(operator)
    expression = _expression(word[greedy:], greedy=greedy)
    if expression is None or len(value) > MAX_MATCHED:
        return value
    if operator == "#":
        found = expression.match(value)
        return value[found.end() :] if found else value
    starts = range(len(value) + 1) if greedy else range(len(value), -1, -1)
    return next((value[:start] for start in starts if expression.fullmatch(value, start)), value)


def expand(
    text: str,
    values: Mapping[str, str],
    escape: str = "\\",
    *,
    raw: bool = False,
    keep: bool = False,
    quotes: bool = True,
) -> Expanded:
    """A word with its variables replaced. `raw` keeps quotes and escapes, `keep` variables that nothing has set;
    without `quotes` these are letters like others, as in a here-document."""
    if not any(letter in text for letter in ("$", "'", '"', "<", escape)):
        return Expanded(text[:MAX_VALUE], words=tuple(_WORD.findall(text)))
    lexer = _Lexer(text, values, escape, raw=raw, keep=keep, quotes=quotes)
    try:
        outcome, words = lexer.until("", 0, raw=raw)
    except _Refused as refused:
        return Expanded("", tuple(dict.fromkeys(lexer.unset)), str(refused))
    return Expanded(outcome, tuple(dict.fromkeys(lexer.unset)), "", tuple(words.done))
