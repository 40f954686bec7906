"""Addresses of databases and brokers that code connects to, as far as texts, variables and settings tell them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from smoke.static.compose.stores import STORES, StoreAddress, StoreKind, address_in
from smoke.static.python.conditions import dotted
from smoke.static.python.imported import imported_names
from smoke.static.python.nodes import below, children
from smoke.static.python.quiet import parse_quietly
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
_READS = frozenset(["os.getenv", "os.environ.get", "decouple.config"])
_MOST_DEPTH = 8


class TextTold(Struct, frozen=True):
    """A text, and the variables that may give another one."""

    text: str
    variables: tuple[str, ...] = ()


class StoreConnection(Struct, frozen=True):
    """An address that a call or an assignment has."""

    line: int
    address: StoreAddress
    variables: tuple[str, ...]
    """Variables that may give another address."""


class KnownTexts(Struct):
    """What modules call by one name each: constants at their top, and fields of pydantic's settings."""

    constants: dict[str, TextTold | None] = field(default_factory=dict)
    fields: dict[str, TextTold | None] = field(default_factory=dict)


def settings_of(modules: Mapping[str, bytes]) -> KnownTexts:
    """What the modules of a program call by names that only one of them gives, and gives once."""
    found = KnownTexts()
    for data in modules.values():
        if not re.search(rb"(?i)(?:host|url|uri|dsn|broker|backend)\w*\s*[:=]", data):
            continue
        parsed = parse_quietly(data)
        for node in parsed.body if parsed is not None else ():
            names = _Texts(parsed, KnownTexts()) if parsed is not None else None
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                _keep(found.constants, node.targets[0].id, names.told(node.value) if names is not None else None)
            elif isinstance(node, ast.ClassDef) and any(dotted(each).endswith("BaseSettings") for each in node.bases):
                for name, told in _fields(node):
                    _keep(found.fields, name, told)
    return found


def _keep(held: dict[str, TextTold | None], name: str, told: TextTold | None) -> None:
    held[name] = None if name in held else told


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, TextTold | None]]:
    """The fields of a class of pydantic's settings whose variables have their names."""
    renamed = any(isinstance(each, ast.keyword) and each.arg in ("env_prefix", "alias", "env") for each in below(node))
    text = ast.dump(node)
    for each in node.body if not renamed and "env_prefix" not in text else ():
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            name, value = each.target.id, each.value
            plain = isinstance(value, ast.Constant) and isinstance(value.value, str)
            variables = (name, name.upper(), name.lower())
            yield name, TextTold(value.value, variables) if plain and isinstance(value, ast.Constant) else None  # type: ignore[arg-type]


class _Texts:
    """The texts that the expressions of a module come to."""

    def __init__(self, parsed: ast.Module, settings: KnownTexts) -> None:
        self.names, self.settings = imported_names(parsed), settings
        self.assigned: dict[str, ast.expr | None] = {}
        for node in parsed.body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                self.assigned[name] = None if name in self.assigned else node.value

    def full(self, node: ast.expr) -> str:
        """The dotted name that an expression is, as it was imported."""
        first, dot, rest = dotted(node).partition(".")
        return f"{self.names.get(first, first)}{dot}{rest}"

    def told(self, node: ast.expr | None, depth: int = 0) -> TextTold | None:  # noqa: PLR0911 - a case a kind of expression
        """The text; none where it cannot be told."""
        if depth > _MOST_DEPTH:
            return None
        match node:
            case ast.Constant(value=str(text)):
                return TextTold(text)
            case ast.Constant(value=int(number)):
                return TextTold(str(number))
            case ast.Name(id=name):
                if name in self.assigned:
                    held = self.assigned[name]
                    return self.told(held, depth + 1) if held is not None else None
                return self.settings.constants.get(name)
            case ast.Attribute(attr=name):
                return self.settings.fields.get(name) or self.settings.constants.get(name)
            case ast.Call(args=[ast.Constant(value=str(name)), *rest], keywords=keywords):
                if self.full(node.func) not in _READS:
                    return None
                given = [*rest, *(each.value for each in keywords if each.arg == "default")]
                inner = self.told(given[0], depth + 1) if len(given) == 1 else None
                return replace(inner, variables=(name, *inner.variables)) if inner is not None else None
            case ast.BoolOp(op=ast.Or(), values=values):
                return self._either(values, depth)
            case ast.JoinedStr(values=values):
                return self._joined(values, depth)
        return None

    def _either(self, values: list[ast.expr], depth: int) -> TextTold | None:
        """`getenv("X") or "text"`."""
        last = self.told(values[-1], depth + 1)
        variables: list[str] = []
        for each in values[:-1]:
            named = isinstance(each, ast.Call) and len(each.args) == 1 and isinstance(each.args[0], ast.Constant)
            if not named or not isinstance(each, ast.Call) or self.full(each.func) not in _READS:
                return None
            variables += [str(each.args[0].value)] if isinstance(each.args[0], ast.Constant) else []
        return replace(last, variables=(*variables, *last.variables)) if last is not None else None

    def _joined(self, values: list[ast.expr], depth: int) -> TextTold | None:
        """An f-string; what cannot be told in it is a percent sign, which no address has."""
        parts: list[str] = []
        variables: list[str] = []
        for each in values:
            told = self.told(each.value if isinstance(each, ast.FormattedValue) else each, depth + 1)
            parts.append(told.text if told is not None else "%")
            variables += told.variables if told is not None else ()
        return TextTold("".join(parts), tuple(variables))


def addresses(data: bytes, settings: KnownTexts) -> Iterator[StoreConnection]:
    """The addresses that a module connects to or sets, wherever no condition stands before."""
    if not _HINT.search(data) and not (settings.fields or settings.constants):
        return
    parsed = parse_quietly(data)
    if parsed is None:
        return
    texts = _Texts(parsed, settings)
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


def _called(node: ast.Call, texts: _Texts) -> Iterator[StoreConnection]:
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
    line: int, texts: _Texts, host: ast.expr | None, port: ast.expr | None, kinds: tuple[StoreKind, ...]
) -> Iterator[StoreConnection]:
    told = texts.told(host)
    if told is None or not re.fullmatch(r"[A-Za-z0-9][\w.-]*|::1", told.text):
        return
    number = texts.told(port)
    digits = number.text if number is not None and number.text.isdigit() else ""
    yield StoreConnection(line, StoreAddress(told.text, int(digits) if digits else None, kinds), told.variables)


def _set(node: ast.Assign, texts: _Texts) -> Iterator[StoreConnection]:
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


def _of_django(databases: ast.Dict, texts: _Texts) -> Iterator[StoreConnection]:
    for each in databases.values:
        pairs = zip(each.keys, each.values, strict=True) if isinstance(each, ast.Dict) else ()
        held = {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
        engine = texts.told(held.get("ENGINE"))
        word = {"postgresql": "PostgreSQL", "postgis": "PostgreSQL", "mysql": "MySQL"}.get(
            engine.text.rpartition(".")[2] if engine is not None else "", ""
        )
        if word and "HOST" in held:
            yield from _at_host(held["HOST"].lineno, texts, held["HOST"], held.get("PORT"), _BY_NAME[word])
