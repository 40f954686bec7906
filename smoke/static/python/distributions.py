"""What is known of distributions by name: the modules they bring, what they need, their programs, their machines.

From `tables/distributions.json` (dated; `tables/make_distributions.py` derives it) and the few facts below."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from smoke.static.python.known_needs import KNOWN_NEEDS

_MODULES = {
    "argon2-cffi-bindings": ("_argon2_cffi_bindings",),
    "falcon": ("falcon",),
    "flask-marshmallow": ("flask_marshmallow",),
    "peewee-migrate": ("peewee_migrate",),
    "pony": ("pony",),
    "pyttsx3": ("pyttsx3",),
    "types-python-dateutil": (),
    "backports-zoneinfo": ("backports",),
    "fastapi-slim": ("fastapi",),
    "gpiozero": ("gpiozero",),
    "paho-mqtt": ("paho",),
    "pyserial": ("serial",),
    "rpi-gpio": ("RPi",),
    "smbus": ("smbus",),
    "smbus2": ("smbus2",),
    "spidev": ("spidev",),
}
"""Top-level modules of distributions that the table does not have."""
_PROGRAMS = {
    "waitress-serve": "waitress",
    "django-admin": "django",
    "fastapi": "fastapi-cli",
    "airflow": "apache-airflow",
    "jupyter": "jupyter-core",
    "jupyter-lab": "jupyterlab",
    "aws": "awscli",
    "supervisord": "supervisor",
    "opentelemetry-instrument": "opentelemetry-instrumentation",
    "ddtrace-run": "ddtrace",
    "newrelic-admin": "newrelic",
    "sphinx-build": "sphinx",
    "http": "httpie",
    "watchmedo": "watchdog",
    "huey_consumer": "huey",
    "rqworker": "rq",
    "superset": "apache-superset",
    "circusd": "circus",
    "dbt": "dbt-core",
    "wait-for-it": "wait-for-it",
    "arq": "arq",
    "uwsgi": "uwsgi",
    "py.test": "pytest",
    "jupyter-notebook": "notebook",
    "flower": "flower",
}
"""Programs that are not called as their distribution is."""
_SAME_NAME = frozenset(
    [
        *["uvicorn", "gunicorn", "hypercorn", "daphne", "granian", "celery", "flask", "streamlit", "alembic", "quart"],
        *["pytest", "scrapy", "locust", "mlflow", "prefect", "chainlit", "gradio", "bokeh", "panel", "solara", "sanic"],
        *["mkdocs", "honcho", "dramatiq", "taskiq", "rq", "poetry", "pdm", "pipenv", "uv", "ansible", "dagster"],
        *[
            "litestar",
            "robyn",
            "voila",
            "mypy",
            "black",
            "ruff",
            "tox",
            "nox",
            "virtualenv",
            "supervisor",
            "watchfiles",
        ],
        *["coverage", "debugpy"],
    ]
)
_SHARED = frozenset(
    {
        "google",
        "azure",
        "zope",
        "backports",
        "jaraco",
        "opentelemetry",
        "sphinxcontrib",
        "airflow",
        "ruamel",
        "zc",
        "paste",
        "mpl_toolkits",
        "nvidia",
        "snowflake",
        "langchain",
        "llama_index",
    }
)
"""Top-level modules that many distributions share."""
_EVERYWHERE = frozenset(
    {
        "six",
        "attrs",
        "typing-extensions",
        "packaging",
        "python-dateutil",
        "pytz",
        "certifi",
        "idna",
        "importlib-metadata",
        "setuptools",
        "zipp",
        "wrapt",
        "decorator",
        "pyparsing",
        "future",
        "urllib3",
        "chardet",
        "simplejson",
        "tzdata",
        "cached-property",
        "toml",
        "tomli",
        "cffi",
    }
)
"""What so many others need, in one version or another, that its absence from a list shows nothing."""
_AGAIN = {
    "asyncore": ["pyasyncore"],
    "asynchat": ["pyasynchat"],
    "cgi": ["legacy-cgi"],
    "cgitb": ["legacy-cgi"],
    "distutils": ["setuptools"],
    "pkg_resources": ["setuptools"],
    "crypt": ["crypt-r", "legacycrypt"],
}
"""Distributions that bring back what the standard library lost."""
_NO_ARM = frozenset(
    [
        "intel-openmp",
        "mkl",
        "tensorflow-gpu",
        "mkl-fft",
        "mkl-random",
        "mkl-service",
        "tbb",
        "daal4py",
        "decord",
        "intel-numpy",
    ]
)
_PURE_HERE = frozenset(["motor", "quart", "quart-trio", "trio", "streamlit", "rfc8785", "simpy", "structlog"])
_WHEELS_HERE = frozenset(
    [
        *["pydantic-core", "pymongo", "pynacl", "cryptography", "cffi", "msgspec", "blake3", "zstandard", "numpy"],
        *[
            "uvloop",
            "httptools",
            "aiohttp",
            "orjson",
            "msgpack",
            "pyyaml",
            "pillow",
            "psutil",
            "pyzmq",
            "grpcio",
            "lxml",
        ],
        *["bcrypt", "argon2-cffi-bindings", "hiredis", "pycryptodome", "psycopg2-binary", "psycopg-binary"],
    ]
)
"""Distributions with machine code and wheels for both processors, beside those of the table."""
SHARED_LIBRARIES = {
    "psycopg2": (("libpq.so.5",), "libpq5", "libpq"),
    "psycopg": (("libpq.so.5",), "libpq5", "libpq"),
    "mysqlclient": (("libmariadb.so.3", "libmysqlclient.so.21"), "libmariadb3", "mariadb-connector-c"),
    "opencv-python": (("libGL.so.1",), "libgl1", "mesa-gl"),
    "opencv-contrib-python": (("libGL.so.1",), "libgl1", "mesa-gl"),
    "ultralytics": (("libGL.so.1",), "libgl1", "mesa-gl"),
    "python-magic": (("libmagic.so.1",), "libmagic1", "libmagic"),
    "weasyprint": (("libpango-1.0.so.0",), "libpango-1.0-0", "pango"),
    "pycairo": (("libcairo.so.2",), "libcairo2", "cairo"),
    "cairosvg": (("libcairo.so.2",), "libcairo2", "cairo"),
    "cairocffi": (("libcairo.so.2",), "libcairo2", "cairo"),
    "python-ldap": (("libldap.so.2",), "libldap-2.5-0", "libldap"),
    "lightgbm": (("libgomp.so.1",), "libgomp1", "libgomp"),
    "pyzbar": (("libzbar.so.0",), "libzbar0", "zbar"),
    "xmlsec": (("libxmlsec1.so.1",), "libxmlsec1", "xmlsec"),
    "pyodbc": (("libodbc.so.2",), "unixodbc", "unixodbc"),
    "pycurl": (("libcurl.so.4",), "libcurl4", "libcurl"),
    "sounddevice": (("libportaudio.so.2",), "libportaudio2", "portaudio"),
    "soundfile": ((), "", ""),
}
"""Distributions that load a library of the system: its names, the Debian package (or one) and the Alpine one."""


BUNDLED = {"psycopg": ("psycopg-binary", "psycopg-c"), "ultralytics": ("opencv-python-headless",)}
"""Distributions that bring the library that another one would load from the system."""


def normalized(name: str) -> str:
    """A distribution's name as PyPI compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def _table() -> dict[str, dict[str, Any]]:
    text = Path(__file__).with_name("tables").joinpath("distributions.json").read_text("utf-8")
    table: dict[str, dict[str, Any]] = json.loads(text)["distributions"]
    return table


