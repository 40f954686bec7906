"""What a part of a framework needs, and the framework itself does not bring."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "\nimport time\n\nwhile True:\n    time.sleep(1)\n"


def tree(code: str, lines: str = "", base: str = "python:3.12-slim", **more: str) -> Changes:
    """A script that is started, and the lines of the Dockerfile that stand between FROM and COPY."""
    dockerfile = f'FROM {base}\nWORKDIR /srv\n{lines}\nCOPY . .\nCMD ["python", "main.py"]\n'
    return {"Dockerfile": dockerfile, "main.py": code + LOOP, **more}


FASTAPI = "RUN pip install fastapi uvicorn"
FORM = "from fastapi import FastAPI, Form\napp = FastAPI()\n@app.post('/')\ndef take(name: str = Form()): ...\n"
CASES = [
    ("from fastapi.testclient import TestClient", FASTAPI, "critical", "needs httpx"),
    ("from fastapi.testclient import TestClient", f"{FASTAPI} httpx", "passed", ""),
    (FORM, FASTAPI, "critical", "Form needs python-multipart"),
    (FORM, f"{FASTAPI} python-multipart", "passed", ""),
    (FORM.replace(" = Form()", ""), FASTAPI, "passed", ""),
    ("def late():\n    from fastapi.testclient import TestClient", FASTAPI, "passed", ""),
    (
        "from sqlalchemy import create_engine\ncreate_engine('postgresql+asyncpg://db/x')",
        "RUN pip install sqlalchemy",
        "critical",
        "asyncpg",
    ),
]


@pytest.mark.parametrize(("code", "lines", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, code: str, lines: str, outcome: str, words: str) -> None:
    assert says(tmp_path, tree(code, lines), "dependencies.declared", outcome, words)


ENGINE = "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql'}}\nSECRET_KEY = 'x'\n"


@pytest.mark.parametrize(
    ("lines", "outcome"), [("", "critical"), (" psycopg", "passed"), (" psycopg2-binary", "passed")]
)
def test_an_engine_of_django_needs_one_of_its_drivers(tmp_path: Path, lines: str, outcome: str) -> None:
    code = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_settings')\nimport django\ndjango.setup()"
    files = tree(code, f"RUN pip install django{lines}", **{"site_settings.py": ENGINE})
    assert says(
        tmp_path, files, "dependencies.declared", outcome, "psycopg2 or psycopg" if outcome == "critical" else ""
    )
