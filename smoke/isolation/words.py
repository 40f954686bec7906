"""Splits text into its words: identifiers in camel and snake case, names with dashes, plain prose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from smoke.isolation.vocabulary import JOINED, WORDS

_RUN = re.compile(r"[^\W_]{2,200}")
"""Letters and digits side by side; longer runs are data."""
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_A-Za-z]+|\d+")
_STANDARD = re.compile(r"(?i)(?<![^\W_])(trc)[-_ ]?(?:10|20|721)(?!\d)")


def split(run: str) -> list[str]:
    """The words of a run of letters and digits, lower case: `sendTRXNow2` gives send, trx, now, 2."""
    return [part.lower() for part in _PART.findall(run)]


def _is_trace(run: str, words: frozenset[str]) -> bool:
    lower = run.lower()
    bare = lower.strip("0123456789")
    if lower in words or bare in words or JOINED.fullmatch(bare):
        return True
    # A word in mixed case that isn't camel case (`neuTron`) has its parts read as words all the same.
    parts = split(run)
    return any(part in words for part in parts) or any(first + second in words for first, second in pairwise(parts))


def traces(text: str, words: frozenset[str] = WORDS) -> Iterator[tuple[int, str]]:
    """Offset and text of each run that has one of the words in it, as a whole word; *electronic* has none."""
    found: set[int] = set()
    for match in _RUN.finditer(text):
        if _is_trace(match[0], words):
            found.add(match.start())
            yield match.start(), match[0]
    for match in _STANDARD.finditer(text):
        if match.start() not in found:
            yield match.start(), match[0]
