"""What the container starts exists, can be imported, and serves where it is expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, critical, judge_files, says

LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"
FLASK = "from flask import Flask\n\napp = Flask(__name__)\n"
QUART = "from quart import Quart\n\napp = Quart(__name__)\n"
SERVE = "import http.server as h\n\nh.HTTPServer(('{}', {}), None).serve_forever()\n"


def tree(start: str, lines: str = "", **more: str | None) -> Changes:
    """Files beside a Dockerfile that copies all and starts as it is told; `__` in a name stands for a directory."""
    dockerfile = f"FROM python:3.12-slim\nWORKDIR /app\n{lines}\nCOPY . .\nCMD {start}\n"
    files: Changes = {"Dockerfile": dockerfile, "main.py": LOOP}
    for name, text in more.items():
        files = {**files, name.replace("__", "/") + ".py": text}
    return {name: text for name, text in files.items() if text is not None}


@pytest.mark.parametrize(
    ("files", "outcome", "words"),
    [
        (tree('["python", "main.py"]'), "passed", "/app/main.py is main.py"),
        (tree('["python", "-m", "main"]'), "passed", "module main is main.py"),
        (tree('["python", "/app/lost.py"]'), "critical", "there is no /app/lost.py in the image"),
        (tree('["python", "-m", "lost"]'), "critical", "there is no module lost in"),
        (tree('["python", "-m", "main.py"]'), "critical", "-m takes a module's name, without .py: main"),
        (tree('["python", "-m", "pack"]', pack__a=""), "critical", "package without __main__.py"),
        (tree('["python", "-m", "Main"]'), "critical", "/app/main.py has another name on Linux"),
        (tree('["python", "-m", "http.server"]'), "skipped", "http.server"),
        (tree('["python", "-m", "own"]', "RUN pip install own"), "skipped", "own"),
        (tree('["python", "/data/run.py"]', "RUN frobnicate /data"), "skipped", "cannot be followed"),
        (tree('["sleep", "9"]'), "skipped", ""),
    ],
)
def test_what_is_started_exists(tmp_path: Path, files: Changes, outcome: str, words: str) -> None:
    assert says(tmp_path, files, "entrypoint.exists", outcome, words)


def test_what_is_started_is_what_the_manifest_says(tmp_path: Path) -> None:
    manifest = '[[service]]\nname = "one"\ndockerfile = "Dockerfile"\n'
    for number, (key, outcome) in enumerate(
        [('module = "main"', "passed"), ('module = "other"', "critical"), ('script = "other.py"', "critical")]
    ):
        files = {**tree('["python", "-m", "main"]'), "smoke.toml": manifest + key}
        words = "the manifest says other" if outcome == "critical" else ""
        assert says(tmp_path / str(number), files, "entrypoint.exists", outcome, words)


@pytest.mark.parametrize(
    ("code", "outcome", "words"),
    [
        ("import json\n" + LOOP, "passed", "modules of the tree import each other"),
        ("import other\n" + LOOP, "passed", "2 modules"),
        ("from other import lost\n" + LOOP, "critical", "lost"),
        ("from . import other\n" + LOOP, "critical", ""),
        ("def f():\n    from other import lost\n" + LOOP, "warning", "(when the function runs)"),
        ("try:\n    from other import lost\nexcept ImportError:\n    pass\n" + LOOP, "passed", ""),
        ("x = (\n", "critical", ""),
    ],
)
def test_all_that_it_imports_can_be_imported(tmp_path: Path, code: str, outcome: str, words: str) -> None:
    files = tree('["python", "main.py"]', main=code, other="x = 1\n")
    assert says(tmp_path, files, "entrypoint.imports", outcome, words)


GUNICORN = "RUN pip install gunicorn uvicorn flask quart"


@pytest.mark.parametrize(
    ("start", "code", "outcome", "words"),
    [
        ('["gunicorn", "main:app"]', FLASK, "passed", ""),
        ('["gunicorn", "main:lost"]', FLASK, "critical", "main.py defines no lost for gunicorn to serve"),
        ('["gunicorn", "main:app"]', QUART, "critical", "an ASGI app, which gunicorn cannot serve"),
        ('["gunicorn", "-k", "uvicorn.workers.UvicornWorker", "main:app"]', QUART, "passed", ""),
        ('["uvicorn", "--host", "0.0.0.0", "--port", "80", "main:app"]', QUART, "passed", "it serves at 80"),
        ('["uvicorn", "--host", "0.0.0.0", "--port", "81", "main:app"]', QUART, "critical", "it binds to 81"),
        ('["uvicorn", "--host", "127.0.0.1", "--port", "80", "main:app"]', QUART, "critical", "listens at 127.0.0.1"),
        ('["uvicorn", "--host", "0.0.0.0", "--port", "80", "main:app"]', FLASK, "critical", "a WSGI app"),
        ('["python", "main.py"]', "def f():\n    pass\n", "critical", "defines things and ends"),
        ('["python", "main.py"]', "", "critical", "defines things and ends"),
        ('["python", "main.py"]', SERVE.format("0.0.0.0", 80), "skipped", "cannot be told from its source"),
        ('["python", "main.py"]', LOOP, "skipped", "the port that it binds to cannot be told"),
        ('["python", "main.py"]', FLASK + "app.run(host='0.0.0.0', port=81)\n", "critical", "it binds to 81"),
        ('["python", "main.py"]', FLASK + "app.run(port=80)\n", "critical", "listens at 127.0.0.1"),
        ('["python", "main.py"]', FLASK + "app.run(host='0.0.0.0', port=80)\n", "passed", "it serves at 80"),
    ],
)
def test_there_is_something_to_serve_at_the_port_that_is_exposed(
    tmp_path: Path, start: str, code: str, outcome: str, words: str
) -> None:
    expose = "EXPOSE 8000" if "gunicorn" in start else "EXPOSE 80"
    files = tree(start, f"{GUNICORN}\n{expose}", main=code)
    files = {**files, "Dockerfile": str(files["Dockerfile"]).replace('"gunicorn"', '"gunicorn", "-b", "0.0.0.0:8000"')}
    assert says(tmp_path, files, "entrypoint.app", outcome, words)


def test_what_starts_nothing_of_python_is_skipped_by_all_three(tmp_path: Path) -> None:
    judgment = judge_files(tmp_path, tree('["sleep", "9"]'))
    verdicts = {each.check: each.verdict for each in judgment.findings if each.check.startswith("entrypoint.")}
    assert {*verdicts} == {"entrypoint.exists", "entrypoint.imports", "entrypoint.app"}
    assert {*verdicts.values()} == {"skip"} and not critical(judgment)
