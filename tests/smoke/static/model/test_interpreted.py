"""What Python is started with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.static.model.started import FILES, start


@pytest.mark.parametrize(
    ("command", "module", "script", "arguments"),
    [
        ("python main.py --port 1", "", "/srv/main.py", ("--port", "1")),
        ("python -u -W ignore -X dev main.py", "", "/srv/main.py", ()),
        ("python -Wignore -bb main.py", "", "/srv/main.py", ()),
        ("python -m shop.a x", "shop.a", "", ("x",)),
        ("python -um shop.a", "shop.a", "", ()),
        ("python -mshop.a", "shop.a", "", ()),
        ("python shop", "", "/srv/shop", ()),
        ("python -m debugpy --listen 5678 main.py", "", "/srv/main.py", ()),
        ("python -m cProfile -o out -m shop.a", "shop.a", "", ()),
        ("python -m coverage run --source shop main.py", "", "/srv/main.py", ()),
        ("python -c 'import shop.a'", "shop.a", "", ()),
        ("python -m pdb main.py", "pdb", "", ("main.py",)),
    ],
)
def test_the_module_or_file_that_runs(
    tmp_path: Path, command: str, module: str, script: str, arguments: tuple[str, ...]
) -> None:
    """The tree has a `pdb.py` of its own, which stands before the standard library's."""
    found = start(tmp_path, command)
    assert (found.module, found.script, found.trouble, found.doubt) == (module, script, "", "")
    assert found.arguments == arguments and found.python == "3.12"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("python", "without a program"),
        ("python -u", "without a program"),
        ("python gone.py", "there is no /srv/gone.py"),
        ("python python main.py", "there is no /srv/python"),
        ("python /bin/sh -c x", "shell form stands behind the ENTRYPOINT"),
        ("python '-m shop.a'", "one word"),
        ("python -m shop/a", "has dots where its path has slashes"),
        ("python manage.py 'runserver 0.0.0.0:80'", "one word of an exec form"),
    ],
)
def test_what_would_not_start(tmp_path: Path, command: str, words: str) -> None:
    assert words in start(tmp_path, command).trouble


@pytest.mark.parametrize("command", ["python -", "python -c 'print(1)'", "python -m", "python --what main.py"])
def test_what_cannot_be_told_is_in_doubt(tmp_path: Path, command: str) -> None:
    found = start(tmp_path, command)
    assert found.doubt and not found.trouble


@pytest.mark.parametrize(
    ("command", "host", "port"),
    [
        ("python manage.py runserver", "127.0.0.1", 8000),
        ("python manage.py runserver 80", "127.0.0.1", 80),
        ("python manage.py runserver 0:80", "0.0.0.0", 80),
        ("python manage.py runserver --noreload 0.0.0.0:8001", "0.0.0.0", 8001),
        ("python -m http.server", "0.0.0.0", 8000),
        ("python -m http.server 81 --bind 127.0.0.1", "127.0.0.1", 81),
        ("python main.py", "", None),
    ],
)
def test_where_it_listens(tmp_path: Path, command: str, host: str, port: int | None) -> None:
    found = start(tmp_path, command)
    assert (found.host, found.port) == (host, port)


def test_what_runs_another_program_has_to_be_installed(tmp_path: Path) -> None:
    assert start(tmp_path, "python -m debugpy main.py").needs == ("debugpy",)
    assert start(tmp_path, "python -m cProfile main.py").needs == ()


def test_a_server_is_given_its_module(tmp_path: Path) -> None:
    found = start(tmp_path, "python -m uvicorn shop.a:app --port 81", "RUN pip install uvicorn")
    assert (found.server, found.module, found.application, found.port) == ("uvicorn", "shop.a", "app", 81)
    own = start(tmp_path, "python -m uvicorn", "", {**FILES, "uvicorn.py": ""})
    assert (own.server, own.module) == ("", "uvicorn"), "the tree's own module of that name"
