"""Healthy trees that imitate how well-kept projects build: none of them may cause an alarm."""

from __future__ import annotations

from tests.smoke.cases import Case, Content, Link, Script
from tests.smoke.corpus.files import POLICY

FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/health')\ndef health():\n    return {}\n"
FLASK = "from flask import Flask\n\napp = Flask(__name__)\n"
UV = "COPY --from=ghcr.io/astral-sh/uv:latest /uv /uvx /bin/\n"
PROJECT = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.12"
dependencies = ["fastapi", "uvicorn[standard]"]

[project.scripts]
shop = "shop.cli:main"

[dependency-groups]
dev = ["pytest"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""
PACKAGE: dict[str, Content] = {
    "pyproject.toml": PROJECT,
    "uv.lock": "version = 1\n",
    "src/shop/__init__.py": "",
    "src/shop/main.py": FASTAPI,
    "src/shop/cli.py": (
        "import uvicorn\n\n\ndef main():\n    uvicorn.run('shop.main:app', host='0.0.0.0', port=8000)\n"
    ),
}
FLAT: dict[str, Content] = {"app/__init__.py": "", "app/main.py": FASTAPI, "requirements.txt": "fastapi\nuvicorn\n"}
POETRY = """\
[tool.poetry]
name = "shop"
version = "1"
package-mode = false

[tool.poetry.dependencies]
python = "^3.12"
flask = "^3"
gunicorn = "^23"

[tool.poetry.group.dev.dependencies]
pytest = "^8"
"""
DJANGO: dict[str, Content] = {
    "manage.py": (
        "import os\nimport sys\n\n\ndef main():\n    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\n"
        "    from django.core.management import execute_from_command_line\n\n    execute_from_command_line(sys.argv)\n\n\n"
        "if __name__ == '__main__':\n    main()\n"
    ),
    "site1/__init__.py": "from .celery import app as celery_app\n\n__all__ = ('celery_app',)\n",
    "site1/celery.py": (
        "import os\n\nfrom celery import Celery\n\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\n"
        "app = Celery('site1')\napp.config_from_object('django.conf:settings', namespace='CELERY')\napp.autodiscover_tasks()\n"
    ),
    "site1/settings.py": (
        "from pathlib import Path\n\nBASE_DIR = Path(__file__).resolve().parent.parent\nSECRET_KEY = 'x'\n"
        "INSTALLED_APPS = ['django.contrib.auth', 'django.contrib.contenttypes', 'rest_framework', 'shop.apps.ShopConfig']\n"
        "MIDDLEWARE = ['django.middleware.common.CommonMiddleware', 'whitenoise.middleware.WhiteNoiseMiddleware']\n"
        "ROOT_URLCONF = 'site1.urls'\nWSGI_APPLICATION = 'site1.wsgi.application'\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql'}}\n"
    ),
    "site1/urls.py": "from django.urls import path\n\nurlpatterns = []\n",
    "site1/wsgi.py": (
        "import os\n\nfrom django.core.wsgi import get_wsgi_application\n\n"
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\napplication = get_wsgi_application()\n"
    ),
    "shop/__init__.py": "",
    "shop/apps.py": "from django.apps import AppConfig\n\n\nclass ShopConfig(AppConfig):\n    name = 'shop'\n",
    "shop/models.py": "from django.db import models\n\n\nclass Item(models.Model):\n    name = models.CharField(max_length=9)\n",
    "requirements.txt": "Django>=5\ndjangorestframework\nwhitenoise\ncelery[redis]\npsycopg[binary]\ngunicorn\n",
}

TREES: tuple[tuple[str, str, dict[str, Content]], ...] = (
    (
        "uv-in-two-layers",
        f"FROM python:3.12-slim\n{UV}WORKDIR /app\nENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy\n"
        "RUN --mount=type=cache,target=/root/.cache/uv --mount=type=bind,source=uv.lock,target=uv.lock"
        " --mount=type=bind,source=pyproject.toml,target=pyproject.toml uv sync --locked --no-install-project --no-dev\n"
        'COPY . /app\nRUN uv sync --locked --no-dev\nENV PATH="/app/.venv/bin:$PATH"\nENTRYPOINT []\nEXPOSE 8000\n'
        'CMD ["uvicorn", "shop.main:app", "--host", "0.0.0.0"]\n',
        PACKAGE,
    ),
    (
        "uv-multi-stage",
        f"FROM python:3.12-slim AS builder\n{UV}WORKDIR /app\nCOPY pyproject.toml uv.lock ./\n"
        "RUN uv sync --frozen --no-dev --no-install-project\nCOPY src src\nRUN uv sync --frozen --no-dev --no-editable\n"
        "FROM python:3.12-slim\nRUN groupadd -r app && useradd -r -g app app\n"
        'COPY --from=builder --chown=app:app /app/.venv /app/.venv\nENV PATH="/app/.venv/bin:$PATH"\nUSER app\nEXPOSE 8000\n'
        'CMD ["shop"]\n',
        PACKAGE,
    ),
    (
        "uv-run-command",
        f"FROM python:3.12-slim\n{UV}WORKDIR /app\nCOPY . .\nRUN uv sync --locked\nEXPOSE 8000\n"
        'CMD ["uv", "run", "--no-sync", "uvicorn", "shop.main:app", "--host", "0.0.0.0", "--port", "8000"]\n',
        PACKAGE,
    ),
    (
        "uv-image-as-base",
        "FROM ghcr.io/astral-sh/uv:python3.12-bookworm-slim\nWORKDIR /app\nCOPY . .\nRUN uv sync --locked --no-dev\n"
        'ENV PATH="/app/.venv/bin:$PATH"\nCMD ["shop"]\n',
        PACKAGE,
    ),
    (
        "uv-pip-system",
        f"FROM python:3.12-slim\n{UV}ENV UV_SYSTEM_PYTHON=1\nWORKDIR /srv\nCOPY requirements.txt .\n"
        "RUN uv pip install --no-cache -r requirements.txt\nCOPY app app\nEXPOSE 80\n"
        'CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "80"]\n',
        FLAT,
    ),
    (
        "pip-with-cache-mount",
        "# syntax=docker/dockerfile:1\nFROM python:3.12-slim\nENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1\nWORKDIR /app\n"
        "ARG UID=10001\nRUN adduser --disabled-password --gecos '' --home /nonexistent --shell /sbin/nologin --no-create-home"
        " --uid ${UID} appuser\nRUN --mount=type=cache,target=/root/.cache/pip --mount=type=bind,source=requirements.txt,"
        "target=requirements.txt python -m pip install -r requirements.txt\nUSER appuser\nCOPY . .\nEXPOSE 8000\n"
        "CMD uvicorn app.main:app --host=0.0.0.0 --port=8000\n",
        FLAT,
    ),
    (
        "pip-venv-multi-stage",
        "FROM python:3.12-slim AS build\nRUN python -m venv /opt/venv\nENV PATH=/opt/venv/bin:$PATH\nCOPY requirements.txt .\n"
        "RUN pip install --no-cache-dir -r requirements.txt\nFROM python:3.12-slim\nCOPY --from=build /opt/venv /opt/venv\n"
        "ENV PATH=/opt/venv/bin:$PATH\nWORKDIR /srv\nCOPY app ./app\nUSER 1000:1000\nEXPOSE 8000\n"
        'CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]\n',
        FLAT,
    ),
    (
        "pip-wheels-multi-stage",
        "FROM python:3.12-slim AS build\nWORKDIR /w\nCOPY requirements.txt .\n"
        "RUN pip wheel --no-cache-dir --no-deps --wheel-dir /w/wheels -r requirements.txt\nFROM python:3.12-slim\n"
        "COPY --from=build /w/wheels /wheels\nRUN pip install --no-cache /wheels/*\nWORKDIR /srv\nCOPY app app\nEXPOSE 8000\n"
        'CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]\n',
        FLAT,
    ),
    (
        "pip-prefix-multi-stage",
        "FROM python:3.12-slim AS build\nCOPY requirements.txt /\nRUN pip install --prefix=/install -r /requirements.txt\n"
        "FROM python:3.12-slim\nCOPY --from=build /install /usr/local\nWORKDIR /srv\nCOPY app app\nEXPOSE 8000\n"
        'CMD ["python", "-m", "uvicorn", "app.main:app", "--host", "0.0.0.0"]\n',
        FLAT,
    ),
    (
        "pip-user-multi-stage",
        "FROM python:3.12-slim AS build\nCOPY requirements.txt .\nRUN pip install --user -r requirements.txt\nFROM python:3.12-slim\n"
        "RUN useradd --create-home app\nUSER app\nCOPY --from=build --chown=app:app /root/.local /home/app/.local\n"
        "ENV PATH=/home/app/.local/bin:$PATH\nWORKDIR /home/app/src\nCOPY --chown=app:app app app\nEXPOSE 8000\n"
        'CMD ["python", "-m", "uvicorn", "app.main:app", "--host", "0.0.0.0"]\n',
        FLAT,
    ),
    (
        "alpine-with-build-packages",
        "FROM python:3.12-alpine\nRUN apk add --no-cache --virtual .build gcc musl-dev libffi-dev\nCOPY requirements.txt .\n"
        "RUN pip install -r requirements.txt && apk del .build\nRUN adduser -D -u 1000 app\nUSER app\nWORKDIR /srv\nCOPY app app\n"
        'EXPOSE 8000\nHEALTHCHECK CMD wget -qO- http://127.0.0.1:8000/health\nCMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]\n',
        FLAT,
    ),
    (
        "distroless-recipe",
        "FROM python:3.11-slim AS build\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install --target=/deps -r requirements.txt\n"
        "FROM gcr.io/distroless/python3-debian12:nonroot\nWORKDIR /app\nCOPY --from=build /deps /deps\nCOPY app app\n"
        'ENV PYTHONPATH=/deps\nEXPOSE 8000\nCMD ["-m", "uvicorn", "app.main:app", "--host", "0.0.0.0"]\n',
        FLAT,
    ),
    (
        "debian-with-system-python",
        "FROM debian:12-slim\nRUN apt-get update && apt-get install -y --no-install-recommends python3 python3-pip python3-venv"
        " && rm -rf /var/lib/apt/lists/*\nRUN python3 -m venv /venv\nENV PATH=/venv/bin:$PATH\nWORKDIR /srv\n"
        "COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY app app\nEXPOSE 8000\n"
        'CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]\n',
        FLAT,
    ),
    (
        "poetry-without-environments",
        "FROM python:3.12-slim\nENV POETRY_VIRTUALENVS_CREATE=false\nRUN pip install poetry==1.8.3\nWORKDIR /srv\n"
        "COPY pyproject.toml poetry.lock* ./\nRUN poetry install --only main --no-root --no-interaction\nCOPY main.py .\nEXPOSE 8000\n"
        'CMD ["gunicorn", "--bind", "0.0.0.0:8000", "main:app"]\n',
        {"pyproject.toml": POETRY, "main.py": FLASK},
    ),
    (
        "poetry-by-config",
        "FROM python:3.12-slim\nRUN pip install poetry && poetry config virtualenvs.create false\nWORKDIR /srv\n"
        "COPY pyproject.toml ./\nRUN poetry install --no-root --without dev\nCOPY main.py .\nEXPOSE 8000\n"
        'CMD ["gunicorn", "-b", ":8000", "main:app"]\n',
        {"pyproject.toml": POETRY, "main.py": FLASK},
    ),
    (
        "poetry-environment-in-project",
        "FROM python:3.12-slim AS build\nENV POETRY_VIRTUALENVS_IN_PROJECT=1 POETRY_VIRTUALENVS_CREATE=1\nRUN pip install poetry\n"
        "WORKDIR /app\nCOPY pyproject.toml ./\nRUN poetry install --no-root\nFROM python:3.12-slim\nWORKDIR /app\n"
        "ENV VIRTUAL_ENV=/app/.venv PATH=/app/.venv/bin:$PATH\nCOPY --from=build ${VIRTUAL_ENV} ${VIRTUAL_ENV}\nCOPY main.py .\n"
        'EXPOSE 8000\nENTRYPOINT ["python", "-m", "gunicorn", "-b", "0.0.0.0:8000", "main:app"]\n',
        {"pyproject.toml": POETRY, "main.py": FLASK},
    ),
    (
        "poetry-exports-requirements",
        "FROM python:3.12-slim AS lock\nRUN pip install poetry poetry-plugin-export\nWORKDIR /l\nCOPY pyproject.toml ./\n"
        "RUN poetry export -f requirements.txt -o requirements.txt\nFROM python:3.12-slim\nWORKDIR /srv\n"
        "COPY --from=lock /l/requirements.txt .\nRUN pip install -r requirements.txt\nCOPY main.py .\nEXPOSE 8000\n"
        'CMD ["gunicorn", "-b", "0.0.0.0:8000", "main:app"]\n',
        {"pyproject.toml": POETRY, "main.py": FLASK},
    ),
    (
        "pipenv-deploy",
        "FROM python:3.12-slim\nRUN pip install pipenv\nWORKDIR /srv\nCOPY Pipfile Pipfile.lock ./\n"
        'RUN pipenv install --system --deploy\nCOPY main.py .\nEXPOSE 8000\nCMD ["gunicorn", "-b", ":8000", "main:app"]\n',
        {
            "Pipfile": '[packages]\nflask = "*"\ngunicorn = "*"\n',
            "Pipfile.lock": '{"_meta": {"hash": {"sha256": "0"}}, "default": {"flask": {}, "gunicorn": {}}}',
            "main.py": FLASK,
        },
    ),
    (
        "pdm-sync",
        "FROM python:3.12-slim AS build\nRUN pip install pdm\nWORKDIR /p\nCOPY pyproject.toml ./\nCOPY src src\n"
        "RUN pdm install --prod --no-editable\nFROM python:3.12-slim\nCOPY --from=build /p/.venv /p/.venv\n"
        'ENV PATH=/p/.venv/bin:$PATH\nEXPOSE 8000\nCMD ["python", "-m", "shop.main"]\n',
        {**PACKAGE, "src/shop/main.py": FASTAPI + "\nif __name__ == '__main__':\n    print(app)\n"},
    ),
    (
        "conda-environment",
        "FROM continuumio/miniconda3\nWORKDIR /srv\nCOPY environment.yml .\nRUN conda env create -f environment.yml\nCOPY main.py .\n"
        'CMD ["conda", "run", "-n", "shop", "python", "main.py"]\n',
        {"environment.yml": "name: shop\ndependencies:\n  - numpy\n", "main.py": "import numpy\n\nprint(numpy)\n"},
    ),
    (
        "micromamba-environment",
        "FROM mambaorg/micromamba:1.5\nCOPY --chown=$MAMBA_USER:$MAMBA_USER environment.yml /tmp/environment.yml\n"
        "RUN micromamba install -y -n base -f /tmp/environment.yml\nCOPY main.py .\nCMD python main.py\n",
        {"environment.yml": "name: base\ndependencies:\n  - numpy\n", "main.py": "import numpy\n\nprint(numpy)\n"},
    ),
    (
        "django-with-gunicorn",
        "FROM python:3.12-slim\nENV PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=site1.settings\nWORKDIR /srv\nCOPY requirements.txt .\n"
        "RUN pip install -r requirements.txt\nCOPY . .\nRUN python manage.py collectstatic --noinput\nEXPOSE 8000\n"
        'CMD ["gunicorn", "site1.wsgi:application", "--bind", "0.0.0.0:8000", "--workers", "3"]\n',
        DJANGO,
    ),
    (
        "django-entry-script",
        "FROM python:3.12-slim\nRUN apt-get update && apt-get install -y libpq5 && rm -rf /var/lib/apt/lists/*\nWORKDIR /srv\n"
        "COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\nEXPOSE 8000\n"
        'ENTRYPOINT ["./docker-entrypoint.sh"]\nCMD ["gunicorn", "site1.wsgi", "-b", ":8000"]\n',
        {
            **DJANGO,
            "docker-entrypoint.sh": Script(
                "#!/usr/bin/env bash\nset -euo pipefail\n\nif [ \"${1:-}\" = 'gunicorn' ]; then\n    python manage.py migrate --noinput\nfi\n\n"
                'exec "$@"\n'
            ),
        },
    ),
    (
        "django-celery-worker",
        "FROM python:3.12-slim\nWORKDIR /srv\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n"
        'CMD ["celery", "-A", "site1", "worker", "-l", "info"]\n',
        DJANGO,
    ),
    (
        "django-runserver-for-development",
        "FROM python:3.12-slim\nWORKDIR /srv\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\nEXPOSE 8000\n"
        'CMD ["python", "manage.py", "runserver", "0.0.0.0:8000"]\n',
        DJANGO,
    ),
    (
        "airflow-like-entry-script",
        "FROM python:3.12-slim\nRUN pip install celery redis\nWORKDIR /opt/app\nCOPY tasks.py ./\nCOPY entrypoint.sh /entrypoint\n"
        'RUN chmod +x /entrypoint\nENTRYPOINT ["/usr/bin/env", "bash", "/entrypoint"]\nCMD ["worker"]\n',
        {
            "tasks.py": "from celery import Celery\n\napp = Celery('tasks', broker='redis://redis')\n",
            "entrypoint.sh": (
                "#!/usr/bin/env bash\nset -e\nwait_for() {\n    local host=$1\n    until python -c 'print(1)'; do\n        sleep 1\n    done\n}\n"
                'wait_for redis\ncase "$1" in\n    worker) exec celery -A tasks worker ;;\n    beat) exec celery -A tasks beat ;;\n'
                '    *) exec "$@" ;;\nesac\n'
            ),
        },
    ),
    (
        "tini-as-init",
        "FROM python:3.12-slim\nRUN apt-get update && apt-get install -y --no-install-recommends tini\nWORKDIR /srv\n"
        'COPY main.py .\nENTRYPOINT ["tini", "--"]\nCMD ["python", "-u", "main.py"]\n',
        {"main.py": "import time\n\nwhile True:\n    time.sleep(1)\n"},
    ),
    (
        "dumb-init-by-pip",
        'FROM python:3.12-slim\nRUN pip install dumb-init\nWORKDIR /srv\nCOPY main.py .\nENTRYPOINT ["dumb-init", "--"]\n'
        'CMD ["python", "main.py"]\n',
        {"main.py": "print('up')\n"},
    ),
    (
        "fastapi-run",
        "FROM python:3.12-slim\nWORKDIR /code\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY ./app ./app\n"
        'EXPOSE 80\nCMD ["fastapi", "run", "app/main.py", "--port", "80"]\n',
        {**FLAT, "requirements.txt": "fastapi[standard]>=0.113\n"},
    ),
    (
        "settings-with-defaults",
        "FROM python:3.12-slim\nWORKDIR /srv\nRUN pip install pydantic-settings\nCOPY main.py .\n"
        'CMD ["python", "main.py"]\n',
        {
            "main.py": (
                "from pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n    url: str = 'sqlite://'\n\n\n"
                "settings = Settings()\nprint(settings.url)\n"
            )
        },
    ),
    (
        "environment-with-defaults",
        'FROM python:3.12-slim\nENV MODE=prod\nWORKDIR /srv\nCOPY main.py .\nCMD ["python", "main.py"]\n',
        {
            "main.py": (
                "import os\n\nmode = os.environ['MODE']\nurl = os.environ.get('URL', 'x')\ntry:\n    key = os.environ['KEY']\n"
                "except KeyError:\n    key = ''\nprint(mode, url, key)\n"
            )
        },
    ),
    (
        "environment-of-the-operator",
        'FROM python:3.12-slim\nWORKDIR /srv\nCOPY main.py .\nCMD ["python", "main.py"]\n',
        {"main.py": "import os\n\nprint(os.environ['TOKEN'])\n"},
    ),
    (
        "files-beside-the-module",
        'FROM python:3.12-slim\nWORKDIR /srv\nCOPY main.py rules.json ./\nCOPY templates templates\nUSER nobody\nCMD ["python", "main.py"]\n',
        {
            "main.py": (
                "import json\nfrom pathlib import Path\n\nHERE = Path(__file__).resolve().parent\n"
                "RULES = json.loads((HERE / 'rules.json').read_text())\nPAGE = open(HERE / 'templates' / 'page.html').read()\nprint(RULES, PAGE)\n"
            ),
            "rules.json": "{}",
            "templates/page.html": "<p>",
        },
    ),
    (
        "log-directory-of-the-user",
        "FROM python:3.12-slim\nRUN useradd -m -u 1000 app && mkdir -p /var/log/shop && chown app /var/log/shop\nWORKDIR /srv\n"
        'COPY main.py .\nUSER app\nCMD ["python", "main.py"]\n',
        {
            "main.py": "import logging\n\nlogging.basicConfig(filename='/var/log/shop/shop.log')\nlogging.warning('up')\n"
        },
    ),
    (
        "compiled-with-libpq",
        "FROM python:3.12-slim AS build\nRUN apt-get update && apt-get install -y gcc libpq-dev\n"
        "RUN python -m venv /venv && /venv/bin/pip install psycopg2\nFROM python:3.12-slim\n"
        "RUN apt-get update && apt-get install -y --no-install-recommends libpq5 && rm -rf /var/lib/apt/lists/*\n"
        'COPY --from=build /venv /venv\nCOPY main.py /srv/\nCMD ["/venv/bin/python", "/srv/main.py"]\n',
        {"main.py": "import psycopg2\n\nprint(psycopg2)\n"},
    ),
    (
        "opencv-headless",
        'FROM python:3.12-slim\nRUN pip install opencv-python-headless numpy\nCOPY main.py /\nCMD ["python", "/main.py"]\n',
        {"main.py": "import cv2\nimport numpy\n\nprint(cv2, numpy)\n"},
    ),
    (
        "names-unlike-their-distributions",
        "FROM python:3.12-slim\nRUN pip install pyyaml pillow scikit-learn beautifulsoup4 python-dateutil python-dotenv pyjwt"
        " opencv-python-headless python-multipart attrs google-cloud-storage azure-storage-blob discord.py pyzmq pymongo\n"
        'COPY main.py /\nCMD ["python", "/main.py"]\n',
        {
            "main.py": (
                "import attr\nimport bs4\nimport bson\nimport cv2\nimport dateutil\nimport discord\nimport dotenv\nimport jwt\nimport multipart\n"
                "import sklearn\nimport yaml\nimport zmq\nfrom azure.storage.blob import BlobClient\nfrom google.cloud import storage\n"
                "from PIL import Image\n\nprint(attr, bs4, bson, cv2, dateutil, discord, dotenv, jwt, multipart, sklearn, yaml, zmq)\n"
            )
        },
    ),
    (
        "private-distribution",
        "FROM python:3.12-slim\nCOPY requirements.txt .\nRUN pip install --extra-index-url https://pypi.example.org -r requirements.txt\n"
        'COPY main.py /\nCMD ["python", "/main.py"]\n',
        {
            "requirements.txt": "acme-internal==3\n",
            "main.py": "import acme.internal\nimport flask\n\nprint(acme, flask)\n",
        },
    ),
    (
        "editable-in-one-stage",
        "FROM python:3.12-slim\nWORKDIR /app\nCOPY pyproject.toml ./\nCOPY src src\nRUN pip install -e .\nEXPOSE 8000\n"
        'CMD ["uvicorn", "shop.main:app", "--host", "0.0.0.0"]\n',
        PACKAGE,
    ),
    (
        "namespace-and-data-files",
        'FROM python:3.12-slim\nWORKDIR /srv\nCOPY . .\nENV PYTHONPATH=/srv/lib\nCMD ["python", "-m", "tool"]\n',
        {
            "tool/__init__.py": "",
            "tool/__main__.py": "from importlib import resources\n\nfrom words.english import HELLO\n\nprint(HELLO, resources.files('tool'))\n",
            "lib/words/english.py": "HELLO = 'hello'\n",
        },
    ),
    (
        "shared-directory-by-link",
        'FROM python:3.12-slim\nWORKDIR /srv\nCOPY common common\nCOPY svc .\nENV PYTHONPATH=/srv\nCMD ["python", "main.py"]\n',
        {
            "common/__init__.py": "",
            "common/words.py": "HELLO = 1\n",
            "alias": Link("common"),
            "svc/main.py": "from common.words import HELLO\n\nprint(HELLO)\n",
        },
    ),
    (
        "flask-factory",
        "FROM python:3.12-slim\nWORKDIR /srv\nRUN pip install flask gunicorn\nCOPY shop shop\nEXPOSE 5000\n"
        'CMD ["gunicorn", "-b", "0.0.0.0:5000", "shop:create_app()"]\n',
        {"shop/__init__.py": "from flask import Flask\n\n\ndef create_app():\n    return Flask(__name__)\n"},
    ),
    (
        "supervisor-of-several",
        "FROM python:3.12-slim\nRUN pip install supervisor flask\nWORKDIR /srv\nCOPY main.py supervisord.conf ./\n"
        'CMD ["supervisord", "-c", "supervisord.conf"]\n',
        {"main.py": FLASK, "supervisord.conf": "[supervisord]\nnodaemon=true\n[program:web]\ncommand=python main.py\n"},
    ),
    (
        "gunicorn-configuration-that-works-itself-out",
        "FROM python:3.12-slim\nWORKDIR /srv\nRUN pip install flask gunicorn\nCOPY . .\nEXPOSE 8000\n"
        'CMD ["gunicorn", "--config", "gunicorn.conf.py", "main:app"]\n',
        {
            "main.py": FLASK,
            "gunicorn.conf.py": "import os\n\nfor k, v in os.environ.items():\n    locals()[k.lower()] = v\n",
        },
    ),
    (
        "image-for-others-to-run",
        "FROM python:3.12-slim\nRUN pip install flask\nCOPY main.py /srv/\n",
        {"main.py": FLASK},
    ),
    (
        "version-of-the-base-by-argument",
        'ARG PYTHON_VERSION=3.12\nFROM python:${PYTHON_VERSION}-slim\nWORKDIR /srv\nCOPY main.py .\nCMD ["python", "main.py"]\n',
        {"main.py": "type Pair = tuple[int, int]\nprint(Pair)\n"},
    ),
)

CASES = tuple(
    Case(f"kept-{name}", {"Dockerfile": dockerfile, "smoke.toml": POLICY, **files}, fault="none: it is well kept")
    for name, dockerfile, files in TREES
)
