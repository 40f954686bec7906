"""What is wrong with a scenario, in one sentence, and the durations that scenarios are written in."""

from __future__ import annotations

from contextlib import suppress

from lucid.durations import parse_ms

Duration = str | int
"""Milliseconds, or a number with a unit: `90s`, `10m`, `24h`, `1h30m`."""


class ScenarioError(Exception):
    """A scenario cannot be run; one sentence that names the file, the line where known, and the key.

    `key` is that key, such as `fault[1].node`, or empty where there is none.
    """

    def __init__(self, sentence: str, key: str = "") -> None:
        super().__init__(f"{key}: {sentence}" if key else sentence)
        self.sentence = sentence
        self.key = key


def duration_ms(value: Duration) -> int:
    """Milliseconds of a duration; raises `ScenarioError` for what is none."""
    if isinstance(value, int) and value >= 0:
        return value
    if isinstance(value, str) and not value.strip().isdigit():
        with suppress(ValueError):
            return parse_ms(value)
    raise ScenarioError(f"{value!r} is not a duration (write 90s, 10m, 24h or milliseconds)")


def check_nodes(key: str, indexes: list[int], nodes: int) -> None:
    """Raise `ScenarioError` unless each index is a node's and none comes twice."""
    for index in indexes:
        if not 0 <= index < nodes:
            raise ScenarioError(f"there is no node {index} among {nodes}", key)
    if len(set(indexes)) != len(indexes):
        raise ScenarioError("names a node twice", key)
