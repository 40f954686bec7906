"""Hosts that commands and entry scripts wait for before they start anything."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.static.compose.stores import STORES, StoreAddress
from smoke.static.regex import regex

_HOST = r"(?P<host>[A-Za-z][\w-]*|127\.0\.0\.1)"
_PORT = r"(?P<port>\d{2,5})"
_WAITS = tuple(
    regex(pattern)
    for pattern in (
        rf"\bwait-for(?:-it)?(?:\.sh)?\s+(?:-\S+\s+)*{_HOST}:{_PORT}\b",
        rf"-wait\s+tcp://{_HOST}:{_PORT}\b",
        rf"\bnc\s+(?:-[a-z]*z[a-z]*\s+)(?:-\S+\s+(?:\d+\s+)?)*{_HOST}\s+{_PORT}\b",
        rf"/dev/tcp/{_HOST}/{_PORT}\b",
        rf"\b(?P<tool>pg_isready|mysqladmin|redis-cli|psql)\b[^\n;|&]*?\s(?:-h\s*|--host[= ]){_HOST}(?=[\s;|&]|$)",
    )
)
_PORTS = {each.port: (each,) for each in STORES}
_TOOLS = {"pg_isready": 5432, "psql": 5432, "mysqladmin": 3306, "redis-cli": 6379}


def awaited(text: str) -> Iterator[tuple[int, StoreAddress]]:
    """The line of each wait for a host that is written out, and where it leads."""
    for pattern in _WAITS:
        for match in pattern.finditer(text):
            line = 1 + text.count("\n", 0, match.start())
            start = text.rfind("\n", 0, match.start()) + 1
            if "#" in text[start : match.start()]:
                continue
            groups = match.groupdict()
            port = int(groups["port"]) if groups.get("port") else None
            kinds = _PORTS.get(port or _TOOLS.get(groups.get("tool") or "", 0), ())
            yield line, StoreAddress(match["host"], port, kinds)
