"""The corpus: small trees with one planted defect each, found and alone, and trees that only look wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.finding import Verdict
from smoke.static.checks import lint
from smoke.static.treejudge import CHECKS
from tests.smoke.trees import COMPOSE, DOCKERFILE, MAIN, MANIFEST, Changes, failures, judged, replaced

ENGINE = "\nclass Engine:\n    pass\n"
GUARDED = "try:\n    import tronpy\nexcept ImportError:\n    pass\n" + ENGINE
FALLBACK = "try:\n    import orjson\nexcept ImportError:\n    orjson = None\n" + ENGINE
TYPED = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from redis import Redis\n" + ENGINE
PROXY = "  proxy:\n    image: nginx:1.27\n    volumes: ['./proxy.conf:/etc/nginx/conf.d/default.conf:ro']\n"
ADDRESS = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
"""The USDT contract's address, as block explorers show it."""


def docker(old: str, new: str) -> Changes:
    """The Dockerfile with one thing changed."""
    return {"Dockerfile.engine": replaced(DOCKERFILE, old, new)}


def main(old: str, new: str) -> Changes:
    """The main module with one thing changed."""
    return {"service/main.py": replaced(MAIN, old, new)}


def compose(old: str, new: str) -> Changes:
    """The Compose file with one thing changed."""
    return {"compose.yaml": replaced(COMPOSE, old, new)}


