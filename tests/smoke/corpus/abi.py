"""What an installation is made for: Python, C library, processor, and the place of its programs."""

from __future__ import annotations

from tests.smoke.cases import Case
from tests.smoke.corpus.files import POLICY

APP = "import pydantic\n\nprint(pydantic.VERSION)\n"
SERVED = "from fastapi import FastAPI\n\napp = FastAPI()\n"
SERVE = 'CMD ["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8080"]\n'


def staged(builder: str, final: str, install: str, carry: str = "COPY --from=made /libs /libs") -> dict[str, str]:
    """A tree that installs pydantic in one stage and runs it in another."""
    dockerfile = (
        f"FROM {builder} AS made\n{install}\nFROM {final}\n{carry}\nENV PYTHONPATH=/libs\nWORKDIR /srv\n"
        'COPY main.py .\nCMD ["python3", "main.py"]\n'
    )
    return {"Dockerfile": dockerfile, "main.py": APP, "smoke.toml": POLICY}


def venv(builder: str, final: str, place: str = "/opt/venv", goes: str = "/opt/venv", make: str = "") -> dict[str, str]:
    """A tree that makes a virtual environment in one stage and runs it in another."""
    install = make or f"RUN python -m venv {place} && {place}/bin/pip install fastapi uvicorn"
    dockerfile = (
        f"FROM {builder} AS made\n{install}\nFROM {final}\nCOPY --from=made {place} {goes}\n"
        f"ENV PATH={goes}/bin:$PATH\nWORKDIR /srv\nCOPY main.py .\n{SERVE}"
    )
    return {"Dockerfile": dockerfile, "main.py": SERVED, "smoke.toml": POLICY}


TARGET = "RUN pip install --target /libs pydantic"
SLIM, OTHER, ALPINE = "python:3.12-slim", "python:3.11-slim", "python:3.12-alpine"

