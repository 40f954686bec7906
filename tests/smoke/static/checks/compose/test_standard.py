"""What public images refuse to start without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import critical, judge_files

FILES = {"redis.conf": "appendonly yes\n"}


def found(folder: Path, service: str) -> list[str]:
    files = FILES | {"compose.yaml": f"services:\n  one: {service}\n"}
    return [each.message for each in critical(judge_files(folder, files))]


@pytest.mark.parametrize(
    "service",
    [
        "{image: redis}",
        "{image: redis, command: redis-server --appendonly yes}",
        "{image: redis, command: redis-server /etc/redis.conf, volumes: ['./redis.conf:/etc/redis.conf']}",
    ],
)
def test_what_is_given_suffices(tmp_path: Path, service: str) -> None:
    assert found(tmp_path, service) == []


@pytest.mark.parametrize(
    ("service", "says"),
    [
        ("{image: redis:7, command: redis-server /etc/redis.conf}", "/etc/redis.conf"),
    ],
)
def test_what_is_lacking_is_named(tmp_path: Path, service: str, says: str) -> None:
    assert [says in each for each in found(tmp_path, service)] == [True]