PLANTED: list[tuple[str, str, Changes]] = [
    ("layout.directories", "there is no directory", {"smoke.toml": replaced(MANIFEST, '["service"]', '["servce"]')}),
    (
        "layout.directories",
        "holds no code",
        {"extra/README": "x", "smoke.toml": replaced(MANIFEST, '["service"]', '["service", "extra"]')},
    ),
    ("dockerfile.parse", "unknown instruction", docker("WORKDIR /app", "WORKDIRR /app")),
    ("dockerfile.parse", "", {"Dockerfile.engine": None}),
    (
        "dockerfile.stages",
        "not distroless",
        docker("gcr.io/distroless/python3-debian12:nonroot", 'python:3.11\nENTRYPOINT ["python3"]'),
    ),
    (
        "dockerfile.path",
        "/opt/tools/bin",
        docker("ENV PYTHONPATH=/deps", "ENV PYTHONPATH=/deps PATH=/opt/tools/bin:$PATH"),
    ),
    (
        "dockerfile.stages",
        "does not make it",
        docker("--from=build /deps /deps", "--from=build /deps /deps\nCOPY --from=build /nope /x"),
    ),
    (
        "dockerfile.context",
        "not in the build context",
        docker("COPY service/ service/", "COPY service/ service/\nCOPY conf.toml /etc/"),
    ),
    ("dockerfile.context", "leaves it out", {".dockerignore": "requirements.txt\n"}),
    ("dockerfile.steps", "curl", docker("WORKDIR /build", "RUN curl -O https://example.org/x\nWORKDIR /build")),
    ("dockerfile.platform", "linux/amd64", docker("--platform=linux/arm64", "--platform=linux/amd64")),
    ("dockerfile.user", "runs as 0", docker("USER 65532:65532", "USER 0")),
    ("dockerfile.user", "cannot read", docker("COPY service/ service/", "COPY --chmod=600 service/ service/")),
    (
        "dockerfile.health",
        "curl is not in the image",
        docker('["/usr/bin/python3.11", "-m", "service.probe", "http', '["curl", "-f", "http'),
    ),
    (
        "dockerfile.health",
        "/bin/sh",
        docker(
            'CMD ["/usr/bin/python3.11", "-m", "service.probe", "http://127.0.0.1:8084/health"]',
            "CMD python -m service.probe",
        ),
    ),
    ("dockerfile.health", "port 9000", docker("127.0.0.1:8084", "127.0.0.1:9000")),
    ("dockerfile.health", "asks /up", docker("8084/health", "8084/up")),
    ("dockerfile.health", "no health check", docker("HEALTHCHECK CMD", "LABEL b=a\n# ").copy()),
    ("dockerfile.labels", "not declared in this stage", docker("ARG VERSION\nLABEL", "LABEL")),
    (
        "dockerfile.labels",
        "is missing",
        docker("org.opencontainers.image.version=", "org.opencontainers.image.revision="),
    ),
    ("dockerfile.entrypoint", "handed 'python'", docker('CMD ["-m"', 'CMD ["python", "-m"')),
    ("dockerfile.entrypoint", "not in the image", docker('CMD ["-m"', 'ENTRYPOINT ["/usr/bin/python3.12"]\nCMD ["-m"')),
    (
        "dockerfile.entrypoint",
        "/bin/sh",
        docker('CMD ["-m", "service.main"]', "ENTRYPOINT []\nENTRYPOINT python -m service.main"),
    ),
    ("entrypoint.exists", "there is no", {"service/main.py": None}),
    ("entrypoint.exists", "the manifest says", {"smoke.toml": replaced(MANIFEST, "service.main", "service.other")}),
    ("entrypoint.imports", "leaves the top package", main("from service.engine", "from ..engine")),
    ("entrypoint.imports", "defines no Motor", main("import Engine", "import Engine, Motor")),
    ("entrypoint.imports", "cannot be imported", main("from service.engine", "from service.engines")),
    ("entrypoint.imports", "not Python that can be loaded", {"service/engine.py": "class Engine\n    pass\n"}),
    ("entrypoint.imports", "is a module, no package", {"service/main.py": MAIN + "\nimport service.engine.parts\n"}),
    ("entrypoint.imports", "is never loaded", {"service/engine/__init__.py": "class Engine: pass\n"}),
    (
        "entrypoint.imports",
        "standard library's module queue",
        main("import uvicorn", "import queue\n\nimport uvicorn")
        | docker("COPY service/", "COPY queue.py ./\nCOPY service/")
        | {"queue.py": ""},
    ),
    (
        "entrypoint.app",
        "nothing in it runs",
        main('if __name__ == "__main__":\n    uvicorn.run', "def start():\n    uvicorn.run"),
    ),
    ("entrypoint.app", "binds to 9999", main("port=8084", "port=9999")),
    ("entrypoint.app", "EXPOSE says", docker("EXPOSE 8084", "EXPOSE 8085")),
    (
        "dependencies.declared",
        "nothing that this image installs",
        {"service/engine.py": "import redis\n\nclass Engine:\n    pass\n"},
    ),
    ("dependencies.declared", "does not look", docker("ENV PYTHONPATH=/deps\n", "")),
    ("dependencies.declared", "not in the tree", {"requirements.txt": "-r more.txt\nfastapi\nuvicorn\n"}),
    (
        "startup.files",
        "/app/rules.json is opened",
        main("engine = Engine()", "engine = Engine()\nrules = open('rules.json').read()"),
    ),
    (
        "startup.environment",
        "LEDGER_URL is demanded",
        main("engine = Engine()", "import os\n\nengine = Engine()\nurl = os.environ['LEDGER_URL']"),
    ),
    (
        "startup.reach",
        "/root is closed",
        {
            "Dockerfile.engine": replaced(
                replaced(DOCKERFILE, "/deps /deps", "/deps /root/deps"), "PYTHONPATH=/deps", "PYTHONPATH=/root/deps"
            )
        },
    ),
    (
        "dependencies.fits",
        "made for Python 3.13",
        docker("python:3.11-slim AS build", "python:3.13-slim AS build"),
    ),
    (
        "dependencies.libraries",
        "libpq.so.5",
        {
            "requirements.txt": "fastapi\nuvicorn\npsycopg2\n",
            "service/engine.py": "import psycopg2\n\n\nclass Engine:\n    pass\n",
            "Dockerfile.engine": replaced(
                DOCKERFILE, "RUN pip", "RUN apt-get update && apt-get install -y gcc libpq-dev\nRUN pip"
            ),
        },
    ),
    ("dependencies.arm64", "mkl", {"requirements.txt": "fastapi\nuvicorn\nmkl\n"}),
    ("tron.identifiers", "", {"service/engine.py": "class Engine:\n    def send_trx(self): pass\n"}),
    (
        "tron.imports",
        "",
        {"service/engine.py": GUARDED},
    ),
    ("tron.strings", "", {"service/engine.py": "class Engine:\n    asset = 'USDT'\n"}),
    ("tron.dependencies", "tronpy", {"other/requirements.txt": "tronpy==0.4\n"}),
    ("tron.configuration", "", {"conf.toml": 'network = "tron"\n'}),
    ("tron.hosts", "", {"service/engine.py": "class Engine:\n    url = 'https://api.trongrid.io/v1'\n"}),
    ("tron.addresses", "", {"service/engine.py": f"class Engine:\n    to = '{ADDRESS}'\n"}),
    ("tron.names", "", {"service/tron_client.py": ""}),
    ("compose.services", "has no services", {"compose.yaml": "networks: {}\n"}),
    (
        "compose.environment",
        "web.env",
        compose("    read_only: true\n", "    read_only: true\n    env_file: web.env\n"),
    ),
    ("compose.images", "example/motor", compose("example/engine:1", "example/motor:1")),
    ("compose.ports", "8000 is published", compose("8084:8084", "8084:8000")),
    (
        "compose.health",
        "/bin/sh",
        compose('["CMD", "/usr/bin/python3.11", "-m", "service.probe"]', "curl -f localhost"),
    ),
    ("compose.health", "wget", compose('["CMD", "/usr/bin/python3.11", "-m"', '["CMD", "wget", "-m"')),
    ("compose.depends", "no service", compose("      database:\n", "      databse:\n")),
    ("compose.hardening", "read_only", compose("    read_only: true\n", "")),
    ("compose.hardening", "privileged", compose("read_only: true", "read_only: true\n    privileged: true")),
    ("compose.limits", "no limit", compose("    mem_limit: 256m\n", "")),
    (
        "compose.hosts",
        "no service",
        compose("    networks: [inner]", "    environment: {DB_HOST: db}\n    networks: [inner]"),
    ),
    ("compose.networks", "not declared", compose("[inner]", "[outer]")),
    (
        "nginx.upstreams",
        "no service of that name",
        {
            **compose("networks:\n  inner:", f"{PROXY}networks:\n  inner:"),
            "proxy.conf": "server { location / { proxy_pass http://backend; } }\n",
        },
    ),
    (
        "nginx.ports",
        "nginx listens at 8080",
        {
            **compose("networks:\n  inner:", f"{PROXY}    ports: ['80:80']\nnetworks:\n  inner:"),
            "proxy.conf": "server {\n  listen 8080;\n  location / { proxy_pass http://engine; }\n}\n",
        },
    ),
    (
        "nginx.passing",
        "passes to engine:9999",
        {
            **compose("networks:\n  inner:", f"{PROXY}    ports: ['80:80']\nnetworks:\n  inner:"),
            "proxy.conf": "server {\n  listen 80;\n  location / { proxy_pass http://engine:9999; }\n}\n",
        },
    ),
    (
        "nginx.files",
        "/etc/nginx/lost.key",
        {
            **compose("networks:\n  inner:", f"{PROXY}networks:\n  inner:"),
            "proxy.conf": "server {\n  ssl_certificate_key lost.key;\n}\n",
        },
    ),
    (
        "nginx.grammar",
        'before "}" does not end with ";"',
        {
            **compose("networks:\n  inner:", f"{PROXY}networks:\n  inner:"),
            "proxy.conf": "server {\n  location / { proxy_pass http://engine }\n}\n",
        },
    ),
    (
        "manifest.exceptions",
        "excuses nothing",
        {"smoke.toml": MANIFEST + '\n[[exception]]\ncheck = "tron.names"\nreason = "there was one once"\n'},
    ),
]


