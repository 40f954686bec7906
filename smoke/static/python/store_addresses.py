"""Addresses of databases and brokers that code connects to, as far as texts, variables and settings tell them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from msgspec import Struct

from smoke.static.compose.stores import STORES, StoreAddress, StoreKind, address_in
from smoke.static.python.dotted import dotted
from smoke.static.python.nodes import children
from smoke.static.python.quiet import parse_quietly
from smoke.static.python.texts import KnownTexts, ModuleTexts
from smoke.static.regex import regex

_HINT = regex(
    rb"localhost|127\.0\.0\.1|(?:postgres|mysql|mariadb|redis|amqp|mongodb)\w*(?:\+\w+)?://|Redis\(|MongoClient\("
    rb"|host\s*=|['\"]HOST['\"]"
)
_BY_NAME = {each.name: (each,) for each in STORES}
_HOSTED = {
    **dict.fromkeys(("redis.Redis", "redis.StrictRedis", "redis.asyncio.Redis"), _BY_NAME["Redis"]),
    **dict.fromkeys(("pymongo.MongoClient", "motor.motor_asyncio.AsyncIOMotorClient"), _BY_NAME["MongoDB"]),
    **dict.fromkeys(("psycopg2.connect", "psycopg.connect", "asyncpg.connect"), _BY_NAME["PostgreSQL"]),
    **dict.fromkeys(("asyncpg.create_pool", "aiopg.create_pool"), _BY_NAME["PostgreSQL"]),
    **dict.fromkeys(("pymysql.connect", "MySQLdb.connect", "mysql.connector.connect"), _BY_NAME["MySQL"]),
    "pika.ConnectionParameters": _BY_NAME["RabbitMQ"],
}
"""What is called with `host=`, and the store that it means."""
_FIRST = frozenset(["redis.Redis", "redis.StrictRedis", "redis.asyncio.Redis", "pika.ConnectionParameters"])
"""Those whose first argument is the host, which is localhost where there is none."""
_URLS = frozenset(
    [
        *["create_engine", "create_async_engine", "from_url", "Celery", "MongoClient", "AsyncIOMotorClient", "connect"],
        *["connect_robust", "create_pool", "URLParameters", "RedisBroker", "RabbitmqBroker", "Connection", "Database"],
    ]
)
"""Last parts of what is called with a URL."""
_KEYS = frozenset(
    ["SQLALCHEMY_DATABASE_URI", "CELERY_BROKER_URL", "broker_url", "result_backend", "REDIS_URL", "MONGO_URI"]
)


class StoreConnection(Struct, frozen=True):
    """An address that a call or an assignment has."""

    line: int
    address: StoreAddress
    variables: tuple[str, ...]
    """Variables that may give another address."""


def addresses(data: bytes, settings: KnownTexts) -> Iterator[StoreConnection]:
    """The addresses that a module connects to or sets, wherever no condition stands before."""
    if not _HINT.search(data) and not (settings.fields or settings.constants):
        return
    parsed = parse_quietly(data)
    if parsed is None:
        return
    texts = ModuleTexts(parsed, settings)
    pending: list[ast.AST] = list(reversed(parsed.body))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "__name__" not in ast.dump(node.test):
            continue
        if isinstance(node, ast.IfExp | ast.Lambda):
            continue
        if isinstance(node, ast.Call):
            yield from _called(node, texts)
        elif isinstance(node, ast.Assign):
            yield from _set(node, texts)
        pending += reversed(children(node))


def _called(node: ast.Call, texts: ModuleTexts) -> Iterator[StoreConnection]:
    name = texts.full(node.func)
    last = name.rpartition(".")[2]
    keywords = {each.arg: each.value for each in node.keywords}
    kinds = _HOSTED.get(name)
    if kinds is not None and None not in keywords and not {"unix_socket_path", "connection_pool"} & keywords.keys():
        host = keywords.get("host", node.args[0] if node.args and name in _FIRST else None)
        if host is None and not node.args and name in _FIRST | {"pymongo.MongoClient"}:
            host = ast.Constant("localhost")
        yield from _at_host(node.lineno, texts, host, keywords.get("port"), kinds)
    if last not in _URLS:
        return
    given = [
        *node.args[:1],
        *(keywords[each] for each in ("broker", "backend", "url", "dsn", "host") if each in keywords),
    ]
    for each in given:
        told = texts.told(each)
        address = address_in(told.text) if told is not None else None
        if told is not None and address is not None:
            yield StoreConnection(each.lineno, address, told.variables)


def _at_host(
    line: int, texts: ModuleTexts, host: ast.expr | None, port: ast.expr | None, kinds: tuple[StoreKind, ...]
) -> Iterator[StoreConnection]:
    told = texts.told(host)
    if told is None or not re.fullmatch(r"[A-Za-z0-9][\w.-]*|::1", told.text):
        return
    number = texts.told(port)
    digits = number.text if number is not None and number.text.isdigit() else ""
    yield StoreConnection(line, StoreAddress(told.text, int(digits) if digits else None, kinds), told.variables)


def _set(node: ast.Assign, texts: ModuleTexts) -> Iterator[StoreConnection]:
    """KnownTexts of Flask, Celery and Django."""
    for target in node.targets:
        key = target.slice if isinstance(target, ast.Subscript) else None
        name = key.value if isinstance(key, ast.Constant) else dotted(target).rpartition(".")[2]
        told = texts.told(node.value) if name in _KEYS else None
        address = address_in(told.text) if told is not None else None
        if told is not None and address is not None:
            yield StoreConnection(node.lineno, address, told.variables)
        if name == "DATABASES" and isinstance(node.value, ast.Dict):
            yield from _of_django(node.value, texts)


def _of_django(databases: ast.Dict, texts: ModuleTexts) -> Iterator[StoreConnection]:
    for each in databases.values:
        pairs = zip(each.keys, each.values, strict=True) if isinstance(each, ast.Dict) else ()
        held = {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
        engine = texts.told(held.get("ENGINE"))
        word = {"postgresql": "PostgreSQL", "postgis": "PostgreSQL", "mysql": "MySQL"}.get(
            engine.text.rpartition(".")[2] if engine is not None else "", ""
        )
        if word and "HOST" in held:
            yield from _at_host(held["HOST"].lineno, texts, held["HOST"], held.get("PORT"), _BY_NAME[word])
