"""Programs that serve something of their own: where they listen."""

from __future__ import annotations

import pytest

from smoke.static.model.servers.catalog import served
from smoke.static.model.servers.situation import Situation

LOOPBACK = "127.0.0.1"


def situation(**environment: str) -> Situation:
    return Situation(environment, {"mkdocs.yml": "site_name: x"}.get, lambda path: path == "mkdocs.yml")


@pytest.mark.parametrize(
    ("words", "host", "port"),
    [
        ("mkdocs serve", LOOPBACK, 8000),
        ("mkdocs serve -a 0.0.0.0:80", "0.0.0.0", 80),
        ("mkdocs serve --strict --dev-addr=0.0.0.0:80", "0.0.0.0", 80),
        ("mlflow server --port 5001", LOOPBACK, 5001),
        ("mlflow ui -h 0.0.0.0", "0.0.0.0", 5000),
        ("datasette --memory", LOOPBACK, 8001),
        ("datasette serve data.db --uds /tmp/x", "", None),
        ("tensorboard --logdir /logs", LOOPBACK, 6006),
        ("tensorboard --logdir /logs --bind_all", "", None),
        ("dagster-webserver -h 0.0.0.0 -p 80", "0.0.0.0", 80),
        ("chainlit run app.py -h", LOOPBACK, 8000),
        ("marimo edit --host 0.0.0.0", "0.0.0.0", 2718),
        ("jupyter lab --no-browser --allow-root", LOOPBACK, 8888),
        ("jupyter-notebook --ip=0.0.0.0 --port 80", "0.0.0.0", 80),
        ("jupyter server --ServerApp.ip=:: --debug", "::", 8888),
        ("jupyter lab --config x.py", "", None),
        ("sanic server:app", LOOPBACK, 8000),
        ("sanic server:app -H 0.0.0.0 -p 80", "0.0.0.0", 80),
        ("sanic server:app --unix /tmp/x", "", None),
        ("litestar --app app:app run", LOOPBACK, 8000),
        ("litestar run -H 0.0.0.0 -p 80", "0.0.0.0", 80),
        ("litestar run --uds /tmp/x", "", None),
    ],
)
def test_where_they_listen(words: str, host: str, port: int | None) -> None:
    name, *arguments = words.split()
    found = served(name, arguments, situation())
    assert found is not None
    assert (found.host, found.port, found.trouble) == (host, port, "")


@pytest.mark.parametrize(
    "words", ["mlflow run .", "chainlit init", "litestar routes", "jupyter nbconvert x", "sanic", "litestar run"]
)
def test_what_is_not_followed_is_said(words: str) -> None:
    name, *arguments = words.split()
    found = served(name, arguments, situation())
    assert found is not None
    assert found.doubt


def test_variables_and_configuration_may_say_where() -> None:
    told = served("mlflow", ["server"], situation(MLFLOW_HOST="0.0.0.0"))
    assert told is not None
    assert told.host == ""
    asked = served("mkdocs", ["serve"], Situation({}, lambda path: "dev_addr: 0.0.0.0:8000", lambda path: True))
    assert asked is not None
    assert asked.host == ""


@pytest.mark.parametrize(("target", "module"), [("shop.server:app", "shop.server"), ("server:make", "server")])
def test_apps_are_followed(target: str, module: str) -> None:
    for words in (["sanic", target], ["litestar", "--app", target, "run"]):
        found = served(words[0], words[1:], situation())
        assert found is not None
        assert found.module == module


def test_a_consumer_of_huey_names_an_instance() -> None:
    found = served("huey_consumer.py", ["shop.tasks.huey"], situation())
    assert found is not None
    assert (found.module, found.application) == ("shop.tasks", "huey")
