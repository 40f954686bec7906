"""Finds names of hosts that belong to the network."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.static.isolation.vocabulary import HOSTS
from smoke.static.isolation.words import is_trace
from smoke.static.regex import regex

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,62})"
_HOST = regex(rf"(?i)(?<![\w.-])(?:{_LABEL}\.){{1,8}}(?P<top>[a-z]{{2,12}})(?![\w-]|\.\w|\()")
_URL = regex(r"(?i)[a-z][a-z0-9+.-]{1,12}://(?:[^\s/@'\"]{1,200}@)?$")
_TOPS = frozenset(
    ["com", "io", "org", "net", "network", "dev", "app", "xyz", "finance", "cc", "me", "link", "co", "ai"]
)
"""Ends of names that a host is believed to have where no URL says that it is one; `tron.py` is a file."""
_SHORT = frozenset(["sun.io", "tron.network"])
"""Names that code has too (a Java package, an attribute): hosts only within a URL."""


def hosts(text: str) -> Iterator[tuple[int, str]]:
    """Offset and text of each host that is the network's, by its domain or by a word in its labels."""
    for match in _HOST.finditer(text):
        host = match[0].lower()
        url = _URL.search(text[max(0, match.start() - 220) : match.start()]) is not None
        known = next((domain for domain in HOSTS if host == domain or host.endswith(f".{domain}")), "")
        named = (url or match["top"].lower() in _TOPS) and any(
            is_trace(word) for label in host.split(".")[:-1] for word in label.split("-")
        )
        if named or (known and (url or known not in _SHORT)):
            yield match.start(), match[0]
