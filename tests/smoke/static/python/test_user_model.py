"""The app of AUTH_USER_MODEL is one of those that are installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, critical, judge_files

MAIN = """\
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
import django

django.setup()
"""
HEAD = "FROM python:3.12-slim\nWORKDIR /srv\nRUN pip install django\nCOPY . .\n"


@pytest.mark.parametrize(
    ("apps", "model", "count"),
    [
        (["django.contrib.auth"], "accounts.User", 1),
        (["django.contrib.auth", "accounts"], "accounts.User", 0),
        (["django.contrib.auth"], "elsewhere.User", 0),
        (["django.contrib.sessions"], "accounts.User", 0),
    ],
)
def test_the_app_of_the_user_model(tmp_path: Path, apps: list[str], model: str, count: int) -> None:
    files: Changes = {
        "Dockerfile": f'{HEAD}CMD ["python", "main.py"]\n',
        "main.py": MAIN,
        "shop/__init__.py": "",
        "shop/settings.py": f"SECRET_KEY = 'x'\nINSTALLED_APPS = {apps}\nAUTH_USER_MODEL = '{model}'\n",
        "accounts/__init__.py": "",
        "accounts/models.py": "",
    }
    found = critical(judge_files(tmp_path, files))
    assert sum("no app of INSTALLED_APPS is called accounts" in each.message for each in found) == count
