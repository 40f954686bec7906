"""Frameworks' own servers: how each finds its app, and where it listens when nobody says."""

from __future__ import annotations

from typing import Any

import pytest

from smoke.static.model.servers.frameworks import fastapi, flask, quart, streamlit
from tests.smoke.static.model.servers.situation import came_to, given

HERE = {"host": "127.0.0.1", "port": 5000}


@pytest.mark.parametrize(
    ("words", "files", "wanted"),
    [
        ("run --app shop", {}, {**HERE, "module": "shop", "application": "*"}),
        ("run -A shop:make()", {}, {**HERE, "module": "shop", "application": "make", "factory": True}),
        (
            "run -A shop.web:site -p 80 -h ::",
            {},
            {"host": "::", "port": 80, "module": "shop.web", "application": "site"},
        ),
        ("run --app src/shop.py", {}, {**HERE, "directory": "src", "module": "shop", "application": "*"}),
        ("run --app src/shop", {}, {**HERE, "directory": "src", "module": "shop", "application": "*"}),
        ("run", {"app.py": ""}, {**HERE, "module": "app", "application": "*"}),
        ("run", {"wsgi/__init__.py": "", "app.py": ""}, {**HERE, "module": "wsgi", "application": "*"}),
        ("run", {}, {**HERE, "trouble": "flask is not told which app to run, and finds neither wsgi.py nor app.py"}),
        ("run --app a-b", {}, {**HERE, "doubt": "which app flask runs is not followed"}),
        ("run --app shop:x[0]", {}, {**HERE, "module": "shop", "doubt": "which app flask runs is not followed"}),
        ("shell", {}, {"doubt": "flask shell is not looked into"}),
    ],
)
def test_flask_finds_its_app(words: str, files: dict[str, str], wanted: dict[str, Any]) -> None:
    assert came_to(flask, words, given(files)) == wanted


def test_flask_s_variables_are_read_by_its_name_and_quart_s_by_its_own() -> None:
    named = given(FLASK_APP="shop", FLASK_RUN_PORT="81", FLASK_RUN_HOST="0.0.0.0", QUART_APP="other")
    assert came_to(flask, "run", named) == {"host": "0.0.0.0", "port": 81, "module": "shop", "application": "*"}
    assert came_to(quart, "run", named) == {**HERE, "module": "other", "application": "*"}
    unknown = given(unknown=("wsgi.py",))
    assert came_to(flask, "run", unknown) == {**HERE, "doubt": "which app flask runs is not known"}


OUT = {"host": "0.0.0.0", "port": 8000}
ANY = {"application": "app|api"}


@pytest.mark.parametrize(
    ("words", "files", "wanted"),
    [
        ("run", {"main.py": ""}, {**OUT, **ANY, "module": "main"}),
        ("dev", {"app/api.py": ""}, {**OUT, **ANY, "host": "127.0.0.1", "directory": "app", "module": "api"}),
        ("run", {"app/main.py": "", "app/__init__.py": ""}, {**OUT, **ANY, "module": "app.main"}),
        (
            "run a/b/c.py --port 80",
            {"a/b/c.py": "", "a/b/__init__.py": ""},
            {**OUT, **ANY, "port": 80, "directory": "a", "module": "b.c"},
        ),
        ("run main.py --app web", {"main.py": ""}, {**OUT, "module": "main", "application": "web"}),
        ("run -e shop:web", {}, {**OUT, "module": "shop", "application": "web"}),
        ("run shop.py", {}, {**OUT, "trouble": "fastapi is to run shop.py, which is not in the image"}),
        (
            "run src/shop",
            {"src/shop": "", "src/shop/__init__.py": ""},
            {**OUT, "directory": "src", "module": "shop", "application": "app|api"},
        ),
        ("run shop", {"shop": ""}, {**OUT, "doubt": "what of shop fastapi runs is not followed"}),
        ("run", {}, {**OUT, "trouble": "fastapi is not told which app to run, and finds none"}),
        ("run", {"pyproject.toml": ""}, {**OUT, "doubt": "which app fastapi runs is not known"}),
        ("login", {}, {"doubt": "what fastapi does is not looked into"}),
    ],
)
def test_fastapi_finds_its_app(words: str, files: dict[str, str], wanted: dict[str, Any]) -> None:
    assert came_to(fastapi, words, given(files)) == wanted


@pytest.mark.parametrize(
    ("words", "files", "wanted"),
    [
        ("run app.py", {}, {"host": "0.0.0.0", "port": 8501, "script": "app.py"}),
        ("run app.py --server.port 80", {}, {"host": "0.0.0.0", "port": 80, "script": "app.py"}),
        ("run app.py", {".streamlit/config.toml": ""}, {"host": "0.0.0.0", "port": 8501, "script": "app.py"}),
        ("run app.py", {".streamlit/config.toml": "[server"}, {"host": "0.0.0.0", "script": "app.py"}),
        (
            "run app.py",
            {".streamlit/config.toml": "[server]\nport = 80\naddress = '::'\n"},
            {"host": "::", "port": 80, "script": "app.py"},
        ),
        ("run", {}, {"host": "0.0.0.0", "port": 8501, "trouble": "streamlit is not told which script to run"}),
        ("hello", {}, {"host": "0.0.0.0", "port": 8501, "doubt": "what streamlit does is not looked into"}),
    ],
)
def test_streamlit_runs_a_script(words: str, files: dict[str, str], wanted: dict[str, Any]) -> None:
    assert came_to(streamlit, words, given(files)) == wanted
