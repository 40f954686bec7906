"""Databases and brokers that services are told of: their public images, the schemes of their URLs, their ports."""

from __future__ import annotations

import re

from msgspec import Struct

from smoke.static.compose.image_name import hub_repository
from smoke.static.regex import regex


class StoreKind(Struct, frozen=True):
    """One kind of database or broker."""

    name: str
    images: frozenset[str]
    """Repositories on Docker Hub."""
    schemes: frozenset[str]
    port: int
    """Where it listens unless it is told otherwise."""
    variables: str
    """What the names of variables with its host begin with, as a pattern."""
    programs: str
    """What an image that runs it itself installs or starts, as a pattern."""


STORES = (
    StoreKind(
        name="PostgreSQL",
        images=frozenset(
            [
                *[
                    "postgres",
                    "postgis/postgis",
                    "timescale/timescaledb",
                    "timescale/timescaledb-ha",
                    "kartoza/postgis",
                ],
                *["pgvector/pgvector", "ankane/pgvector", "imresamu/postgis", "bitnami/postgresql"],
            ]
        ),
        schemes=frozenset(["postgres", "postgresql", "postgis", "pgsql"]),
        port=5432,
        variables=r"DB|DATABASE|SQL|POSTGRES(?:QL)?|PG",
        programs=r"postgres|pgbouncer",
    ),
    StoreKind(
        name="MySQL",
        images=frozenset(["mysql", "mariadb", "percona", "mysql/mysql-server", "bitnami/mysql", "bitnami/mariadb"]),
        schemes=frozenset(["mysql", "mariadb"]),
        port=3306,
        variables=r"DB|DATABASE|SQL|MYSQL|MARIADB",
        programs=r"mysql-server|mysqld|mariadb|percona",
    ),
    StoreKind(
        name="Redis",
        images=frozenset(
            [
                "redis",
                "valkey/valkey",
                "redis/redis-stack",
                "redis/redis-stack-server",
                "bitnami/redis",
                "eqalpha/keydb",
            ]
        ),
        schemes=frozenset(["redis", "rediss", "valkey"]),
        port=6379,
        variables=r"REDIS|VALKEY|CACHE|BROKER",
        programs=r"redis|valkey|keydb",
    ),
    StoreKind(
        name="MongoDB",
        images=frozenset(["mongo", "bitnami/mongodb", "mongodb/mongodb-community-server"]),
        schemes=frozenset(["mongodb"]),
        port=27017,
        variables=r"DB|DATABASE|MONGO(?:DB)?",
        programs=r"mongo",
    ),
    StoreKind(
        name="RabbitMQ",
        images=frozenset(["rabbitmq", "bitnami/rabbitmq"]),
        schemes=frozenset(["amqp", "amqps", "pyamqp"]),
        port=5672,
        variables=r"RABBIT(?:MQ)?|AMQP|BROKER",
        programs=r"rabbitmq",
    ),
    StoreKind(
        name="Memcached",
        images=frozenset(["memcached", "bitnami/memcached"]),
        schemes=frozenset(["memcached", "memcache"]),
        port=11211,
        variables=r"MEMCACHED?|CACHE",
        programs=r"memcached",
    ),
)
_URL = regex(
    r"(?:jdbc:)?(?P<scheme>[a-z][a-z0-9]*)(?:\+[a-z0-9_]+)?://(?:[^\s@]*@)?(?P<host>\[[0-9a-f:]+\]|[^\s:/?#,@%]+)"
    r"(?::(?P<port>\d{1,5}))?(?:[/?#]\S*)?"
)
_HOST = regex(r"(?P<prefix>(?:[A-Z0-9]+_)*?(?P<what>[A-Z]+)_?)(?:HOST|HOSTNAME|SERVER)")
LOCAL = frozenset(["localhost", "127.0.0.1", "::1", "[::1]"])


class StoreAddress(Struct, frozen=True):
    """Where a store is said to be."""

    host: str
    port: int | None
    kinds: tuple[StoreKind, ...]
    """What it may be."""


def address_in(text: str) -> StoreAddress | None:
    """The address in a URL of a store; none for other texts, and for those with several hosts."""
    match = _URL.fullmatch(text)
    kinds = () if match is None else tuple(each for each in STORES if match["scheme"] in each.schemes)
    if match is None or not kinds:
        return None
    return StoreAddress(match["host"], int(match["port"]) if match["port"] else None, kinds)


def address_of(name: str, values: dict[str, str]) -> StoreAddress | None:
    """The address that a variable gives: by its value, a URL, or by its name, where it is a host."""
    value = values[name]
    if "://" in value:
        return address_in(value)
    match = _HOST.fullmatch(name)
    kinds = () if match is None else tuple(each for each in STORES if re.fullmatch(each.variables, match["what"]))
    if match is None or not kinds or not re.fullmatch(r"[A-Za-z][\w-]*|127\.0\.0\.1|::1", value):
        return None
    port = values.get(f"{match['prefix']}PORT", "")
    return StoreAddress(value, int(port) if port.isascii() and port.isdigit() and len(port) < 6 else None, kinds)


def store_of(image: str) -> StoreKind | None:
    """The store that a public image is of."""
    name = hub_repository(image)
    return next((each for each in STORES if name in each.images), None)