CASES = (
    Case(
        "abi-same-python",
        staged(SLIM, SLIM, TARGET),
        {"Dockerfile": staged(OTHER, SLIM, TARGET)["Dockerfile"]},
        check="dependencies.fits",
        says="made for Python 3.11",
        fault="the builder's Python is older",
    ),
    Case(
        "abi-full-and-slim",
        staged("python:3.12", SLIM, TARGET),
        {"Dockerfile": staged("python:3.13", SLIM, TARGET)["Dockerfile"]},
        check="dependencies.fits",
        says="made for Python 3.13",
        fault="the builder's Python is newer",
    ),
    Case(
        "abi-same-libc",
        staged(ALPINE, ALPINE, TARGET),
        {"Dockerfile": staged(ALPINE, SLIM, TARGET)["Dockerfile"]},
        check="dependencies.fits",
        says="musl",
        fault="wheels for musl under glibc",
    ),
    Case(
        "abi-glibc-under-musl",
        staged(SLIM, SLIM, TARGET),
        {"Dockerfile": staged(SLIM, ALPINE, TARGET)["Dockerfile"]},
        check="dependencies.fits",
        says="glibc",
        fault="wheels for glibc under musl",
    ),
    Case(
        "abi-same-platform",
        staged(f"--platform=linux/arm64 {SLIM}", f"--platform=linux/arm64 {SLIM}", TARGET),
        {
            "Dockerfile": staged(f"--platform=linux/amd64 {SLIM}", f"--platform=linux/arm64 {SLIM}", TARGET)[
                "Dockerfile"
            ]
        },
        check="dependencies.fits",
        says="x86_64",
        fault="the builder is of another processor",
    ),
    Case(
        "abi-builder-of-the-build-platform",
        staged(f"--platform=$BUILDPLATFORM {SLIM}", SLIM, TARGET),
        {
            "Dockerfile": staged(f"--platform=$BUILDPLATFORM {SLIM}", f"--platform=linux/arm64 {SLIM}", TARGET)[
                "Dockerfile"
            ]
        },
        check="dependencies.fits",
        says="x86_64",
        fault="wheels are fetched for the machine that builds, for an image of another one",
    ),
    Case(
        "abi-told-platform",
        staged(
            SLIM,
            f"--platform=linux/arm64 {SLIM}",
            "RUN pip install --target /libs --platform manylinux2014_aarch64 --only-binary=:all: pydantic",
        ),
        {
            "Dockerfile": staged(
                SLIM,
                f"--platform=linux/arm64 {SLIM}",
                "RUN pip install --target /libs --platform manylinux2014_x86_64 --only-binary=:all: pydantic",
            )["Dockerfile"]
        },
        check="dependencies.fits",
        says="x86_64",
        fault="pip is told another platform than the image's",
    ),
    Case(
        "abi-told-version",
        staged(
            "python:3.13-slim",
            SLIM,
            "RUN pip install --target /libs --python-version 3.12 --only-binary=:all: pydantic",
        ),
        {
            "Dockerfile": staged(
                SLIM, SLIM, "RUN pip install --target /libs --python-version 3.9 --only-binary=:all: pydantic"
            )["Dockerfile"]
        },
        check="dependencies.fits",
        says="made for Python 3.9",
        fault="pip is told another version than the image's",
    ),
    Case(
        "abi-prefix-of-another-version",
        {
            **staged(SLIM, SLIM, "RUN pip install --prefix=/made pydantic", "COPY --from=made /made /usr/local"),
        },
        {
            "Dockerfile": staged(
                OTHER, SLIM, "RUN pip install --prefix=/made pydantic", "COPY --from=made /made /usr/local"
            )["Dockerfile"]
        },
        check="dependencies.declared",
        says="does not look",
        fault="a prefix has a directory of the other Python's version",
    ),
    Case(
        "abi-venv-kept-in-place",
        venv(SLIM, SLIM),
        {"Dockerfile": venv(SLIM, SLIM, "/build/venv")["Dockerfile"]},
        check="dockerfile.entrypoint",
        says="/build/venv/bin/python",
        fault="the environment is copied to another place, and its programs name the old one",
    ),
    Case(
        "abi-venv-of-the-same-python",
        venv(SLIM, SLIM),
        {"Dockerfile": venv(OTHER, SLIM)["Dockerfile"]},
        check="dockerfile.entrypoint",
        fault="the environment's Python is a link to a version that the final image lacks",
    ),
    Case(
        "abi-venv-of-a-distribution",
        venv("debian:12-slim", "debian:12-slim")
        | {
            "Dockerfile": (
                "FROM debian:12-slim AS made\nRUN apt-get update && apt-get install -y python3 python3-venv\n"
                "RUN python3 -m venv /opt/venv && /opt/venv/bin/pip install fastapi uvicorn\n"
                "FROM debian:12-slim\nRUN apt-get update && apt-get install -y python3\n"
                "COPY --from=made /opt/venv /opt/venv\nENV PATH=/opt/venv/bin:$PATH\nWORKDIR /srv\nCOPY main.py .\n"
                + SERVE
            )
        },
        {
            "Dockerfile": (
                "FROM debian:12-slim AS made\nRUN apt-get update && apt-get install -y python3 python3-venv\n"
                "RUN python3 -m venv /opt/venv && /opt/venv/bin/pip install fastapi uvicorn\n"
                "FROM python:3.11-slim\nCOPY --from=made /opt/venv /opt/venv\nENV PATH=/opt/venv/bin:$PATH\n"
                "WORKDIR /srv\nCOPY main.py .\n" + SERVE
            )
        },
        check="dockerfile.entrypoint",
        fault="the environment points to /usr/bin/python3, which Python's own images do not have",
    ),
    Case(
        "abi-uv-with-the-image-python",
        venv(
            SLIM,
            SLIM,
            make=(
                "COPY --from=ghcr.io/astral-sh/uv:0.8 /uv /bin/uv\nENV UV_PYTHON_DOWNLOADS=never\n"
                "RUN uv venv /opt/venv && VIRTUAL_ENV=/opt/venv uv pip install fastapi uvicorn"
            ),
        ),
        {
            "Dockerfile": venv(
                "debian:12-slim",
                SLIM,
                make=(
                    "COPY --from=ghcr.io/astral-sh/uv:0.8 /uv /bin/uv\n"
                    "RUN uv venv --python 3.12 /opt/venv && VIRTUAL_ENV=/opt/venv uv pip install fastapi uvicorn"
                ),
            )["Dockerfile"]
        },
        check="dockerfile.entrypoint",
        fault="uv fetched a Python of its own, which stays in the builder",
    ),
    Case(
        "abi-pure-distributions-fit-everywhere",
        {
            **staged(OTHER, SLIM, "RUN pip install --target /libs flask requests"),
            "main.py": "import flask\nimport requests\n\nprint(flask, requests)\n",
        },
        fault="pure distributions made by another version of Python",
    ),
    Case(
        "abi-user-install-of-root",
        {
            **staged(
                SLIM,
                SLIM,
                "RUN pip install --user pydantic",
                "RUN useradd -m app\nCOPY --from=made --chown=app /root/.local /home/app/.local\nUSER app",
            )
        },
        {
            "Dockerfile": staged(
                SLIM,
                SLIM,
                "RUN pip install --user pydantic",
                "RUN useradd -m app\nCOPY --from=made /root/.local /root/.local\nUSER app",
            )["Dockerfile"]
        },
        check="dependencies.declared",
        says="does not look",
        fault="the packages are in root's home, and another user runs it",
    ),
)
