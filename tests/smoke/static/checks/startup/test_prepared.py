"""Steps of the build that load Django's settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "\nimport time\n\nwhile True:\n    time.sleep(1)\n"


def tree(code: str, lines: str = "", base: str = "python:3.12-slim", **more: str) -> Changes:
    """A script that is started, and the lines of the Dockerfile that stand between FROM and COPY."""
    dockerfile = f'FROM {base}\nWORKDIR /srv\n{lines}\nCOPY . .\nCMD ["python", "main.py"]\n'
    return {"Dockerfile": dockerfile, "main.py": code + LOOP, **more}


MANAGE = """\
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conf")
from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
"""
STATIC = "SECRET_KEY = 'x'\nINSTALLED_APPS = ['django.contrib.staticfiles']\n"
DJANGO = "RUN pip install django\nCOPY . .\nRUN python manage.py collectstatic --noinput"


def django(settings: str, lines: str = DJANGO) -> Changes:
    """A project whose static files are collected as the image is built."""
    code = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'conf')\nimport django\ndjango.setup()"
    return tree(code, lines, **{"manage.py": MANAGE, "conf.py": settings})


@pytest.mark.parametrize(
    ("settings", "outcome", "words"),
    [
        (STATIC + "STATIC_ROOT = '/static'\n", "passed", ""),
        (STATIC, "critical", "needs STATIC_ROOT, which conf.py does not set"),
        ("SECRET_KEY = 'x'\n", "passed", ""),
    ],
)
def test_static_files_need_a_place(tmp_path: Path, settings: str, outcome: str, words: str) -> None:
    assert says(tmp_path, django(settings), "startup.files", outcome, words)


SECRET = "import os\nSECRET_KEY = os.environ['SECRET_KEY']\nSTATIC_ROOT = '/static'\n"


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        (DJANGO, "critical"),
        (DJANGO.replace("python manage", "SECRET_KEY=none python manage"), "skipped"),
        (f"ENV SECRET_KEY=none\n{DJANGO}", "passed"),
        ("RUN pip install django", "skipped"),
    ],
)
def test_a_step_needs_the_variables_of_the_settings(tmp_path: Path, lines: str, outcome: str) -> None:
    assert says(
        tmp_path, django(SECRET, lines), "startup.environment", outcome, "SECRET_KEY" if outcome != "passed" else ""
    )
