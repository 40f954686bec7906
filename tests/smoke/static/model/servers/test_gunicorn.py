"""gunicorn: its options, its variable, its configuration."""

from __future__ import annotations

import pytest

from smoke.static.model.servers.gunicorn import gunicorn
from tests.smoke.static.model.servers.situation import came_to, given


@pytest.mark.parametrize(
    ("words", "files", "found"),
    [
        ("app:make", {}, {"module": "app", "application": "make"}),
        ("-b 0.0.0.0:80 app.main:app", {}, {"module": "app.main", "application": "app", "host": "0.0.0.0", "port": 80}),
        ("--bind=:81 app:app", {}, {"host": "0.0.0.0", "port": 81}),
        ("--chdir src app:app", {}, {"directory": "src"}),
        ("-c conf.py app:app", {"conf.py": "bind = '0.0.0.0:82'\n"}, {"port": 82}),
        ("app:app", {"gunicorn.conf.py": "bind = '0.0.0.0:83'\n"}, {"port": 83}),
        ("-b :84 app:app", {"gunicorn.conf.py": "bind = '0.0.0.0:83'\n"}, {"port": 84}),
    ],
)
def test_what_it_comes_to(words: str, files: dict[str, str], found: dict[str, object]) -> None:
    """An option goes before the file."""
    assert found.items() <= came_to(gunicorn, words, given(files)).items()


def test_a_configuration_that_is_not_there() -> None:
    assert "lost.py" in came_to(gunicorn, "-c lost.py app:app")["trouble"]
    assert "trouble" not in came_to(gunicorn, "-c lost.py app:app", given(unknown=("lost.py",)))


@pytest.mark.parametrize(
    ("words", "module"),
    [("-k gevent app:app", "gevent"), ("-k uvicorn.workers.UvicornWorker app:app", "uvicorn.workers")],
)
def test_a_worker_has_to_be_installed(words: str, module: str) -> None:
    found = gunicorn(words.split(), given())
    assert module in (*found.needs, *found.also)
    assert gunicorn(["app:app"], given()).needs == ["gunicorn"]


def test_a_configuration_may_be_a_module() -> None:
    files = {"settings/server.py": "bind = '0.0.0.0:85'\nworker_class = 'gevent'\n"}
    found = gunicorn(["-c", "python:settings.server", "app:app"], given(files))
    assert found.port == 85 and "gevent" in found.needs and found.also == ["settings.server"]
