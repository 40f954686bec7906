"""Calls of frameworks that import what their own distribution does not bring."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from smoke.static.python.constant import beginning
from smoke.static.python.dotted import call_name, dotted
from smoke.static.python.effects import Extra
from smoke.static.python.nodes import below
from smoke.static.regex import regex

_DRIVERS = {
    "postgresql": ("psycopg2", "psycopg2-binary"),
    "postgresql+psycopg2": ("psycopg2", "psycopg2-binary"),
    "postgresql+psycopg": ("psycopg", "psycopg"),
    "postgresql+asyncpg": ("asyncpg", "asyncpg"),
    "mysql": ("MySQLdb", "mysqlclient"),
    "mysql+mysqldb": ("MySQLdb", "mysqlclient"),
    "mysql+pymysql": ("pymysql", "pymysql"),
    "mysql+aiomysql": ("aiomysql", "aiomysql"),
    "mysql+asyncmy": ("asyncmy", "asyncmy"),
    "mariadb+pymysql": ("pymysql", "pymysql"),
    "sqlite+aiosqlite": ("aiosqlite", "aiosqlite"),
    "mssql+pyodbc": ("pyodbc", "pyodbc"),
    "mssql+pymssql": ("pymssql", "pymssql"),
    "oracle+oracledb": ("oracledb", "oracledb"),
}
"""What SQLAlchemy imports for the beginning of a URL, as the engine is made."""
_READERS_OF_PANDAS = {
    "pandas.read_parquet": ("fastparquet", "pyarrow"),
    "pandas.read_feather": ("pyarrow", "pyarrow"),
    "pandas.read_orc": ("pyarrow", "pyarrow"),
    "pandas.read_hdf": ("tables", "tables"),
    "pandas.read_xml": ("lxml", "lxml"),
    "pandas.read_html": ("html5lib", "lxml"),
}
"""What reads each kind of file for pandas: one of these is enough."""
_FORMS = frozenset({"Form", "File", "UploadFile", "OAuth2PasswordRequestForm", "OAuth2PasswordRequestFormStrict"})
_ROUTES = frozenset({"get", "post", "put", "patch", "delete", "api_route", "websocket"})
_SPACY = regex(r"[a-z]{2}_(?:core|dep|ent)_(?:web|news|sci)_(?:sm|md|lg|trf)")
"""Names of the models that are distributions of their own."""


def needed_by(node: ast.Call, name: str, last: str, keywords: dict[str, ast.expr]) -> Iterator[Extra]:
    """What a call imports; `name` is what it calls, as it was imported."""
    if last == "Celery" and beginning(keywords.get("broker")).startswith(("redis:", "rediss:")):
        yield Extra(node.lineno, "redis", "redis", "a broker at redis://")
    if last == "Jinja2Templates" and name.startswith(("fastapi.", "starlette.")):
        yield Extra(node.lineno, "jinja2", "jinja2", "Jinja2Templates")
    if name in ("httpx.Client", "httpx.AsyncClient", "httpx.HTTPTransport", "httpx.AsyncHTTPTransport"):
        told = keywords.get("http2")
        if isinstance(told, ast.Constant) and told.value is True:
            yield Extra(node.lineno, "h2", "h2", f"{name}(http2=True)")
    if name == "pandas.read_excel" and "engine" not in keywords and node.args:
        path = node.args[0]
        if isinstance(path, ast.Constant) and str(path.value).endswith((".xlsx", ".xlsm")):
            yield Extra(node.lineno, "openpyxl", "openpyxl", "pandas.read_excel of such a file")
    if name in _READERS_OF_PANDAS and not {"engine", "flavor"} & keywords.keys():
        module, distribution = _READERS_OF_PANDAS[name]
        yield Extra(node.lineno, module, distribution, name)
    if name == "spacy.load" and node.args and isinstance(node.args[0], ast.Constant):
        model = str(node.args[0].value)
        if _SPACY.fullmatch(model):
            yield Extra(node.lineno, model, model.replace("_", "-"), "spacy.load", alone=True)
    if name == "django.db.models.ImageField":
        yield Extra(node.lineno, "PIL", "pillow", "ImageField", checked=True)
    if last in ("create_engine", "create_async_engine") and name.startswith("sqlalchemy."):
        scheme = beginning(node.args[0] if node.args else keywords.get("url")).partition("://")[0]
        if "module" not in keywords and scheme in _DRIVERS:
            module, distribution = _DRIVERS[scheme]
            yield Extra(node.lineno, module, distribution, f"an engine at {scheme}://")


def needed_by_route(node: ast.FunctionDef | ast.AsyncFunctionDef, full: Callable[[str], str]) -> Iterator[Extra]:
    """What FastAPI imports for a route that takes a form; `full` tells what a name was imported as."""
    if not any(call_name(each).rpartition(".")[2] in _ROUTES for each in node.decorator_list):
        return
    words = {full(dotted(each)) for each in below(node.args) if isinstance(each, ast.Name | ast.Attribute)}
    forms = (each.rpartition(".")[2] for each in sorted(words) if each.startswith("fastapi"))
    if form := next((each for each in forms if each in _FORMS), ""):
        yield Extra(node.lineno, "multipart", "python-multipart", form)


def needed_by_fields(node: ast.ClassDef, bases: list[str], full: Callable[[str], str]) -> Iterator[Extra]:
    """What pydantic imports for the fields of a model."""
    fields = (each for each in node.body if isinstance(each, ast.AnnAssign))
    for each in fields if any(base.startswith("pydantic") for base in bases) else ():
        words = (full(dotted(part)) for part in below(each.annotation) if isinstance(part, ast.Name | ast.Attribute))
        if any(word in ("pydantic.EmailStr", "pydantic.networks.EmailStr") for word in words):
            yield Extra(each.lineno, "email_validator", "email-validator", "EmailStr")
