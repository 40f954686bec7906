"""What Django's `manage.py` refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, outcomes

MANAGE = """\
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
"""
HEAD = "FROM python:3.12-slim\nWORKDIR /srv\nRUN pip install django django-crontab\nCOPY . .\n"
SETTINGS = "SECRET_KEY = 'x'\nDEBUG = True\nALLOWED_HOSTS = []\nINSTALLED_APPS = ['shop']\n"
JOB = "from django.core.management.base import BaseCommand\n\n\nclass Command(BaseCommand):\n    pass\n"


def told(folder: Path, start: str, settings: str) -> list[str]:
    files: Changes = {
        "Dockerfile": f"{HEAD}CMD {start}\n",
        "manage.py": MANAGE,
        "shop/__init__.py": "",
        "shop/settings.py": settings,
        "shop/management/commands/sync_prices.py": JOB,
    }
    return [message for kind, message in outcomes(folder, files, "startup.files") if kind == "critical"]


@pytest.mark.parametrize(
    ("start", "settings", "says"),
    [
        ("python manage.py sync_prices", SETTINGS, ""),
        ("python manage.py syncprices", SETTINGS, "sync_prices is one"),
        ("python manage.py elsewhere", SETTINGS, "no command elsewhere"),
        ("python manage.py elsewhere", SETTINGS.replace("'shop'", "'shop', 'django_crontab'"), ""),
        ("python manage.py $WHAT", SETTINGS, ""),
        ("python manage.py migrations && exec python manage.py runserver", SETTINGS, "no command migrations"),
        ("python manage.py runsever", SETTINGS, "runserver is one"),
        ("python manage.py runserver 0.0.0.0:80", SETTINGS, ""),
        ("python manage.py runserver 0.0.0.0:80", SETTINGS.replace("True", "False"), "ALLOWED_HOSTS"),
        ("python manage.py runserver 0.0.0.0:80", SETTINGS.replace("True", "False").replace("[]", "['*']"), ""),
        ("python manage.py runserver 0.0.0.0:80", SETTINGS.replace("True", "not PRODUCTION", 1), ""),
    ],
)
def test_manage(tmp_path: Path, start: str, settings: str, says: str) -> None:
    found = [each for each in told(tmp_path, start, settings) if "command" in each or "ALLOWED" in each]
    assert [says in each for each in found] == ([True] if says else found)
