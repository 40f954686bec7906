"""Which commands are servers."""

from __future__ import annotations

from importlib import import_module

import pytest

from smoke.static.model.servers import catalog
from smoke.static.model.servers.catalog import is_server, served
from tests.smoke.static.model.servers.situation import given


@pytest.mark.parametrize(
    "name", ["uvicorn", "gunicorn", "hypercorn", "daphne", "waitress-serve", "celery", "flask", "streamlit"]
)
def test_servers_are_known(name: str) -> None:
    assert is_server(name) and served(name, ["--help"], given()) is not None


@pytest.mark.parametrize("name", ["python", "sh", "", "uvicorn.py", "own"])
def test_others_are_not(name: str) -> None:
    assert not is_server(name) and served(name, [], given()) is None


def test_a_server_says_what_it_loads_and_where_it_listens() -> None:
    found = served("uvicorn", ["app.main:app", "--host", "0.0.0.0", "--port", "8080"], given())
    assert found is not None and (found.module, found.host, found.port) == ("app.main", "0.0.0.0", 8080)
    assert "uvicorn" in found.needs


def test_the_catalog_and_the_readers_know_the_same() -> None:
    rooms = {room for room, _ in catalog._SERVERS.values()}
    named = {(room, key) for room, key in catalog._SERVERS.values()}
    held = {(room, key) for room in rooms for key in import_module(f"smoke.static.model.servers.{room}").READERS}
    assert named == held
