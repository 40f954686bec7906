"""Hosts that commands and entry scripts wait for."""

from __future__ import annotations

import pytest

from smoke.static.compose.waiting import awaited


@pytest.mark.parametrize(
    ("text", "host", "port", "kind"),
    [
        ("./wait-for-it.sh db:5432 -- python main.py", "db", 5432, "PostgreSQL"),
        ("wait-for redis:6379 -t 30", "redis", 6379, "Redis"),
        ("dockerize -wait tcp://mysql:3306 -timeout 9s", "mysql", 3306, "MySQL"),
        ("while ! nc -z db 5432; do sleep 1; done", "db", 5432, "PostgreSQL"),
        ("until nc -vz -w 2 mq 5672; do :; done", "mq", 5672, "RabbitMQ"),
        ("(echo > /dev/tcp/api/8000)", "api", 8000, ""),
        ("until pg_isready -q -h db -U shop; do sleep 1; done", "db", None, "PostgreSQL"),
        ("mysqladmin ping -hdb --silent", "db", None, "MySQL"),
        ("until redis-cli -h cache ping; do :; done", "cache", None, "Redis"),
        ("wait-for-it 127.0.0.1:5432", "127.0.0.1", 5432, "PostgreSQL"),
    ],
)
def test_waits(text: str, host: str, port: int | None, kind: str) -> None:
    [(line, address)] = awaited(text)
    assert (line, address.host, address.port) == (1, host, port)
    assert [each.name for each in address.kinds] == ([kind] if kind else [])


@pytest.mark.parametrize(
    "text",
    ["nc -z $DB_HOST 5432", "./wait-for-it.sh ${DB}:5432", "# wait-for-it db:5432", "nc -l 5432", "psql -c 'select 1'"],
)
def test_what_is_none(text: str) -> None:
    assert list(awaited(text)) == []


def test_the_line_is_told() -> None:
    assert [line for line, _ in awaited("set -e\n\nuntil nc -z db 5432; do sleep 1; done\n")] == [3]
