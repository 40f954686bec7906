"""Strings that name modules, or things in modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "\nimport time\n\nwhile True:\n    time.sleep(1)\n"
HEAD = 'FROM python:3.12-slim\nWORKDIR /srv\n{}\nCOPY . .\nCMD ["python", "main.py"]\n'


def tree(main: str, lines: str = "", **more: str) -> Changes:
    """A script that is started, with modules beside it: `p_a` is `p/a.py`, and `p_` the package itself."""
    modules = {f"{name.replace('_', '/')}.py".replace("/.py", "/__init__.py"): text for name, text in more.items()}
    return {"Dockerfile": HEAD.format(lines), "main.py": main + LOOP, **modules}


APPS = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'conf')\nimport django\ndjango.setup()"
CASES = [
    ("INSTALLED_APPS = ['shop']", {"shop_": ""}, "passed", ""),
    ("INSTALLED_APPS = ['shpo']", {"shop_": ""}, "passed", ""),
    ("INSTALLED_APPS = ['shop.lost']", {"shop_": ""}, "critical", "INSTALLED_APPS names shop.lost"),
    (
        "INSTALLED_APPS = ['shop.apps.ShopConfig']",
        {"shop_": "", "shop_apps": "class ShopConfig: ..."},
        "passed",
        "",
    ),
    (
        "INSTALLED_APPS = ['shop.apps.Config']",
        {"shop_": "", "shop_apps": "x = 1"},
        "critical",
        "defines no Config",
    ),
    ("INSTALLED_APPS = ['shop']", {"shop_": "", "shop_models": "import shop.lost"}, "critical", "shop.lost"),
    ("MIDDLEWARE = ['shop.ware.W']", {"shop_": "", "shop_ware": ""}, "critical", "defines no W"),
    ("ROOT_URLCONF = 'shop.urls'", {"shop_": ""}, "critical", "ROOT_URLCONF names shop.urls"),
]


@pytest.mark.parametrize(("settings", "more", "outcome", "words"), CASES)
def test_settings(tmp_path: Path, settings: str, more: dict[str, str], outcome: str, words: str) -> None:
    files = tree(APPS, "RUN pip install django", conf=f"SECRET_KEY = 'x'\n{settings}\n", **more)
    assert says(tmp_path, files, "entrypoint.imports", outcome, words)


def test_an_app_is_loaded_by_the_name_that_its_configuration_says(tmp_path: Path) -> None:
    config = "from django.apps import AppConfig\nclass C(AppConfig):\n    name = 'shop.lost'\n"
    more = {"conf": "SECRET_KEY = 'x'\nINSTALLED_APPS = ['shop']\n", "shop_": "", "shop_apps": config}
    files = tree(APPS, "RUN pip install django", **more)
    assert says(tmp_path, files, "entrypoint.imports", "critical", "AppConfig.name names shop.lost")
