"""`lucid data scrub`: what is ordered, and how far the scrubber is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from tests.cli.datacommand import BEGAN_MS, DAY_MS, SCRUB, STATUS, answer, data
from tests.client.lying import Answer, LyingNode


def test_the_scrubber_is_told_for_how_long_and_of_what_age(node: LyingNode, tmp_path: Path) -> None:
    ordered: list[Any] = []
    answered = node.answer

    def noted(method: str, path: str, body: bytes) -> Answer:
        if method == "POST":
            ordered.append(json.loads(body))
        return answered(method, path, body)

    node.answer = noted  # type: ignore[method-assign]
    try:
        node.answers["GET /status"], node.answers["POST /scrub"] = answer(STATUS), answer(SCRUB)
        assert data(node, tmp_path, "scrub", "start", "--max-duration", "2m", "--max-age", "1d").status == 0
        assert data(node, tmp_path, "scrub", "pause", "--json").status == 0
        assert data(node, tmp_path, "scrub", "status").out.startswith("scrub: reading")
    finally:
        del node.answer
    assert ordered == [
        {"action": "start", "max_duration_ms": 120_000, "max_age_ms": DAY_MS},
        {"action": "pause", "max_duration_ms": 0, "max_age_ms": 0},
    ]


def test_a_scrubber_says_what_it_waits_for_and_whether_it_is_late(node: LyingNode, tmp_path: Path) -> None:
    changed = msgspec.structs.replace(
        SCRUB, state="paused", paused_until_ms=BEGAN_MS, run_left_percent=40, late=True, all_read_since_ms=0
    )
    node.answers["GET /status"] = answer(msgspec.structs.replace(STATUS, scrub=changed))
    said = data(node, tmp_path, "status").out
    assert "scrub: paused until 2027-01-15T08:00:00+00:00, 40 % of the run are left; a period" in said
    assert "after it began (no round is over) (late)\n" in said and "1970" not in said
