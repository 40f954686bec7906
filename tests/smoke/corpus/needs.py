"""What code needs as it is loaded: distributions by all their names, frameworks' extras, files, variables."""

from __future__ import annotations

from tests.smoke.cases import Case, Content, Files
from tests.smoke.corpus.files import POLICY

API = "from fastapi import FastAPI\n\napp = FastAPI()\n"
SERVE = '["uvicorn", "main:app", "--host", "0.0.0.0"]'
RUN = '["python", "main.py"]'
COMPOSE = "services:\n  web:\n    build: .\n"


def tree(main: str, install: str = "", command: str = RUN, before: str = "", **more: str) -> dict[str, Content]:
    """A tree with one program, and what its image installs."""
    pip = f"RUN pip install {install}\n" if install else ""
    dockerfile = f"FROM python:3.12-slim\n{before}WORKDIR /srv\n{pip}COPY . .\nCMD {command}\n"
    others = {name.replace("__", "/").replace("_dot_", "."): text for name, text in more.items()}
    return {"Dockerfile": dockerfile, "main.py": main, "smoke.toml": POLICY, **others}


def django(settings: str, install: str = "django") -> dict[str, Content]:
    """An ordinary Django project with these settings."""
    manage = (
        "import os\nimport sys\n\nfrom django.core.management import execute_from_command_line\n\n"
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\nexecute_from_command_line(sys.argv)\n"
    )
    command = '["python", "manage.py", "runserver", "0.0.0.0:8000"]'
    files = {"manage.py": manage, "site1/__init__.py": "", "site1/urls.py": "urlpatterns = []\n"}
    return {**tree("", install, command), **files, "site1/settings.py": settings}


FORM = API + "from fastapi import Form\n\n\n@app.post('/x')\ndef x(a: str = Form(...)):\n    return a\n"
MAIL = API + "from pydantic import BaseModel, EmailStr\n\n\nclass User(BaseModel):\n    mail: EmailStr\n"
SESSION = API + "from starlette.middleware.sessions import SessionMiddleware\n\nprint(SessionMiddleware)\n"
SETTINGS = "from {} import BaseSettings\n\n\nclass S(BaseSettings):\n    url: str{}\n\n\nprint(S())\n"
URLS = "ROOT_URLCONF = 'site1.urls'\n"
ENGINE = "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql'}}\n"
WRITES = "import os\n\nos.makedirs('/data/cache', exist_ok=True)\nprint(1)\n"
SQLITE = "import sqlite3\n\nprint(sqlite3.connect('app.db'))\n"
WORKER = "from celery import Celery\n\napp = Celery('main', broker='redis://redis')\n"
WORK = '["celery", "-A", "main", "worker"]'
TEMPORARY = "import tempfile\n\nprint(tempfile.gettempdir())\n"
OWNED = "RUN useradd -u 1000 app && mkdir /data && chown app /data\nUSER app\n"

PAIRS: tuple[tuple[str, Files, Files, str, str], ...] = (
    (
        "form",
        tree(FORM, "fastapi uvicorn python-multipart", SERVE),
        tree(FORM, "fastapi uvicorn", SERVE),
        "dependencies.declared",
        "python-multipart",
    ),
    (
        "mail-address",
        tree(MAIL, "fastapi uvicorn email-validator", SERVE),
        tree(MAIL, "fastapi uvicorn", SERVE),
        "dependencies.declared",
        "email-validator",
    ),
    (
        "session",
        tree(SESSION, "fastapi uvicorn itsdangerous", SERVE),
        tree(SESSION, "fastapi uvicorn", SERVE),
        "dependencies.declared",
        "itsdangerous",
    ),
    ("broker", tree(WORKER, "celery[redis]", WORK), tree(WORKER, "celery", WORK), "dependencies.declared", "redis"),
    ("django-routes", django(URLS), django("ROOT_URLCONF = 'site1.routes'\n"), "entrypoint.imports", "site1.routes"),
    (
        "django-middleware",
        django("MIDDLEWARE = ['corsheaders.middleware.CorsMiddleware']\n", "django django-cors-headers"),
        django("MIDDLEWARE = ['corsheaders.middleware.CorsMiddleware']\n"),
        "dependencies.declared",
        "corsheaders",
    ),
    ("django-engine", django(ENGINE, "django psycopg[binary]"), django(ENGINE), "dependencies.declared", "psycopg"),
    (
        "moved-settings",
        tree(SETTINGS.format("pydantic_settings", " = 'x'"), "pydantic-settings"),
        tree(SETTINGS.format("pydantic", " = 'x'"), "pydantic"),
        "dependencies.declared",
        "pydantic-settings",
    ),
    (
        "settings-without-default",
        tree(SETTINGS.format("pydantic_settings", " = 'x'"), "pydantic-settings", compose_dot_yaml=COMPOSE),
        tree(SETTINGS.format("pydantic_settings", ""), "pydantic-settings", compose_dot_yaml=COMPOSE),
        "startup.environment",
        "URL",
    ),
    (
        "library-of-the-system",
        tree(
            "import magic\n\nprint(magic)\n",
            "python-magic",
            before="RUN apt-get update && apt-get install -y libmagic1\n",
        ),
        tree("import magic\n\nprint(magic)\n", "python-magic"),
        "dependencies.libraries",
        "libmagic",
    ),
    (
        "opencv",
        tree("import cv2\n\nprint(cv2)\n", "opencv-python-headless"),
        tree("import cv2\n\nprint(cv2)\n", "opencv-python"),
        "dependencies.libraries",
        "libGL",
    ),
    (
        "directory-that-is-made",
        tree(WRITES, before=OWNED),
        tree(WRITES, before="USER 1000\n"),
        "startup.files",
        "/data/cache",
    ),
    (
        "database-file",
        tree(SQLITE),
        tree(SQLITE) | {"Dockerfile": f"FROM python:3.12-slim\nWORKDIR /srv\nCOPY main.py .\nUSER 1000\nCMD {RUN}\n"},
        "startup.files",
        "app.db",
    ),
    (
        "file-of-a-standard-name",
        tree(TEMPORARY),
        tree(TEMPORARY, random_dot_py="SEED = 1\n"),
        "entrypoint.imports",
        "random",
    ),
    (
        "environment-of-poetry",
        tree("import flask\n\nprint(flask)\n", "flask"),
        {
            "Dockerfile": f"FROM python:3.12-slim\nRUN pip install poetry\nWORKDIR /srv\nCOPY pyproject.toml .\nRUN poetry install --no-root\nCOPY main.py .\nCMD {RUN}\n",
            "main.py": "import flask\n\nprint(flask)\n",
            "pyproject.toml": '[tool.poetry]\nname = "a"\nversion = "1"\n[tool.poetry.dependencies]\nflask = "*"\n',
            "smoke.toml": POLICY,
        },
        "dependencies.declared",
        "does not look",
    ),
)
CASES = tuple(
    Case(
        f"needs-{name}",
        healthy,
        {path: text for path, text in broken.items() if healthy.get(path) != text},
        check=check,
        says=says,
        fault="something that is needed as the code is loaded is not there",
    )
    for name, healthy, broken, check, says in PAIRS
)
