"""Compose projects: what they give to an image, and what Compose itself refuses."""

from __future__ import annotations

from tests.smoke.cases import Case, Changes, Content, Files

LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"
DOCKERFILE = """\
FROM python:3.12-slim AS run
WORKDIR /w
COPY loop.py other.py ./
EXPOSE 8080
CMD ["python", "loop.py"]
"""


def tree(compose: str, more: Files | None = None, dockerfile: str = DOCKERFILE, behind: str = "") -> dict[str, Content]:
    """A tree whose Compose file has these lines below `web`, and others behind it."""
    lines = "".join(f"    {line}\n" for line in compose.splitlines()) + behind
    files = {"Dockerfile": dockerfile, "loop.py": LOOP, "other.py": LOOP, "compose.yaml": f"services:\n  web:\n{lines}"}
    return {**files, **(more or {})}


def case(name: str, broken: str, healthy: str, check: str, says: str = "", more: Files | None = None) -> Case:
    """Lines of one service that break it, and how they would be right."""
    changes: Changes = {"compose.yaml": tree(broken)["compose.yaml"]}
    return Case(name, tree(healthy, more), changes, check=check, says=says, fault=broken)


TWO = "build: .\ndepends_on:\n  db:\n    condition: service_healthy\n"
DATABASE = "  db:\n    image: postgres:17\n"
HEALTHY = DATABASE + "    healthcheck:\n      test: [CMD-SHELL, pg_isready]\n"
BUILDER = "FROM python:3.12-slim AS web\nCOPY loop.py /\nCMD python /loop.py\nFROM web AS test\nCMD python /tests.py\n"

