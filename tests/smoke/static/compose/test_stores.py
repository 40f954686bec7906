"""Addresses of databases and brokers, by URLs, by variables, and by the images that serve them."""

from __future__ import annotations

import pytest

from smoke.static.compose.stores import address_in, address_of, store_of


@pytest.mark.parametrize(
    ("text", "host", "port", "kind"),
    [
        ("postgres://shop:secret@db:5432/shop", "db", 5432, "PostgreSQL"),
        ("postgresql+asyncpg://db/shop?ssl=off", "db", None, "PostgreSQL"),
        ("jdbc:postgresql://db:5433/shop", "db", 5433, "PostgreSQL"),
        ("redis://:p%40ss@cache:6379/0", "cache", 6379, "Redis"),
        ("mongodb://root:x@mongo", "mongo", None, "MongoDB"),
        ("amqp://[::1]:5672//", "[::1]", 5672, "RabbitMQ"),
    ],
)
def test_urls(text: str, host: str, port: int | None, kind: str) -> None:
    found = address_in(text)
    assert found is not None
    assert (found.host, found.port, [each.name for each in found.kinds]) == (host, port, [kind])


@pytest.mark.parametrize(
    "text", ["sqlite:///x.db", "http://db:5432", "mongodb://a:1,b:2/x", "postgres://%/x", "db:5432"]
)
def test_what_is_no_address_of_one(text: str) -> None:
    assert address_in(text) is None


@pytest.mark.parametrize(
    ("values", "host", "port"),
    [
        ({"DB_HOST": "db", "DB_PORT": "5433"}, "db", 5433),
        ({"SHOP_REDIS_HOST": "cache"}, "cache", None),
        ({"PGHOST": "127.0.0.1", "PGPORT": "x"}, "127.0.0.1", None),
        ({"DATABASE_URL": "mysql://db"}, "db", None),
    ],
)
def test_variables(values: dict[str, str], host: str, port: int | None) -> None:
    found = address_of(next(iter(values)), values)
    assert found is not None
    assert (found.host, found.port) == (host, port)


@pytest.mark.parametrize(
    "values", [{"MAIL_HOST": "mail"}, {"DB_HOST": "db.example.org"}, {"DB_HOST": ""}, {"SERVER": "db"}]
)
def test_other_variables(values: dict[str, str]) -> None:
    assert address_of(next(iter(values)), values) is None


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        ("docker.io/library/postgres:16-alpine", "PostgreSQL"),
        ("public.ecr.aws/docker/library/redis@sha256:" + "a" * 64, "Redis"),
        ("valkey/valkey", "Redis"),
        ("nginx:1", ""),
    ],
)
def test_images(image: str, kind: str) -> None:
    store = store_of(image)
    assert ("" if store is None else store.name) == kind
