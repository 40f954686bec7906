"""What Compose refuses before it starts anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import says

CASES = [
    ("services:\n  a: {image: x}\n", "passed"),
    ("services:\n  a: {image: x, prots: ['80']}\n", "critical"),
    ("services:\n  a: {image: x, x-own: 1}\n", "passed"),
    ("services:\n  a: {image: x, ports: ['99999:80']}\n", "critical"),
    ("services:\n  a: {image: x, mem_limit: much}\n", "critical"),
    ("services:\n  a: {image: x, mem_limit: 64m}\n", "passed"),
    ("services:\n  a: {image: x, container_name: n}\n  b: {image: x, container_name: n}\n", "critical"),
    ("services:\n  a: {image: x, ports: ['80:80']}\n  b: {image: x, ports: ['80:81']}\n", "critical"),
    ("services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [a]}\n", "critical"),
    ("services:\n  a: {image: x, healthcheck: {test: [CMD, x], interval: soon}}\n", "critical"),
    ("services:\n  a: {image: x, secrets: [s]}\nsecrets: {s: {file: ./none}}\n", "critical"),
    ("services:\n  a: {image: x, network_mode: host, networks: [n]}\nnetworks: {n: {}}\n", "critical"),
]


@pytest.mark.parametrize(("compose", "outcome"), CASES)
def test_outcome(tmp_path: Path, compose: str, outcome: str) -> None:
    assert says(tmp_path, {"compose.yaml": compose}, "compose.services", outcome, "")