@cache
def _bringers() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name in (*_table(), *(each for each in _MODULES if each not in _table())):
        for module in modules(name) or ():
            found.setdefault(module, []).append(name)
    for module, names in _AGAIN.items():
        found[module] = [*names, *(each for each in found.get(module, []) if each not in names)]
    return {module: tuple(names) for module, names in found.items()}


def modules(name: str) -> tuple[str, ...] | None:
    """The top-level modules that a distribution brings; none when it is not known."""
    row = _table().get(name)
    if row is None or name in _MODULES:
        return _MODULES.get(name)
    return tuple(row["modules"]) if "modules" in row else (name.replace("-", "_"),)


def bringers(module: str) -> tuple[str, ...]:
    """The known distributions that bring a top-level module."""
    return _bringers().get(module, ())


def candidates(module: str) -> list[str]:
    """Distributions that could bring a top-level module, normalized; the known ones first."""
    plain = normalized(module)
    return list(dict.fromkeys([*bringers(module), plain, f"python-{plain}", f"py{plain}", f"{plain}-python"]))


def needs(name: str, extras: Iterable[str] = ()) -> list[str] | None:
    """What a distribution needs, on Linux, with these extras; none when that is not known."""
    row = _table().get(name, {})
    told = KNOWN_NEEDS.get(name)
    found = row.get("needs", None if told is None else told.split())
    if found is None:
        return None
    known = {normalized(key): value for key, value in row.get("extras", {}).items()}
    wanted = [normalized(each) for each in extras]
    if name in ("celery", "kombu", "channels"):
        found = [*found, *(each for each in wanted if each in ("redis", "gevent", "eventlet", "sqs"))]
        wanted = [each for each in wanted if each in known]
    if any(each not in known for each in wanted):
        return None
    return [*found, *(each for extra in wanted for each in known[extra])]