@pytest.mark.parametrize(("check", "words", "changes"), PLANTED, ids=[f"{each[0]} {each[1]}" for each in PLANTED])
def test_a_planted_defect_is_found_and_nothing_else(tmp_path: Path, check: str, words: str, changes: Changes) -> None:
    # BuildKit's own rules say some of it once more.
    found = [each for each in failures(judged(tmp_path, changes)) if not each.check.startswith("dockerfile.lint.")]
    assert [each.check for each in found] == [check], [f"{each.check}: {each.message}" for each in found]
    assert words in found[0].message
    assert found[0].evidence and found[0].why and found[0].remedy


def test_every_check_has_a_planted_defect() -> None:
    elsewhere = {check.id for check in lint.CHECKS} | {"layout.empty", "tron.comments", "tron.prose", "tron.coverage"}
    elsewhere |= {"nginx.user"}  # its own tests: the good tree has no such image
    assert {check.id for check in CHECKS} - {each[0] for each in PLANTED} - elsewhere == set()


def test_a_copied_empty_directory_is_found(tmp_path: Path) -> None:
    (tmp_path / "hollow").mkdir()
    found = failures(judged(tmp_path, docker("COPY service/", "COPY hollow/ hollow/\nCOPY service/")))
    assert [each.check for each in found] == ["layout.empty"]


