"""What Django's commands refuse."""

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
HEAD = (
    "FROM python:3.12-slim\nWORKDIR /srv\nRUN pip install django celery django-celery-beat django-crontab\nCOPY . .\n"
)
SETTINGS = "SECRET_KEY = 'x'\nDEBUG = True\nALLOWED_HOSTS = []\nINSTALLED_APPS = ['shop']\n"
JOB = "from django.core.management.base import BaseCommand\n\n\nclass Command(BaseCommand):\n    pass\n"


def told(folder: Path, start: str, settings: str = SETTINGS, **more: str) -> list[str]:
    files: Changes = {
        "Dockerfile": f"{HEAD}CMD {start}\n",
        "manage.py": MANAGE,
        "shop/__init__.py": "",
        "shop/settings.py": settings,
        "shop/management/commands/sync_prices.py": JOB,
        **{name.replace("__", "/") + ".py": text for name, text in more.items()},
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


CELERY = """\
import os
from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
app = Celery("shop", broker="memory://")
"""


@pytest.mark.parametrize(("apps", "count"), [("['shop']", 1), ("['shop', 'django_celery_beat']", 0)])
def test_a_scheduler_of_an_app(tmp_path: Path, apps: str, count: int) -> None:
    start = "celery -A shop.jobs beat -s /tmp/x -S django_celery_beat.schedulers:DatabaseScheduler"
    settings = SETTINGS.replace("['shop']", apps)
    assert sum("INSTALLED_APPS" in each for each in told(tmp_path, start, settings, shop__jobs=CELERY)) == count