MISNAMED = frozenset({"waitress", "django", "huey", "ddtrace", "opentelemetry", "newrelic"})
"""Distributions whose programs all have another name than they: waitress-serve, django-admin, ddtrace-run."""


def program_of(name: str) -> str:
    """The distribution that brings a program of that name; empty when it is not known."""
    return _PROGRAMS.get(name) or (name if name in _SAME_NAME else "")


def shared_name(module: str) -> bool:
    """Whether a top-level module is one that many distributions put parts into."""
    return module in _SHARED or len(bringers(module)) > 4


_PARTS = {
    **{
        f"google.cloud.{module}": f"google-cloud-{module.replace('_', '-')}"
        for module in (
            *("storage", "bigquery", "firestore", "vision", "speech", "kms", "spanner", "datastore", "texttospeech"),
            *("language", "monitoring", "dialogflow", "compute", "container", "functions", "scheduler", "run", "tasks"),
            *("pubsub", "logging", "translate", "videointelligence", "documentai", "error_reporting", "bigtable"),
        )
    },
    **{"google.cloud.pubsub_v1": "google-cloud-pubsub", "google.cloud.secretmanager": "google-cloud-secret-manager"},
    **{
        "google.genai": "google-genai",
        "google.generativeai": "google-generativeai",
        "google.cloud.ndb": "google-cloud-ndb",
    },
    **{"google.cloud.tasks_v2": "google-cloud-tasks", "google.cloud.translate_v2": "google-cloud-translate"},
    **{
        f"azure.{module}": f"azure-{module.replace('.', '-')}"
        for module in (
            *("identity", "storage.blob", "storage.queue", "storage.fileshare", "cosmos", "servicebus", "eventhub"),
            *("keyvault.secrets", "keyvault.keys", "data.tables", "search.documents", "ai.formrecognizer", "functions"),
        )
    },
}
"""Parts of packages that many distributions share, with the one that brings each."""
_BRING_OTHERS = frozenset({"google-cloud-aiplatform", "google-cloud-ndb", "google-cloud-logging", "azure-ai-ml"})


def part_of(dotted: str) -> str:
    """The distribution that brings a part of a package that many share; empty when it is not known."""
    parts = dotted.split(".")
    return next((_PARTS[name] for end in range(len(parts), 1, -1) if (name := ".".join(parts[:end])) in _PARTS), "")


def brings_alone(name: str) -> bool:
    """Whether a distribution of such a family brings no part of another's."""
    return name.startswith(("google-cloud-", "azure-", "google-genai")) and name not in _BRING_OTHERS


def everywhere(name: str) -> bool:
    """Whether so much needs a distribution that its absence from a list shows nothing."""
    return name in _EVERYWHERE


def compiled(name: str) -> bool | None:
    """Whether a distribution holds machine code, and so fits one version of Python and one processor; none: unknown."""
    made = _table().get(name, {}).get("made")
    if name in _NO_ARM or name in _WHEELS_HERE:
        return True
    return {"any": False, "linux": True, "x86_64": True}.get(made or "", False if name in _PURE_HERE else None)


def on_arm64(name: str) -> bool | None:
    """Whether a distribution is known to be pure or to have aarch64 wheels; none when nothing is known."""
    if name in _NO_ARM:
        return False
    made = _table().get(name, {}).get("made")
    known = made in ("any", "linux") or name in _PURE_HERE or name in _WHEELS_HERE
    return True if known else None
