"""The durations that scenarios are written in."""

from __future__ import annotations

from contextlib import suppress

from lucid.durations import parse_ms
from sim.scenarioerror import ScenarioError

Duration = str | int
"""Milliseconds, or a number with a unit: `90s`, `10m`, `24h`, `1h30m`."""


def duration_ms(value: Duration) -> int:
    """Milliseconds of a duration; raises `ScenarioError` for what is none."""
    if isinstance(value, int) and value >= 0:
        return value
    if isinstance(value, str) and not value.strip().isdigit():
        with suppress(ValueError):
            return parse_ms(value)
    raise ScenarioError(f"{value!r} is not a duration (write 90s, 10m, 24h or milliseconds)")
