"""Finds the words in text: parts of identifiers in camel and snake case, names with dashes, plain prose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from smoke.static.isolation.vocabulary import CANDIDATE, JOINED, OTHER_WORDS, WORDS
from smoke.static.regex import regex

_LETTER = r"[^\W_]"
_AFTER = regex(rf"{_LETTER}{{0,200}}")
_PART = regex(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_A-Za-z]+|\d+")
_STANDARD = regex(r"(?i)(?<![^\W_])(trc)[-_ ]?(?:10|20|721)(?!\d)")

_MAX_RUN = 200
"""Letters and digits side by side beyond this many are data."""
_SHORT = 5
"""A word this long or longer can be written with a capital within (`TronWeb`); `trX` is not TRX."""

_ENCODED = regex(r"[A-Za-z0-9+/=_-]{0,120}")
_ENCODED_MIN = 20


def split(run: str) -> list[str]:
    """The words of a run of letters and digits, lower case: `sendTRXNow2` gives send, trx, now, 2."""
    return [part.lower() for part in _PART.findall(run)]


def is_trace(run: str, words: frozenset[str] = WORDS) -> bool:
    """Whether a run of letters and digits is one of the words or has it as a part."""
    lower = run.lower()
    bare = lower.strip("0123456789")
    if bare in OTHER_WORDS:
        return False
    if (lower in words or bare in words) and (len(bare) >= _SHORT or _plain(run)):
        return True
    if JOINED.fullmatch(bare):
        return True
    parts = split(run)
    if any(part in words or JOINED.fullmatch(part) for part in parts if part not in OTHER_WORDS):
        return True
    return any(len(first + second) >= _SHORT and first + second in words for first, second in pairwise(parts))


def _plain(run: str) -> bool:
    """Whether letters are all small, all capital, or capital only at the start."""
    return run.islower() or run.isupper() or run[1:].islower()


def traces(text: str, more: tuple[str, ...] = ()) -> Iterator[tuple[int, str]]:
    """Offset and text of each run that has one of the words in it, as a whole word; *electronic* has none.

    `more` are the manifest's own words; those with a dash or a dot in them stand alone, between no letters."""
    own = frozenset(word.lower() for word in more)
    words = WORDS | own
    found: dict[int, str] = {}
    # What the words cannot be without is looked for first: most runs of a text are then never looked at.
    extra = "".join(f"|{re.escape(word)}" for word in sorted(own))
    end = 0
    for match in re.finditer(f"(?i){CANDIDATE}{extra}", text):
        if match.start() < end:
            continue
        start, end = _run(text, match.start(), match.end())
        run = text[start:end]
        if len(run) <= _MAX_RUN and is_trace(run, words) and not _encoded(text, start, end):
            found[start] = run
    for match in _STANDARD.finditer(text):
        found.setdefault(match.start(), match[0])
    for word in sorted(word for word in own if not word.isalnum()):
        for match in re.finditer(rf"(?i)(?<!{_LETTER}){re.escape(word)}(?!{_LETTER})", text):
            found.setdefault(match.start(), match[0])
    yield from sorted(found.items())


def _run(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the run of letters and digits around a match begins and ends."""
    # Backwards over the text turned round: a search that ends at `start` would begin anew at each letter before it.
    before = _AFTER.match(text[max(0, start - _MAX_RUN) : start][::-1])
    after = _AFTER.match(text, end)
    return start - (len(before[0]) if before else 0), after.end() if after else end


def _encoded(text: str, start: int, end: int) -> bool:
    """Whether a run is a slice of base64, in which any three letters turn up by chance."""
    head = _ENCODED.match(text[max(0, start - 60) : start][::-1])
    tail = _ENCODED.match(text, end)
    token = (head[0][::-1] if head else "") + text[start:end] + (tail[0] if tail else "")
    parts = _PART.findall(token)
    if len(token) < _ENCODED_MIN or not parts:
        return False
    mixed = any("a" <= c <= "z" for c in token) and any("A" <= c <= "Z" for c in token) and any(map(str.isdigit, token))
    return mixed and sum(map(len, parts)) / len(parts) < 2.5