CASES = (
    case(
        "command-other-file",
        "build: .\ncommand: python lop.py",
        "build: .\ncommand: python other.py",
        "dockerfile.entrypoint",
    ),
    case(
        "command-list",
        "build: .\ncommand: [python lop.py]",
        "build: .\ncommand: [python, other.py]",
        "dockerfile.entrypoint",
    ),
    case(
        "command-needs-no-shell",
        "build: .\ncommand: cd /w && python loop.py",
        'build: .\ncommand: sh -c "cd /w && python loop.py"',
        "dockerfile.entrypoint",
    ),
    case(
        "entrypoint-takes-the-command-away",
        "build: .\nentrypoint: python",
        "build: .\nentrypoint: python\ncommand: other.py",
        "dockerfile.entrypoint",
    ),
    case("working-directory", "build: .\nworking_dir: /srv", "build: .\nworking_dir: /w", "dockerfile.entrypoint"),
    case("context-missing", "build: ./app", "build: .", "compose.services", "app"),
    case(
        "dockerfile-missing",
        "build:\n  context: .\n  dockerfile: Dockerfile.web",
        "build:\n  context: .\n  dockerfile: Dockerfile",
        "compose.services",
        "Dockerfile.web",
    ),
    case(
        "target-missing",
        "build:\n  context: .\n  target: runs",
        "build:\n  context: .\n  target: run",
        "dockerfile.parse",
        "runs",
    ),
    case("nothing-to-run", "ports: ['80:80']", "image: nginx\nports: ['80:80']", "compose.services", "neither"),
    case(
        "env-file",
        "build: .\nenv_file: [web.env]",
        "build: .\nenv_file:\n  - path: web.env\n    required: false",
        "compose.environment",
        "web.env",
    ),
    case(
        "port-of-no-one",
        "build: .\nports: ['80:5000']",
        "build: .\nports: ['127.0.0.1:80:8080/tcp']",
        "compose.ports",
        "5000",
    ),
    case(
        "port-by-variable",
        "build: .\nports:\n  - target: 9000",
        "build: .\nports:\n  - target: 9000\nenvironment:\n  PORT: 9000",
        "compose.ports",
    ),
    case(
        "health-needs-curl",
        "build: .\nhealthcheck:\n  test: [CMD, curl, -f, localhost:8080]",
        "build: .\nhealthcheck:\n  test: [CMD, python, -c, 'pass']",
        "compose.health",
        "curl",
    ),
    case(
        "health-other-port",
        "build: .\nhealthcheck:\n  test: python -c 'x(\"http://localhost:80/\")'",
        "build: .\nhealthcheck:\n  test: python -c 'x(\"http://localhost:8080/\")'",
        "compose.health",
        "80",
    ),
    case(
        "volume-not-declared",
        "build: .\nvolumes: ['cache:/c']",
        "build: .\nvolumes: ['/c', './loop.py:/w/x.py']",
        "compose.networks",
        "cache",
    ),
    case(
        "mount-hides-code",
        "build: .\nvolumes: ['./docs:/w']",
        "build: .\nvolumes: ['./docs:/docs']",
        "dockerfile.entrypoint",
        more={"docs/a.md": "a\n"},
    ),
    case("tmpfs-hides-code", "build: .\ntmpfs: /w", "build: .\ntmpfs: [/tmp]", "dockerfile.entrypoint"),
    case("key-twice", "build: .\nuser: '1'\nuser: '2'", "build: .\nuser: '1'", "compose.services", "twice"),
    case("extends-no-one", "extends:\n  service: base", "build: .", "compose.services", "base"),
    Case(
        "waits-for-health",
        {
            **tree(""),
            "compose.yaml": "services:\n  web:\n    build: .\n    depends_on:\n      db:\n        condition: service_healthy\n"
            + HEALTHY,
        },
        {
            "compose.yaml": "services:\n  web:\n    build: .\n    depends_on:\n      db:\n        condition: service_healthy\n"
            + DATABASE
        },
        check="compose.depends",
        says="db",
        fault="postgres has no health check of its own",
    ),
    Case(
        "depends-on-a-profile",
        tree("build: .\ndepends_on: [db]", {})
        | {"compose.yaml": "services:\n  web:\n    build: .\n    depends_on: [db]\n  db:\n    image: redis\n"},
        {
            "compose.yaml": "services:\n  web:\n    build: .\n    depends_on: [db]\n  db:\n    image: redis\n    profiles: [all]\n"
        },
        check="compose.depends",
        says="profile",
    ),
    Case(
        "includes",
        tree("build: .\ndepends_on: [cache]", {"infra/cache.yaml": "services:\n  cache:\n    image: redis:8\n"})
        | {"compose.yaml": "include: [infra/cache.yaml]\nservices:\n  web:\n    build: .\n    depends_on: [cache]\n"},
        {"compose.yaml": "include: [infra/redis.yaml]\nservices:\n  web:\n    build: .\n"},
        check="compose.services",
        says="infra/redis.yaml",
    ),
    Case(
        "overlay-of-a-base",
        tree("build: .\nnetworks: [inner]")
        | {
            "compose.yaml": "services:\n  web:\n    build: .\nnetworks:\n  inner:\n",
            "compose.prod.yaml": "services:\n  web:\n    networks: [inner]\n    command: [python, other.py]\n    ports: !override []\n",
            "docker-compose.ci.yml": "services:\n  test:\n    image: busybox\n    command: 'true'\n",
        },
        {"compose.prod.yaml": "services:\n  web:\n    command: [python, gone.py]\n"},
        check="dockerfile.entrypoint",
        says="gone.py",
    ),
    Case(
        "anchors-merges-and-blocks",
        tree("")
        | {
            "compose.yaml": "x-env: &env\n  A: one\n  B: |\n    two\n    lines\nx-web: &web\n  build: {context: ., args: [P=1]}\n  environment: &e\n    <<: *env\n"
            "services:\n  web:\n    <<: *web\n    command: >-\n      python\n      other.py\n  worker:\n    <<: [*web]\n    environment:\n      <<: [*e, *env]\n      C: ${HOME:-x}\n"
        },
        {"compose.yaml": "x-web: &web\n  build: .\n  command: python none.py\nservices:\n  web:\n    <<: *web\n"},
        check="dockerfile.entrypoint",
        says="none.py",
    ),
    Case(
        "gives-arguments-and-target",
        tree("")
        | {
            "Dockerfile": "ARG V\n" + BUILDER.replace("3.12", "${V}"),
            "compose.yaml": "services:\n  web:\n    build:\n      context: .\n      target: web\n      args: {V: 3.12}\n",
        },
        {
            "compose.yaml": "services:\n  web:\n    build:\n      context: .\n      target: test\n      args: {V: 3.12}\n"
        },
        check="dockerfile.entrypoint",
        says="tests.py",
    ),
    Case(
        "secrets-of-everyone",
        tree(
            "build: .\nenv_file: .env\nsecrets: [s]\n",
            {".env.example": "A=1\n"},
            behind="secrets:\n  s:\n    environment: S\n",
        ),
        fault="the file of variables is made from its example",
    ),
    Case(
        "names-of-dockerfiles",
        {"Containerfile": DOCKERFILE, "loop.py": LOOP, "other.py": LOOP, "dockerfile": DOCKERFILE},
        {"Containerfile": DOCKERFILE.replace("other.py", "none.py")},
        check="dockerfile.context",
    ),
    Case(
        "name-with-a-dash",
        {"Dockerfile-web": DOCKERFILE, "loop.py": LOOP, "other.py": LOOP, "Dockerfile.md": "# how\n"},
        {"Dockerfile-web": "FRM x\n"},
        check="dockerfile.parse",
    ),
    Case(
        "name-with-a-suffix",
        {"web.Dockerfile": DOCKERFILE, "loop.py": LOOP, "other.py": LOOP},
        {"web.Containerfile": "FRM x\n"},
        check="dockerfile.parse",
    ),
    Case(
        "templates-and-devcontainers",
        {
            "Dockerfile": DOCKERFILE,
            "loop.py": LOOP,
            "other.py": LOOP,
            ".devcontainer/Dockerfile": "FROM ${X}\n",
            "{{ cookiecutter.x }}/Dockerfile": "FROM {{ cookiecutter.y }}\n",
            "t/Dockerfile.j2": "{% if a %}\n",
            "u/Dockerfile": "FROM python\n{%- if x %}\nRUN x\n{%- endif %}\n",
        },
    ),
    Case(
        "bake-gives-target",
        tree("")
        | {
            "compose.yaml": "services:\n  db:\n    image: redis\n",
            "Dockerfile": BUILDER,
            "docker-bake.hcl": 'variable "T" {\n  default = "web"\n}\ngroup "default" { targets = ["app"] }\ntarget "app" {\n  context = "."\n  target = "${T}"\n  tags = ["a:${T}"]\n}\n',
        },
        {"docker-bake.hcl": 'target "app" {\n  target = "test"\n}\n'},
        check="dockerfile.entrypoint",
        says="tests.py",
    ),
    Case(
        "workflow-gives-target",
        {
            "img/Dockerfile": BUILDER,
            "loop.py": LOOP,
            ".github/workflows/ci.yml": "on: push\njobs:\n  b:\n    steps:\n      - run: |\n          docker build \\\n            -f img/Dockerfile --target web -t a .\n",
        },
        {
            ".github/workflows/ci.yml": "jobs:\n  b:\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          context: .\n          file: img/Dockerfile\n          target: test\n"
        },
        check="dockerfile.entrypoint",
        says="tests.py",
    ),
)
