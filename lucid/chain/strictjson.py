"""JSON read strictly: what two readers could take differently is refused, and the work is bounded by its bytes.

No key twice in an object, whole numbers within 2^53 - 1 only, text that UTF-8 can hold, a limit to values, to the
members of an object and to nesting. It is read piece by piece: while Python's own reader works, which is much faster,
nothing else in the process does, and a document of some megabytes would take it for seconds.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from lucid.chain.errors import Code, Refusal

MAX_WHOLE = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exactly (RFC 8259, section 6)."""
MAX_DEPTH = 32
"""Of nesting (protocol section 7)."""
MAX_MEMBERS = 10_000
"""Of one object (protocol section 7)."""
PIECE = 2_048
"""Characters that Python's own reader gets at a time: an entry of a list of chunks is shorter, with some 110. Chosen:
at half, more calls for the same text; at double, a call holds up the process for twice as long."""
_SPACES = re.compile(r"[ \t\n\r]*")
MAX_VALUES = 1_000_000
"""Commas and opening brackets, those inside of texts too (section 7): a value costs many times its bytes once it is
parsed."""
_WHOLE_DIGITS = 17
"""A sign and the sixteen digits of `MAX_WHOLE`: longer texts are not even parsed."""


def parse_object(data: bytes, max_bytes: int, code: Code) -> dict[str, Any]:
    """The JSON object that `data` is; raises `Refusal` with `code` and what is wrong with it."""
    if len(data) > max_bytes:
        raise Refusal(code, f"{len(data)} bytes; {max_bytes} at most")
    # Before anything is parsed: counting costs a glance at the bytes, parsing many times their memory.
    if sum(data.count(mark) for mark in (b",", b"[", b"{")) > MAX_VALUES:
        raise Refusal(code, f"more than {MAX_VALUES} values")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Refusal(code, f"it is not text: byte {error.start} is not UTF-8") from None
    try:
        fields = _Document(text).read()
        if not isinstance(fields, dict):
            raise ValueError("it is not a JSON object")
        _check_depth(fields)
        # Half of a surrogate pair is no text: readers differ in what they make of it, and RFC 8785 has no form for it.
        if b"\\u" in data:
            json.dumps(fields, ensure_ascii=False).encode()  # fails for half of a surrogate pair
    except (ValueError, RecursionError) as error:
        raise Refusal(code, str(error)) from None
    return fields


class _Document:
    """A text that is read; each method returns what begins at a place, and where it ends.

    They raise `ValueError`, and `RecursionError` for what is nested far too deeply.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._keys: dict[str, str] = {}
        """Each once: a long list has the same few in all of its entries."""
        self._reader = json.JSONDecoder(
            object_pairs_hook=self._object, parse_int=_whole, parse_float=_fraction, parse_constant=_fraction
        )

    def read(self) -> Any:
        """All of it, as one value."""
        value, end = self._value(self._skip(0), 1)
        if (end := self._skip(end)) != len(self._text):
            raise ValueError(f"something follows at {end}")
        return value

    def _value(self, at: int, depth: int) -> tuple[Any, int]:
        opening = self._text[at : at + 1]
        if opening == '"':
            return self._string(at)
        piece = self._text[at : at + PIECE]
        try:
            # A number that fills a piece has too many digits; what is cut off in any other way is not taken.
            value, length = self._reader.raw_decode(piece)
        except (json.JSONDecodeError, RecursionError) as error:
            if opening not in ("{", "[") or len(piece) < PIECE:
                raise _placed(error, at) from None
        else:
            return value, at + length
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested deeper than {MAX_DEPTH}")
        return self._members(at, depth) if opening == "{" else self._items(at, depth)

    def _string(self, at: int) -> tuple[str, int]:
        try:
            value, end = self._reader.raw_decode(self._text, at)
        except json.JSONDecodeError as error:
            raise _placed(error, 0) from None
        assert isinstance(value, str), "it begins as one"
        return value, end

    def _items(self, at: int, depth: int) -> tuple[list[Any], int]:
        """A list that is longer than a piece."""
        items: list[Any] = []
        at = self._skip(at + 1)
        if self._text[at : at + 1] == "]":
            return items, at + 1
        while True:
            value, at = self._value(at, depth + 1)
            items.append(value)
            at, ended = self._next(at, "]")
            if ended:
                return items, at

    def _members(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        """An object that is longer than a piece."""
        pairs: list[tuple[str, Any]] = []
        at = self._skip(at + 1)
        if self._text[at : at + 1] == "}":
            return {}, at + 1
        while True:
            if self._text[at : at + 1] != '"':
                raise ValueError(f"no key at {at}")
            key, at = self._string(at)
            at = self._skip(at)
            if self._text[at : at + 1] != ":":
                raise ValueError(f"no colon at {at}")
            value, at = self._value(self._skip(at + 1), depth + 1)
            pairs.append((key, value))
            if len(pairs) > MAX_MEMBERS:
                raise ValueError(f"an object has more than {MAX_MEMBERS} members")
            at, ended = self._next(at, "}")
            if ended:
                return self._object(pairs), at

    def _next(self, at: int, closing: str) -> tuple[int, bool]:
        """Where the next of several begins; or where they end, and True."""
        at = self._skip(at)
        mark = self._text[at : at + 1]
        if mark not in (",", closing):
            raise ValueError(f"no comma at {at}")
        return (at + 1, True) if mark == closing else (self._skip(at + 1), False)

    def _skip(self, at: int) -> int:
        """Where what is not a space begins."""
        spaces = _SPACES.match(self._text, at)
        assert spaces is not None, "it may match nothing"
        return spaces.end()

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = {self._keys.setdefault(key, key): value for key, value in pairs}
        # Readers differ in which of two they take, so one manifest would be two (section 7).
        if len(fields) != len(pairs):
            raise ValueError("a key stands twice in one object")
        return fields


def _placed(error: json.JSONDecodeError | RecursionError, at: int) -> Exception:
    """What a reader said of a piece, with the place in the whole."""
    return ValueError(f"{error.msg} at {at + error.pos}") if isinstance(error, json.JSONDecodeError) else error


def _whole(text: str) -> int:
    if len(text) > _WHOLE_DIGITS or abs(int(text)) > MAX_WHOLE:
        raise ValueError(f"a number is not within {-MAX_WHOLE}..{MAX_WHOLE}")
    return int(text)


def _fraction(text: str) -> NoReturn:
    raise ValueError(f"{text[:40]} is not a whole number")


def _check_depth(fields: dict[str, Any]) -> None:
    level: list[Any] = [fields]
    for _ in range(MAX_DEPTH):
        inside = (each.values() if isinstance(each, dict) else each for each in level)
        level = [part for parts in inside for part in parts if isinstance(part, dict | list)]
        if not level:
            return
    raise ValueError(f"it is nested deeper than {MAX_DEPTH}")
