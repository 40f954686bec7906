"""All programs that well-known distributions bring, by their metadata (November 2026): what is not here may have more.

Any that a version of the last years had is named: one too many only makes a check more careful."""

from __future__ import annotations

_WITHOUT = """
    aio-pika aiofiles aiohappyeyeballs aiohttp aiomysql aiormq aiosignal aiosqlite amqp annotated-doc
    annotated-types anyio argon2-cffi argon2-cffi-bindings asgiref async-timeout asyncpg attrs bcrypt
    beautifulsoup4 billiard blinker boto3 cachetools certifi click click-plugins colorama
    cryptography databases deprecated django-cors-headers django-environ django-filter django-redis
    djangorestframework dnspython docker environs exceptiongroup fakeredis flask-cors flask-login flask-migrate
    flask-restful flask-sqlalchemy flask-wtf frozenlist fsspec google-auth greenlet grpcio h11 h2 hiredis hpack
    httpcore httptools hyperframe importlib-metadata itsdangerous jinja2 joblib kombu limits loguru lxml
    markupsafe marshmallow mdurl motor msgpack msgspec multidict mysqlclient networkx oauthlib openpyxl orjson
    outcome packaging paho-mqtt pamqp passlib pika pillow platformdirs ply prometheus-client prompt-toolkit
    propcache protobuf psutil psycopg psycopg-binary psycopg-pool psycopg2 psycopg2-binary pyasn1 pyasn1-modules
    pycparser pycryptodome pydantic pydantic-core pydantic-settings pydantic-extra-types pymongo pymysql
    pynacl pyopenssl pyparsing python-dateutil python-decouple python-jose python-json-logger
    python-multipart pytz pyyaml pyzmq redis requests requests-oauthlib rich s3transfer scikit-learn scipy
    sentry-sdk service-identity shellingham simplejson six sniffio sortedcontainers soupsieve sqlalchemy starlette
    structlog tenacity threadpoolctl toml tomli tomlkit tornado trio typing-extensions typing-inspection tzdata
    tzlocal ujson urllib3 uvloop vine wcwidth werkzeug whitenoise wrapt wsproto wtforms yarl zipp
    zstandard
"""
"""Distributions that bring no program."""
KNOWN_PROGRAMS: dict[str, str] = {
    **dict.fromkeys(_WITHOUT.split(), ""),
    "alembic": "alembic",
    "apscheduler": "",
    "botocore": "",
    "bottle": "bottle bottle.py",
    "brotli": "bro bro.py",
    "cffi": "cffi-gen-src",
    "celery": "celery",
    "charset-normalizer": "normalizer",
    "daphne": "daphne",
    "django": "django-admin django-admin.py",
    "email-validator": "email_validator",
    "fastapi": "fastapi",
    "fastapi-cli": "fastapi",
    "flask": "flask",
    "gunicorn": "gunicorn gunicorn_paster gunicornc",
    "httpx": "httpx",
    "hypercorn": "hypercorn",
    "idna": "idna",
    "jmespath": "jp.py",
    "jsonschema": "jsonschema",
    "mako": "mako-render",
    "markdown": "markdown_py",
    "markdown-it-py": "markdown-it",
    "markdown2": "markdown2 markdown2.py",
    "numpy": "f2py f2py3 numpy-config",
    "pandas": "",
    "peewee": "pwiz pwiz.py",
    "pygments": "pygmentize",
    "pyjwt": "pyjwt",
    "pyserial": "miniterm.py pyserial-miniterm pyserial-ports",
    "python-dotenv": "dotenv",
    "quart": "quart",
    "rsa": "pyrsa-decrypt pyrsa-encrypt pyrsa-keygen pyrsa-priv2pub pyrsa-sign pyrsa-verify",
    "sqlparse": "sqlformat",
    "tqdm": "tqdm",
    "typer": "typer",
    "uvicorn": "uvicorn",
    "waitress": "waitress-serve",
    "watchfiles": "watchfiles",
    "websocket-client": "wsdump wsdump.py",
    "websockets": "websockets",
}
"""Names of distributions, normalized, each with those of its programs."""


def surely_lack(distributions: set[str], program: str) -> bool:
    """Whether none of some distributions brings a program of that name."""
    return all(name in KNOWN_PROGRAMS and program not in KNOWN_PROGRAMS[name].split() for name in distributions)
