"""Globs as manifests have them: `*` stays within a directory, `**` crosses directories."""

from __future__ import annotations

import re
from functools import lru_cache

_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")
_MEANING = {"**/": r"(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    # Neighbouring stars would make the expression slow without meaning more.
    plain = re.sub(r"\*{3,}", "**", pattern)
    return re.compile("".join(_MEANING.get(part) or re.escape(part) for part in _PARTS.findall(plain)), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of `text` is what a glob stands for."""
    return _compiled(pattern).fullmatch(text) is not None
