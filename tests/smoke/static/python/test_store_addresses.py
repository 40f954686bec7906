"""Addresses that code connects to: by texts, variables with defaults, constants of other modules, and settings."""

from __future__ import annotations

import pytest

from smoke.static.python.store_addresses import addresses
from smoke.static.python.texts import KnownTexts, settings_of

TOP = "import os\nimport redis\nimport psycopg2\nimport pymongo\nfrom sqlalchemy import create_engine\n"


def found(code: str, **others: str) -> list[tuple[str, int | None, tuple[str, ...]]]:
    known = settings_of({name: text.encode() for name, text in others.items()}) if others else KnownTexts()
    return [(each.address.host, each.address.port, each.variables) for each in addresses((TOP + code).encode(), known)]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("create_engine('postgresql://x@db:5432/y')", ("db", 5432, ())),
        ("create_engine(url='postgresql://db')", ("db", None, ())),
        ("create_engine(os.getenv('URL', 'postgresql://db'))", ("db", None, ("URL",))),
        ("create_engine(os.getenv('URL') or 'postgresql://db')", ("db", None, ("URL",))),
        ("URL = os.environ.get('URL', 'postgresql://db')\ncreate_engine(URL)", ("db", None, ("URL",))),
        ("HOST = os.getenv('HOST', 'db')\ncreate_engine(f'postgresql://{USER}@{HOST}/x')", ("db", None, ("HOST",))),
        ("redis.Redis()", ("localhost", None, ())),
        ("redis.Redis('cache', port=6380)", ("cache", 6380, ())),
        ("redis.from_url('redis://cache/0')", ("cache", None, ())),
        ("pymongo.MongoClient()", ("localhost", None, ())),
        ("psycopg2.connect(host='db', port=5432)", ("db", 5432, ())),
        ("app.config['SQLALCHEMY_DATABASE_URI'] = 'mysql://db/x'", ("db", None, ())),
        ("def f():\n    return redis.Redis('cache')", ("cache", None, ())),
        ("if __name__ == '__main__':\n    redis.Redis('cache')", ("cache", None, ())),
        (
            "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'HOST': os.getenv('DB', 'db')}}",
            ("db", None, ("DB",)),
        ),
    ],
)
def test_what_is_told(code: str, expected: tuple[str, int | None, tuple[str, ...]]) -> None:
    assert found(code) == [expected]


@pytest.mark.parametrize(
    "code",
    [
        "create_engine('sqlite:///x')",
        "create_engine(f'postgresql://x@{host}/y')",
        "redis.Redis(**settings)",
        "redis.Redis(unix_socket_path='/x')",
        "redis.Redis(host=settings)",
        "if os.getenv('LOCAL'):\n    redis.Redis('localhost')",
        "psycopg2.connect()",
        "URL = 'postgresql://a'\nURL = 'postgresql://b'\ncreate_engine(URL)",
        "def broken(:\n    'redis://x'",
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'HOST': 'localhost'}}",
    ],
)
def test_what_is_not(code: str) -> None:
    assert found(code) == []


def test_constants_and_settings_of_other_modules() -> None:
    config = "import os\nREDIS_URL = os.getenv('REDIS_URL', 'redis://localhost')\n"
    expected = [("localhost", None, ("REDIS_URL",))]
    assert found("from config import REDIS_URL\nredis.from_url(REDIS_URL)", config=config) == expected
    assert found("import config\nredis.from_url(config.REDIS_URL)", config=config) == expected
    assert found("redis.from_url(REDIS_URL)", one=config, other=config) == []
    settings = "class Settings(BaseSettings):\n    redis_url: str = 'redis://localhost'\n"
    [(host, _, variables)] = found("redis.from_url(settings.redis_url)", settings=settings)
    assert (host, "REDIS_URL" in variables) == ("localhost", True)
    prefixed = settings + "    model_config = SettingsConfigDict(env_prefix='APP_')\n"
    assert found("redis.from_url(settings.redis_url)", settings=prefixed) == []
