"""Entry scripts and servers: what is executed in the end, where it listens, and what it needs."""

from __future__ import annotations

from tests.smoke.cases import Case, Changes, Content, Files, Script
from tests.smoke.corpus.files import POLICY

APP = "from fastapi import FastAPI\n\napp = FastAPI()\n"
WSGI = "from flask import Flask\n\napp = Flask(__name__)\n"
WORKER = "import time\n\nwhile True:\n    time.sleep(1)\n"


def served(
    command: str, main: str = APP, install: str = "fastapi uvicorn", port: int = 8000, **more: str
) -> dict[str, Content]:
    """A tree that serves an app by a command in exec form."""
    words = ", ".join(f'"{word}"' for word in command.split())
    dockerfile = (
        f"FROM python:3.12-slim\nWORKDIR /srv\nRUN pip install {install}\nCOPY . .\nEXPOSE {port}\nCMD [{words}]\n"
    )
    others = {name.replace("__", "/").replace("_py", ".py"): text for name, text in more.items()}
    return {"Dockerfile": dockerfile, "main.py": main, "smoke.toml": POLICY, **others}


def entered(script: Content, command: str = '["python", "main.py"]', extra: str = "") -> dict[str, Content]:
    """A tree with an entry script before its command."""
    dockerfile = (
        f"FROM python:3.12-slim\nWORKDIR /srv\n{extra}COPY main.py .\nCOPY entry.sh /entry.sh\n"
        f'ENTRYPOINT ["/entry.sh"]\nCMD {command}\n'
    )
    return {"Dockerfile": dockerfile, "main.py": WORKER, "entry.sh": script, "smoke.toml": POLICY}


def broken_by(healthy: Files, broken: Files) -> Changes:
    """What differs between two trees."""
    return {path: text for path, text in broken.items() if healthy.get(path) != text}


def run_by(command: str, install: str = "fastapi uvicorn") -> dict[str, Content]:
    """A tree that serves an app by a CMD as it is written."""
    dockerfile = (
        f"FROM python:3.12-slim\nWORKDIR /srv\nRUN pip install {install}\nCOPY . .\nEXPOSE 8000\nCMD {command}\n"
    )
    return {"Dockerfile": dockerfile, "main.py": APP, "smoke.toml": POLICY}


