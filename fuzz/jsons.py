"""JSON that is nearly right, from a `Random`: what a reader may take two ways, or at far too great a cost."""

from __future__ import annotations

import json
from random import Random
from typing import Any

ATOMS: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**53 - 1, 2**53, 10**40, 1.5, 1e308, "", "a", "\x00", "\ud800", "\x1b[2J"),
    *("00", "ff" * 32, "FF" * 32, "zz" * 32, " " * 64, "ab" * 31, "\N{SNOWMAN}" * 50, [], {}, [[]], {"": {}}),
]
TEXTS = [
    *(b"", b"{", b"[", b"null", b"NaN", b"-Infinity", b"{}{}", b"\xff\xfe", b"\xef\xbb\xbf{}", b"1e999"),
    *(b'{"a":1,"a":2}', b'{"a":"\\ud800"}', b'{"a":' + b"1" * 5_000 + b"}"),
    *(b"[" * 5_000, b'{"a":' * 5_000, b"[" + b"{}," * 2_000 + b"{}]"),
]
MAX_DEPTH = 6


def changed(random: Random, document: Any) -> bytes:
    """A document's text with something changed in it: a value, a key, the text itself, or all of it."""
    kind = random.randrange(10)
    if kind == 0:
        return random.choice(TEXTS)
    if kind == 1:
        return json.dumps(anything(random)).encode()
    text = json.dumps(document if kind == 2 else _changed(random, document)).encode()
    if kind == 3 and isinstance(document, dict) and document:
        key = random.choice(list(document))
        again = json.dumps({key: random.choice([document[key], *ATOMS])}).encode()
        text = again[:-1] + b"," + text[1:]
    if kind in (2, 4):
        text = _spoiled(random, text)
    return text


def anything(random: Random, depth: int = 0) -> Any:
    """Any value."""
    if depth == MAX_DEPTH or random.random() < 0.5:
        return random.choice(ATOMS)
    if random.random() < 0.5:
        return [anything(random, depth + 1) for _ in range(random.randrange(4))]
    return {str(random.choice(ATOMS))[:20]: anything(random, depth + 1) for _ in range(random.randrange(4))}


def _changed(random: Random, value: Any) -> Any:
    """The value with one place in it changed."""
    if random.random() < 0.1 or not value:
        return random.choice(ATOMS)
    if isinstance(value, dict):
        return _changed_object(random, value)
    if isinstance(value, list):
        at = random.randrange(len(value))
        inside = [*value[:at], _changed(random, value[at]), *value[at + 1 :]]
        return random.choice([inside, inside, [*value[:at], *value[at + 1 :]], [*value, value[at]], value[::-1]])
    if isinstance(value, str):
        at = random.randrange(len(value))
        return value[:at] + random.choice("0123456789abcdefF \x1b") + value[at + random.randrange(2) :]
    return value + random.choice([-1, 1, 256, 2**53])


def _changed_object(random: Random, value: dict[str, Any]) -> dict[str, Any]:
    key = random.choice(list(value))
    kind = random.randrange(10)
    if kind == 0:
        return {each: inside for each, inside in value.items() if each != key}
    if kind == 1:
        return {**value, str(random.choice(ATOMS))[:40]: random.choice(ATOMS)}
    return {**value, key: _changed(random, value[key])}


def _spoiled(random: Random, text: bytes) -> bytes:
    for _ in range(random.choice([1, 1, 2, 5])):
        at = random.randrange(len(text) + 1)
        mark = random.choice([b'"', b"{", b"}", b",", b"\\", b"\x00", b"\xff", b"0", b" "])
        text = random.choice(
            [text[:at] + mark + text[at:], text[:at] + text[at + 1 :], text[:at], text[at:] + text[:at]]
        )
    return text
