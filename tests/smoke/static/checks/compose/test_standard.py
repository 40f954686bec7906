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
        "{image: postgres}",
        "{image: postgres, environment: {POSTGRES_HOST_AUTH_METHOD: trust}}",
        "{image: postgres, environment: {POSTGRES_PASSWORD_FILE: /run/secrets/x}}",
        "{image: postgres, environment: [POSTGRES_PASSWORD]}",
        "{image: postgres, command: sleep 9, environment: {POSTGRES_USER: x}}",
        "{image: postgres, entrypoint: /own.sh, environment: {POSTGRES_USER: x}}",
        "{image: 'mariadb:11', environment: {MARIADB_RANDOM_ROOT_PASSWORD: 1}}",
        "{image: mysql, environment: {MYSQL_ALLOW_EMPTY_PASSWORD: 1}}",
        "{image: minio/minio, command: server /data}",
        "{image: redis, command: redis-server /etc/redis.conf, volumes: ['./redis.conf:/etc/redis.conf']}",
    ],
)
def test_what_is_given_suffices(tmp_path: Path, service: str) -> None:
    assert found(tmp_path, service) == []


@pytest.mark.parametrize(
    ("service", "says"),
    [
        ("{image: redis:7, command: redis-server /etc/redis.conf}", "/etc/redis.conf"),
        ("{image: 'postgres:16', environment: {POSTGRES_USER: x}}", "POSTGRES_PASSWORD"),
        ("{image: 'postgis/postgis', command: -c fsync=off, environment: [POSTGRES_DB=x]}", "POSTGRES_PASSWORD"),
        ("{image: mariadb, environment: {MARIADB_DATABASE: x}}", "MYSQL_ROOT_PASSWORD"),
        ("{image: mysql, environment: {MYSQL_ROOT_PASSWORD: x, MYSQL_USER: root}}", "MYSQL_USER is root"),
        ("{image: bitnami/redis, environment: {REDIS_PORT: 1}}", "REDIS_PASSWORD"),
        ("{image: minio/minio}", "prints its help"),
    ],
)
def test_what_is_lacking_is_named(tmp_path: Path, service: str, says: str) -> None:
    assert [says in each for each in found(tmp_path, service)] == [True]
