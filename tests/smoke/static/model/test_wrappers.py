"""Programs that start another one."""

from __future__ import annotations

import pytest

from smoke.static.model.wrappers import is_wrapper, unwrap


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("tini -g -- python a.py", "python a.py"),
        ("tini -p SIGTERM -- python a.py", "python a.py"),
        ("gosu app python a.py", "python a.py"),
        ("timeout -k 5 60 python a.py", "python a.py"),
        ("setpriv --reuid 1000 --clear-groups python a.py", "python a.py"),
        ("env -u A B=1 python a.py", "python a.py"),
        ("opentelemetry-instrument --traces_exporter console python a.py", "python a.py"),
        ("newrelic-admin run-program gunicorn a:b", "gunicorn a:b"),
        ("watchmedo auto-restart -d . --recursive -- celery -A a worker", "celery -A a worker"),
        ("coverage run --source a -m pack", "python -m pack"),
        ("coverage run a.py", "python a.py"),
    ],
)
def test_the_command_is_what_a_wrapper_does_not_take(text: str, left: str) -> None:
    words = tuple(text.split())
    assert is_wrapper(words[0], words)
    assert " ".join(unwrap(words).words) == left


def test_variables_are_given_on() -> None:
    assert unwrap(("env", "A=1", "B=x=y", "python")).environment == {"A": "1", "B": "x=y"}


def test_other_commands_of_the_same_program_start_nothing() -> None:
    assert not is_wrapper("coverage", ("coverage", "report"))
    assert not is_wrapper("python", ("python", "a.py"))


def test_some_do_something_alone() -> None:
    assert unwrap(("gosu", "app")).may_be_alone
    assert not unwrap(("tini", "--")).may_be_alone
