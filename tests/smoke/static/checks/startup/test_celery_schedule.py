"""The app whose scheduler celery beat uses is one that the settings name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, outcomes

JOBS = """\
import os
from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
app = Celery("shop", broker="memory://")
"""
HEAD = "FROM python:3.12-slim\nWORKDIR /srv\nRUN pip install django celery django-celery-beat\nCOPY . .\n"
SCHEDULER = " -S django_celery_beat.schedulers:DatabaseScheduler"


@pytest.mark.parametrize(
    ("scheduler", "apps", "count"),
    [
        (SCHEDULER, "['shop']", 1),
        (SCHEDULER, "['shop', 'django_celery_beat']", 0),
        ("", "['shop']", 0),
    ],
)
def test_a_scheduler_of_an_app(tmp_path: Path, scheduler: str, apps: str, count: int) -> None:
    files: Changes = {
        "Dockerfile": f"{HEAD}CMD celery -A shop.jobs beat -s /tmp/x{scheduler}\n",
        "shop/__init__.py": "",
        "shop/settings.py": f"SECRET_KEY = 'x'\nDEBUG = True\nALLOWED_HOSTS = []\nINSTALLED_APPS = {apps}\n",
        "shop/jobs.py": JOBS,
    }
    found = [message for kind, message in outcomes(tmp_path, files, "startup.files") if kind == "critical"]
    assert sum("INSTALLED_APPS" in each for each in found) == count