HARMLESS: list[tuple[str, Changes]] = [
    ("nothing", {}),
    (
        "words with tron in them",
        {"service/engine.py": "class Engine:\n    electronic = 'strong neutron patron'\n    neutronStar = 1\n"},
    ),
    ("an address with a bad checksum", {"service/engine.py": f"class Engine:\n    to = '{ADDRESS[:-1]}x'\n"}),
    ("a python that does exist", docker('CMD ["-m"', 'ENTRYPOINT ["python", "-m"').copy()),
    (
        "an import guarded by ImportError",
        {"service/engine.py": FALLBACK},
    ),
    (
        "imports for type checking",
        {"service/engine.py": TYPED},
    ),
    (
        "a namespace package",
        main("from service.engine import Engine", "from service.parts.engine import Engine")
        | {"service/parts/engine.py": "class Engine: pass\n"},
    ),
    ("a heredoc", docker("WORKDIR /build", "WORKDIR /build\nRUN <<EOF\nmkdir /x\necho '\nFROM nothing\n'\nEOF").copy()),
    ("ARG declared again", {}),
    ("what .dockerignore lets through again", {".dockerignore": "*\n!service\n!requirements.txt\n"}),
    (
        "a name from a star import",
        main("from service.engine", "from service.all") | {"service/all.py": "from .engine import *\n"},
    ),
    ("a module's __getattr__", {"service/engine.py": "def __getattr__(name):\n    return object\n"}),
    (
        "a distribution of another name",
        {
            "service/engine.py": "import yaml\n\nclass Engine:\n    pass\n",
            "requirements.txt": "fastapi\nuvicorn\nPyYAML\n",
        },
    ),
    ("a marker for Windows", {"requirements.txt": "fastapi\nuvicorn\npywin32; sys_platform == 'win32'\n"}),
    (
        "a fallback that resolves",
        main(
            "from service.engine import Engine",
            "try:\n    from service.fast import Engine\nexcept ImportError:\n    from service.engine import Engine",
        ),
    ),
    ("continued lines and comments", docker("RUN pip install", "RUN \\\n# a comment\n  pip \\\n  install")),
    ("a variable in COPY", docker("COPY service/ service/", "ARG D=service\nCOPY ${D}/ ${D:-x}/")),
    (
        "a directory named like a module of the standard library",
        main("import uvicorn", "import email.message\n\nimport uvicorn")
        | docker("COPY service/", "COPY email/ email/\nCOPY service/")
        | {"email/x.txt": "x"},
    ),
    ("compose with anchors", compose("    mem_limit: 256m\n", "    <<: *m\n") | {}),
]


@pytest.mark.parametrize(("name", "changes"), HARMLESS, ids=[each[0] for each in HARMLESS])
def test_what_only_looks_wrong_is_not_reported(tmp_path: Path, name: str, changes: Changes) -> None:
    if name == "a python that does exist":
        changes = docker('CMD ["-m", "service.main"]', 'ENTRYPOINT ["python"]\nCMD ["-m", "service.main"]')
    if name == "compose with anchors":
        changes = {
            "compose.yaml": "x-m: &m\n  mem_limit: 256m\n" + replaced(COMPOSE, "    mem_limit: 256m\n", "    <<: *m\n")
        }
    judgment = judged(tmp_path, changes)
    assert not [f"{each.check}: {each.message}" for each in failures(judgment)]
    assert judgment.status == 0


def test_the_good_tree_leaves_nothing_untold(tmp_path: Path) -> None:
    skipped = [f"{each.check}: {each.message}" for each in judged(tmp_path).findings if each.verdict is Verdict.SKIP]
    assert skipped == ["compose.health: what the image has is not known"]
