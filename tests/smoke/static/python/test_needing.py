"""Calls of frameworks that import what their own distribution does not bring."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.needing import needed_by, needed_by_fields, needed_by_route


def needed(text: str) -> list[str]:
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    name = ast.unparse(call.func)
    keywords = {each.arg: each.value for each in call.keywords if each.arg}
    return [each.distribution for each in needed_by(call, name, name.rpartition(".")[2], keywords)]


@pytest.mark.parametrize(
    ("text", "distributions"),
    [
        ("celery.Celery('x', broker='redis://db')", ["redis"]),
        ("celery.Celery('x', broker=f'rediss://{host}')", ["redis"]),
        ("celery.Celery('x', broker='amqp://db')", []),
        ("fastapi.templating.Jinja2Templates('x')", ["jinja2"]),
        ("httpx.AsyncClient(http2=True)", ["h2"]),
        ("httpx.AsyncClient(http2=False)", []),
        ("pandas.read_excel('a.xlsx')", ["openpyxl"]),
        ("pandas.read_excel('a.xlsx', engine='calamine')", []),
        ("spacy.load('en_core_web_sm')", ["en-core-web-sm"]),
        ("spacy.load(name)", []),
        ("django.db.models.ImageField()", ["pillow"]),
        ("sqlalchemy.create_engine('postgresql://db')", ["psycopg2-binary"]),
        ("sqlalchemy.create_engine(url='mysql+aiomysql://db')", ["aiomysql"]),
        ("sqlalchemy.create_engine('sqlite://')", []),
        ("sqlalchemy.create_engine('postgresql://db', module=own)", []),
        ("own.create_engine('postgresql://db')", []),
    ],
)
def test_calls(text: str, distributions: list[str]) -> None:
    assert needed(text) == distributions


def full(name: str) -> str:
    return {"Form": "fastapi.Form", "EmailStr": "pydantic.EmailStr"}.get(name, name)


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("@app.post('/')\ndef f(a=Form()): ...", True),
        ("@app.post('/')\ndef f(a): ...", False),
        ("def f(a=Form()): ...", False),
    ],
)
def test_routes_that_take_forms(text: str, needs: bool) -> None:
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert bool([*needed_by_route(function, full)]) is needs


@pytest.mark.parametrize(
    ("bases", "field", "needs"),
    [
        (["pydantic.BaseModel"], "EmailStr", True),
        (["pydantic.BaseModel"], "list[EmailStr]", True),
        (["pydantic.BaseModel"], "str", False),
        (["Own"], "EmailStr", False),
    ],
)
def test_models_with_addresses(bases: list[str], field: str, needs: bool) -> None:
    model = ast.parse(f"class A:\n    x: {field}").body[0]
    assert isinstance(model, ast.ClassDef)
    assert bool([*needed_by_fields(model, bases, full)]) is needs