About = tuple[str, str, str]
PAIRS: tuple[tuple[str, Files, Files, About], ...] = (
    (
        "uvicorn-without-the-app",
        served("uvicorn main:app --host 0.0.0.0"),
        served("uvicorn main --host 0.0.0.0"),
        ("dockerfile.entrypoint", "MODULE:APP", "uvicorn is given a module alone"),
    ),
    (
        "uvicorn-other-name",
        served("uvicorn main:app --host 0.0.0.0"),
        served("uvicorn main:application --host 0.0.0.0"),
        ("entrypoint.app", "application", "the app has another name"),
    ),
    (
        "uvicorn-on-loopback",
        served("uvicorn main:app --host 0.0.0.0"),
        served("uvicorn main:app"),
        ("entrypoint.app", "127.0.0.1", "uvicorn listens at loopback unless told otherwise"),
    ),
    (
        "uvicorn-factory",
        served("uvicorn --factory main:make --host 0.0.0.0", APP + "\n\ndef make():\n    return app\n"),
        served("uvicorn --factory main:build --host 0.0.0.0", APP + "\n\ndef make():\n    return app\n"),
        ("entrypoint.app", "build", "the factory has another name"),
    ),
    (
        "gunicorn-port",
        served("gunicorn -b 0.0.0.0:8080 main:app", WSGI, "flask gunicorn", 8080),
        served("gunicorn -b 0.0.0.0:8000 main:app", WSGI, "flask gunicorn", 8080),
        ("entrypoint.app", "8000", "gunicorn binds to a port that is not exposed"),
    ),
    (
        "gunicorn-default-name",
        served("gunicorn -b :8000 main", WSGI.replace("app =", "application ="), "flask gunicorn"),
        served("gunicorn -b :8000 main", WSGI, "flask gunicorn"),
        ("entrypoint.app", "application", "gunicorn looks for application when no name is given"),
    ),
    (
        "gunicorn-worker-class",
        served("gunicorn -k gevent -b :8000 main:app", WSGI, "flask gunicorn gevent"),
        served("gunicorn -k gevent -b :8000 main:app", WSGI, "flask gunicorn"),
        ("dependencies.declared", "gevent", "the worker class needs a distribution that is not installed"),
    ),
    (
        "gunicorn-uvicorn-worker",
        served("gunicorn -k uvicorn.workers.UvicornWorker -b :8000 main:app", APP, "fastapi uvicorn gunicorn"),
        served("gunicorn -k uvicorn.workers.UvicornWorker -b :8000 main:app", APP, "fastapi gunicorn"),
        ("dependencies.declared", "uvicorn", "the worker class is uvicorn's, which is not installed"),
    ),
    (
        "gunicorn-config-elsewhere",
        served("gunicorn -c conf/g.py main:app", WSGI, "flask gunicorn", conf__g_py="bind = '0.0.0.0:8000'\n"),
        served("gunicorn -c conf/gunicorn.py main:app", WSGI, "flask gunicorn", conf__g_py="bind = '0.0.0.0:8000'\n"),
        ("dockerfile.entrypoint", "conf/gunicorn.py", "the configuration file has another name"),
    ),
    (
        "hypercorn-worker",
        served("hypercorn -k trio -b 0.0.0.0:8000 main:app", APP, "fastapi hypercorn trio"),
        served("hypercorn -k trio -b 0.0.0.0:8000 main:app", APP, "fastapi hypercorn"),
        ("dependencies.declared", "trio", "hypercorn's trio worker needs trio"),
    ),
    (
        "waitress-needs-a-name",
        served("waitress-serve --listen=*:8000 main:app", WSGI, "flask waitress"),
        served("waitress-serve --listen=*:8000 main", WSGI, "flask waitress"),
        ("dockerfile.entrypoint", "MODULE:APP", "waitress takes MODULE:APP"),
    ),
    (
        "celery-module",
        served("celery -A main worker", "from celery import Celery\n\napp = Celery('main')\n", "celery"),
        served("celery -A tasks worker", "from celery import Celery\n\napp = Celery('main')\n", "celery"),
        ("entrypoint.exists", "tasks", "celery is told a module that is not there"),
    ),
    (
        "flask-run-host",
        served("flask --app main run --host 0.0.0.0 --port 8000", WSGI, "flask"),
        served("flask --app main run --port 8000", WSGI, "flask"),
        ("entrypoint.app", "127.0.0.1", "flask run listens at loopback unless told otherwise"),
    ),
    (
        "script-on-loopback",
        served("python main.py", "import uvicorn\n\n" + APP + "\nuvicorn.run(app, host='0.0.0.0', port=8000)\n"),
        served("python main.py", "import uvicorn\n\n" + APP + "\nuvicorn.run(app, port=8000)\n"),
        ("entrypoint.app", "127.0.0.1", "uvicorn.run listens at loopback unless told otherwise"),
    ),
    (
        "streamlit-script",
        served("streamlit run main.py --server.port 8000", "import streamlit as st\n\nst.title('x')\n", "streamlit"),
        served("streamlit run app.py --server.port 8000", "import streamlit as st\n\nst.title('x')\n", "streamlit"),
        ("dockerfile.entrypoint", "app.py", "streamlit is to run a file that is not there"),
    ),
    (
        "entry-script-not-executable",
        entered(Script('#!/bin/sh\nset -e\nexec "$@"\n')),
        entered('#!/bin/sh\nset -e\nexec "$@"\n'),
        ("dockerfile.entrypoint", "not executable", "the entry script lost its bit"),
    ),
    (
        "entry-script-with-carriage-returns",
        entered(Script('#!/bin/sh\nexec "$@"\n')),
        entered(Script('#!/bin/sh\r\nexec "$@"\r\n')),
        ("dockerfile.entrypoint", "carriage return", "the entry script was checked out on Windows"),
    ),
    (
        "entry-script-execs-what-is-not-there",
        entered(Script("#!/bin/sh\nset -e\nexec python /srv/main.py\n")),
        entered(Script("#!/bin/sh\nset -e\nexec python /srv/server.py\n")),
        ("dockerfile.entrypoint", "/srv/server.py", "the script's last line names another file"),
    ),
    (
        "entry-script-passes-the-command-on",
        entered(Script('#!/bin/sh\nset -e\nexport MODE=prod\nexec "$@"\n')),
        entered(Script('#!/bin/sh\nset -e\nexport MODE=prod\nexec "$@"\n'), '["python", "worker.py"]'),
        ("dockerfile.entrypoint", "worker.py", "the command that it passes on names another file"),
    ),
    (
        "shell-form-of-several-commands",
        run_by("alembic upgrade head && uvicorn main:app --host 0.0.0.0", "fastapi uvicorn alembic"),
        run_by("alembic upgrade head && uvicorn main:app --host 0.0.0.0"),
        ("dockerfile.entrypoint", "alembic", "what has to run first is not installed"),
    ),
    (
        "variable-with-a-default",
        run_by("uvicorn main:app --host 0.0.0.0 --port ${PORT:-8000}"),
        run_by("uvicorn main:app --host 0.0.0.0 --port ${PORT:-80}"),
        ("entrypoint.app", "80", "the port's default is not the exposed one"),
    ),
    (
        "single-quotes-in-exec-form",
        run_by('["uvicorn", "main:app", "--host", "0.0.0.0"]'),
        run_by("['uvicorn', 'main:app', '--host', '0.0.0.0']"),
        ("dockerfile.entrypoint", "double quotes", "single quotes make it a shell's command"),
    ),
    (
        "project-script",
        {
            "Dockerfile": 'FROM python:3.12-slim\nWORKDIR /build\nCOPY . .\nRUN pip install .\nCMD ["ticker"]\n',
            "pyproject.toml": '[project]\nname = "ticker"\nversion = "1"\n[project.scripts]\nticker = "ticker.cli:main"\n[build-system]\nrequires = ["hatchling"]\n',
            "src/ticker/__init__.py": "",
            "src/ticker/cli.py": "def main():\n    print('tick')\n",
            "smoke.toml": POLICY,
        },
        {
            "Dockerfile": 'FROM python:3.12-slim\nWORKDIR /build\nCOPY . .\nRUN pip install .\nCMD ["ticker"]\n',
            "pyproject.toml": '[project]\nname = "ticker"\nversion = "1"\n[project.scripts]\nticker = "ticker.cli:run"\n[build-system]\nrequires = ["hatchling"]\n',
            "src/ticker/__init__.py": "",
            "src/ticker/cli.py": "def main():\n    print('tick')\n",
            "smoke.toml": POLICY,
        },
        ("entrypoint.app", "run", "the project's script calls a function that is not there"),
    ),
)
CASES = tuple(
    Case(name, healthy, broken_by(healthy, broken), check=about[0], says=about[1], fault=about[2])
    for name, healthy, broken, about in PAIRS
)
