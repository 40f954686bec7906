"""Trees whose Dockerfile copies all, and starts as it is told."""

from __future__ import annotations

from tests.smoke.cases import Changes

LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"
FLASK = "from flask import Flask\n\napp = Flask(__name__)\n"
QUART = "from quart import Quart\n\napp = Quart(__name__)\n"
GUNICORN = "RUN pip install gunicorn uvicorn flask quart"
SERVE = "import http.server as h\n\nh.HTTPServer(('{}', {}), None).serve_forever()\n"


def tree(start: str, lines: str = "", **more: str | None) -> Changes:
    """Files beside a Dockerfile that copies all and starts as it is told; `__` in a name stands for a directory."""
    dockerfile = f"FROM python:3.12-slim\nWORKDIR /app\n{lines}\nCOPY . .\nCMD {start}\n"
    files: Changes = {"Dockerfile": dockerfile, "main.py": LOOP}
    for name, text in more.items():
        files = {**files, name.replace("__", "/") + ".py": text}
    return {name: text for name, text in files.items() if text is not None}
