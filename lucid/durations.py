"""Durations as people write them: 90s, 10m, 1h 30m, or milliseconds."""

from __future__ import annotations

import re

_PART = re.compile(r"([0-9]+)\s*(ms|s|m|h|d)")
_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def parse_ms(text: str) -> int:
    """Milliseconds of a duration; raises ValueError with one sentence for what is none."""
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit():
        return int(stripped)
    parts = _PART.findall(stripped)
    if not parts or _PART.sub("", stripped).strip():
        raise ValueError(f"{text!r} is not a duration (write 90s, 10m, 24h or milliseconds)")
    return sum(int(number) * _UNITS_MS[unit] for number, unit in parts)
