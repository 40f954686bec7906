"""Which modules make the app that a server starts."""

from __future__ import annotations

import pytest

from smoke.static.model.effective_command import Start
from smoke.static.python.graph import Graph, ImportStep
from smoke.static.python.lifespans import is_served, served_by
from smoke.static.python.source import Source


def started(server: str, *arguments: str, application: str = "app") -> Start:
    return Start(server=server, module="main", application=application, arguments=arguments)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (started("uvicorn"), True),
        (started("gunicorn", "-k", "uvicorn.workers.UvicornWorker"), True),
        (started("uvicorn", "--lifespan", "off"), False),
        (started("celery"), False),
        (Start(server="uvicorn"), False),
    ],
)
def test_servers_that_run_hooks(start: Start, expected: bool) -> None:
    assert is_served(start) is expected


def graph(**fields: object) -> Graph:
    made = Graph(entry=Source("main.py"))
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_the_app_is_in_the_module_that_is_named_or_where_that_takes_it_from() -> None:
    steps = {"main.py": [ImportStep(1, ("api.py",), ("app",), "api.py"), ImportStep(2, ("b.py",), ("other",), "b.py")]}
    assert served_by(started("uvicorn"), graph(steps=steps)) == {"main.py", "api.py"}
    assert served_by(started("uvicorn", application="other"), graph(steps=steps)) == {"main.py", "b.py"}
    assert served_by(started("celery"), graph(steps=steps)) == set()
    assert served_by(started("uvicorn"), Graph()) == set()


def test_a_program_that_serves_itself() -> None:
    entry = Source("main.py", calls=[(3, "uvicorn.run", {})], made={"app": "FastAPI"})
    assert served_by(Start(script="/main.py"), Graph(entry=entry, entry_is_main=True)) == {"main.py"}
    assert served_by(Start(script="/main.py"), Graph(entry=Source("main.py"), entry_is_main=True)) == set()
