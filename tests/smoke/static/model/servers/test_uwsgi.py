"""uWSGI: its command line, and the file that mostly has all of it."""

from __future__ import annotations

import pytest

from smoke.static.model.servers.catalog import served
from smoke.static.model.servers.served import Served
from smoke.static.model.servers.situation import Situation

THERE = frozenset(["uwsgi.ini", "web.py", "/srv", "/srv/web.py", "/venv"])


def read(words: str, ini: str = "", *, root: bool = True) -> Served:
    situation = Situation(
        {},
        {"uwsgi.ini": f"[other]\nmodule = no\n[uwsgi]\n{ini}"}.get,
        THERE.__contains__,
        lacks_user=lambda name: name == "nobody-here",
        lacks_group=lambda name: name == "nobody-here",
        is_root=root,
    )
    found = served("uwsgi", words.split(), situation)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("words", "ini", "module", "application"),
    [
        ("--ini uwsgi.ini", "module = web:app", "web", "app"),
        ("uwsgi.ini", "; a comment\nwsgi-file = web.py\ncallable = app", "web", "app"),
        ("--module=web --callable app --http :8000", "", "web", "app"),
        ("-w web:make() --master -p 4", "", "web", "make"),
        ("--wsgi-file web.py", "", "web", "application"),
    ],
)
def test_what_is_served(words: str, ini: str, module: str, application: str) -> None:
    found = read(words, ini)
    assert (found.module, found.application, found.trouble, found.doubt) == (module, application, "", "")


@pytest.mark.parametrize(
    ("ini", "host", "port"),
    [
        ("http = :8000", "0.0.0.0", 8000),
        ("http-socket = 127.0.0.1:8000", "127.0.0.1", 8000),
        ("socket = /run/web.sock", "", None),
        ("http = $(HOST):8000", "", None),
        ("http = 127.0.0.1:1\nsocket = 0.0.0.0:2", "0.0.0.0", None),
    ],
)
def test_where_it_listens(ini: str, host: str, port: int | None) -> None:
    found = read("uwsgi.ini", f"module = web:app\n{ini}")
    assert (found.host, found.port) == (host, port)


@pytest.mark.parametrize(
    ("words", "ini", "says"),
    [
        ("--ini lost.ini", "", "read lost.ini"),
        ("uwsgi.ini", "wsgi-file = lost.py", "load lost.py"),
        ("uwsgi.ini", "chdir = /lost", "changes to /lost"),
        ("uwsgi.ini", "virtualenv = /lost", "environment /lost"),
        ("uwsgi.ini", "uid = nobody-here", "the user nobody-here"),
        ("uwsgi.ini", "gid = nobody-here", "the group nobody-here"),
        ("uwsgi.ini", "daemonize = /tmp/x.log", "background"),
    ],
)
def test_what_ends_it(words: str, ini: str, says: str) -> None:
    assert says in read(words, ini).trouble


def test_a_plain_user_becomes_no_other() -> None:
    assert read("uwsgi.ini", "module = web\nuid = nobody-here", root=False).trouble == ""


@pytest.mark.parametrize(
    ("words", "ini"),
    [
        ("web.py", ""),
        ("/etc/uwsgi.ini", ""),
        ("uwsgi.ini", "if-env = X\nmodule = web\nendif ="),
        ("uwsgi.ini", "module = web\nplugins = python3"),
        ("uwsgi.ini", "wsgi-file = app/web.py"),
        ("--master", ""),
    ],
)
def test_what_is_not_followed_is_said(words: str, ini: str) -> None:
    found = read(words, ini)
    assert (found.module, bool(found.doubt or found.trouble)) == ("", True)


def test_files_that_it_makes() -> None:
    found = read("uwsgi.ini", "module = web\nsocket = /run/a.sock\npidfile = /run/a.pid\nlogto = %n.log\nhome = /venv")
    assert (found.writes, found.home) == (["/run/a.sock", "/run/a.pid"], "/venv")
