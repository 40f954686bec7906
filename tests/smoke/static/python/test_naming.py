"""Modules that are named by text as a module is loaded."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.effects import Effects
from smoke.static.python.loading import read_effects


def effects(text: str) -> Effects:
    """What a module does as it is loaded."""
    return read_effects(ast.parse(text), text.encode(), (3, 12))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("from celery import Celery\napp = Celery('x', include=['a.tasks', 'b'])", ["a.tasks", "b"]),
        ("from celery import Celery\napp = Celery('x')\napp.conf.update(imports=('a',))", ["a"]),
        ("from celery import Celery\napp = Celery('x')\napp.conf.imports = ['a']", ["a"]),
        ("app.conf.imports = ['a']\nimport os\nos.environ", []),
        ("from django.urls import include\ninclude('shop.urls')", ["shop.urls"]),
        ("from django.urls import include\ninclude(('shop.urls', 'shop'))", ["shop.urls"]),
        ("from django.urls import include\ninclude(router.urls)", []),
        ("import uvicorn\nuvicorn.run('app.main:app')", ["app.main"]),
        ("import uvicorn\nuvicorn.run('app.main:app', app_dir='src')", []),
        ("import uvicorn\nuvicorn.run('app')", []),
        ("app.config.from_object('conf.Production')", ["conf.Production"]),
        ("app.config.from_object(f'conf.{name}')", []),
        ("from logging.config import dictConfig\ndictConfig({'h': {'class': 'own.Handler'}})", ["own.Handler"]),
        ("try:\n    import uvicorn\n    uvicorn.run('app:app')\nexcept Exception:\n    pass", []),
        ("def late():\n    import uvicorn\n    uvicorn.run('app:app')", []),
    ],
)
def test_modules_that_are_loaded_by_their_names(text: str, names: list[str]) -> None:
    assert [each.name for each in effects(text).named] == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("INSTALLED_APPS = ['a', 'b.apps.BConfig']", ["a", "b.apps.BConfig"]),
        ("INSTALLED_APPS = ['a']\nINSTALLED_APPS += ['b']\nINSTALLED_APPS.append('c')", ["a", "b", "c"]),
        ("MIDDLEWARE = ['a.M', 'no module!']", ["a.M"]),
        ("DATABASES = {'default': {'ENGINE': 'own.backend', 'NAME': 'x.y'}}", ["own.backend"]),
        ("AUTH_USER_MODEL = 'users.User'", ["users.User"]),
        ("ROOT_URLCONF = 'site.urls'\nOTHER = 'not.a.setting'", ["site.urls"]),
    ],
)
def test_settings_of_django(text: str, names: list[str]) -> None:
    assert [each.name for each in effects(text).settings] == names


def test_the_settings_module_is_the_one_by_default() -> None:
    assert effects("import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'conf')").settings_module == "conf"
    other = effects("import os\nos.environ.setdefault('OTHER', 'conf')")
    assert not other.settings_module and other.gives_environment


def test_an_app_says_what_it_is_called() -> None:
    text = "from django.apps import AppConfig\nclass C(AppConfig):\n    name = 'shop'\n    label = 'x'\n"
    assert [each.name for each in effects(text).configs] == ["shop"]


def test_files_that_logging_opens_are_written() -> None:
    text = "import logging.config\nlogging.config.dictConfig({'h': {'filename': '/var/log/x'}})"
    assert [each.place.text for each in effects(text).files] == ["/var/log/x"]
