"""JSON read strictly: what two readers could take differently is refused, and the work is bounded by its bytes.

No key twice in an object, whole numbers within 2^53 - 1 only, text that UTF-8 can hold, a limit to values and nesting.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from lucid.chain.errors import Code, Refusal

MAX_WHOLE = 2**53 - 1
MAX_DEPTH = 32
MAX_VALUES = 1_000_000
"""Commas and opening brackets, those inside of texts too: a value costs many times its bytes once it is parsed."""
_WHOLE_DIGITS = 17


def parse_object(data: bytes, max_bytes: int, code: Code) -> dict[str, Any]:
    """The JSON object that `data` is; raises `Refusal` with `code` and what is wrong with it."""
    if len(data) > max_bytes:
        raise Refusal(code, f"{len(data)} bytes; {max_bytes} at most")
    if sum(data.count(mark) for mark in (b",", b"[", b"{")) > MAX_VALUES:
        raise Refusal(code, f"more than {MAX_VALUES} values")
    try:
        fields = json.loads(
            data.decode(), object_pairs_hook=_object, parse_int=_whole, parse_float=_fraction, parse_constant=_fraction
        )
        if not isinstance(fields, dict):
            raise ValueError("it is not JSON object")
        _check_depth(fields)
        if b"\\u" in data:
            json.dumps(fields, ensure_ascii=False).encode()  # fails for half of a surrogate pair
    except (ValueError, RecursionError) as error:
        raise Refusal(code, str(error)) from None
    return fields


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return fields


def _whole(text: str) -> int:
    if len(text) > _WHOLE_DIGITS or abs(int(text)) > MAX_WHOLE:
        raise ValueError(f"a number is not within {-MAX_WHOLE}..{MAX_WHOLE}")
    return int(text)


def _fraction(text: str) -> NoReturn:
    raise ValueError(f"{text[:40]} is no whole number")


def _check_depth(fields: dict[str, Any]) -> None:
    pending: list[tuple[Any, int]] = [(fields, 1)]
    while pending:
        each, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested deeper than {MAX_DEPTH}")
        inside = each.values() if isinstance(each, dict) else each
        pending += [(part, depth + 1) for part in inside if isinstance(part, dict | list)]
