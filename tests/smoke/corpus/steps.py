"""Build steps that surely fail where they stand, base images, packages, and what the container then executes."""

from __future__ import annotations

from tests.smoke.cases import Case, Content, Script

LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"


def image(base: str, *lines: str, start: str = 'CMD ["python3", "/w/loop.py"]') -> str:
    """A Dockerfile that starts `loop.py`."""
    return "\n".join([f"FROM {base}", *lines, "COPY loop.py /w/loop.py", start, ""])


def step(
    name: str,
    base: str,
    broken: str,
    healthy: str,
    says: str = "",
    *,
    start: str = 'CMD ["python3", "/w/loop.py"]',
    check: str = "dockerfile.steps",
    more: dict[str, Content] | None = None,
) -> Case:
    """Lines in front of the COPY that stop the build, and how they would be right."""
    files: dict[str, Content] = {
        "Dockerfile": image(base, healthy, start=start),
        "loop.py": LOOP,
        "tool.sh": Script("#!/bin/sh\ntrue\n"),
        "req.txt": "flask==3.0.0\n",
        **(more or {}),
    }
    return Case(name, files, {"Dockerfile": image(base, broken, start=start)}, check=check, says=says, fault=broken)


def start(name: str, base: str, broken: str, healthy: str, says: str = "", *lines: str, **files: Content) -> Case:
    """A CMD or ENTRYPOINT that ends at once, and how it would be right."""
    tree: dict[str, Content] = {"Dockerfile": image(base, *lines, start=healthy), "loop.py": LOOP}
    tree |= {path.replace("__", "."): content for path, content in files.items()}
    changes = {"Dockerfile": image(base, *lines, start=broken)}
    return Case(name, tree, changes, check="dockerfile.entrypoint", says=says, fault=broken)


SLIM, ALPINE, DEBIAN = "python:3.12-slim-bookworm", "python:3.12-alpine3.20", "debian:bookworm-slim"
RUN_SH = Script("#!/bin/sh\nexec python3 /w/loop.py\n")

CASES = (
    step(
        "curl-in-slim",
        SLIM,
        "RUN curl -O https://e.org/a",
        "RUN apt-get update && apt-get install -y curl && curl e.org",
    ),
    step(
        "git-in-alpine",
        ALPINE,
        "RUN git clone https://e.org/a",
        "RUN apk add --no-cache git && git clone https://e.org/a",
    ),
    step("gcc-in-slim", SLIM, "RUN set -e; gcc --version; true", "RUN gcc --version; true", "gcc"),
    step("apt-in-alpine", ALPINE, "RUN apt-get update", "RUN apk update"),
    step("apk-in-debian", SLIM, "RUN apk add curl", "RUN apt-get update"),
    step("bash-in-alpine", ALPINE, "RUN bash -c 'true'", "RUN apk add bash && bash -c true"),
    step("missing-is-caught", SLIM, "RUN wget e.org/x", "RUN wget e.org/x || true"),
    step("missing-under-condition", SLIM, "RUN wget e.org/x", 'RUN if [ "$X" = 1 ]; then wget e.org/x; fi'),
    step("missing-in-the-middle", SLIM, "RUN true && unzip a.zip && true", "RUN unzip a.zip; true"),
    step("apt-as-user", SLIM, "USER 1000\nRUN apt-get update", "RUN apt-get update\nUSER 1000", "root"),
    step("useradd-as-user", SLIM, "USER nobody\nRUN useradd -m joe", "RUN useradd -m joe\nUSER joe", "root"),
    step("user-again-root", SLIM, "USER 7\nRUN apt-get update", "USER 7\nUSER root\nRUN apt-get update"),
    step("mkdir-as-user", SLIM, "WORKDIR /w\nUSER 9\nRUN mkdir data", "USER 9\nWORKDIR /w\nRUN mkdir data", "belongs"),
    step(
        "requirements-later",
        SLIM,
        "RUN pip install -r /w/req.txt",
        "COPY req.txt /w/\nRUN pip install -r /w/req.txt",
        "req",
    ),
    step("script-later", SLIM, "RUN sh /w/tool.sh", "COPY tool.sh /w/\nRUN sh /w/tool.sh", "tool.sh"),
    step("chmod-nothing", SLIM, "RUN chmod +x /w/tool.sh", "COPY tool.sh /w/\nRUN chmod +x /w/*.sh", "tool.sh"),
    step("chown-nothing", SLIM, "RUN chown -R 1:1 /w/data", "RUN mkdir -p /w/data && chown -R 1:1 /w/data", "/w/data"),
    step("remove-nothing", SLIM, "RUN rm /w/a.txt", "RUN rm -f /w/a.txt"),
    step("move-nothing", SLIM, "RUN mv /w/a.txt /b", "RUN touch /tmp/a && mv /tmp/a /b"),
    step(
        "execute-without-bit",
        SLIM,
        "COPY plain.sh /w/\nRUN /w/plain.sh",
        "COPY plain.sh /w/\nRUN chmod 755 /w/plain.sh && /w/plain.sh",
        "not executable",
        more={"plain.sh": "#!/bin/sh\ntrue\n"},
    ),
    step(
        "execute-without-interpreter",
        ALPINE,
        "COPY it.sh /w/\nRUN /w/it.sh",
        "COPY it.sh /w/\nRUN sh /w/it.sh",
        "/bin/bash",
        more={"it.sh": Script("#!/bin/bash\ntrue\n")},
    ),
    step(
        "no-shell",
        "gcr.io/distroless/python3-debian12",
        "RUN mkdir /d",
        'SHELL ["/usr/bin/python3", "-c"]\nRUN print(1)',
        "/bin/sh",
        start='CMD ["/w/loop.py"]',
    ),
    step(
        "pip-of-nothing",
        "ubuntu:24.04",
        "RUN apt-get update && apt-get install -y python3 && pip install flask",
        "RUN apt-get update && apt-get install -y python3-pip && pip install --break-system-packages flask",
        "pip",
    ),
    start(
        "python-not-python3",
        DEBIAN,
        'CMD ["python", "/w/loop.py"]',
        'CMD ["python3", "/w/loop.py"]',
        "python",
        "RUN apt-get update && apt-get install -y python3",
    ),
    start(
        "python-by-package",
        DEBIAN,
        'CMD ["python2", "x"]',
        'CMD ["python", "/w/loop.py"]',
        "",
        "RUN apt update && apt install -y python-is-python3",
    ),
    start(
        "python-of-alpine",
        "alpine:3.20",
        'CMD ["python3.9", "/w/loop.py"]',
        'CMD ["python3.12", "/w/loop.py"]',
        "",
        "RUN apk add python3",
    ),
    start(
        "other-minor",
        "python:3.13-slim",
        'CMD ["python3.11", "/w/loop.py"]',
        'CMD ["python3.13", "/w/loop.py"]',
        "3.11",
    ),
    start("one-word", SLIM, 'CMD ["python3 /w/loop.py"]', "CMD python3 /w/loop.py", "one word"),
    start("dollar-in-exec-form", SLIM, 'CMD ["$PY", "/w/loop.py"]', "CMD $PY /w/loop.py", "as it is", "ENV PY=python3"),
    start(
        "no-bit",
        SLIM,
        'ENTRYPOINT ["/run.sh"]',
        'ENTRYPOINT ["sh", "/run.sh"]',
        "not executable",
        "COPY run.sh /",
        run__sh=RUN_SH.text,
    ),
    start(
        "bit-by-chmod",
        SLIM,
        'ENTRYPOINT ["/ran.sh"]',
        'ENTRYPOINT ["/run.sh"]',
        "",
        "COPY run.sh /",
        "RUN chmod a+rx /run.sh",
        run__sh=RUN_SH.text,
    ),
    start(
        "carriage-return",
        SLIM,
        'ENTRYPOINT ["/run.sh"]',
        'ENTRYPOINT ["python3", "/w/loop.py"]',
        "carriage",
        "COPY run.sh /",
        run__sh=Script("#!/bin/sh\r\nexec python3 /w/loop.py\r\n"),
    ),
    start(
        "env-interpreter",
        ALPINE,
        'ENTRYPOINT ["/run.sh"]',
        'ENTRYPOINT ["sh", "/run.sh"]',
        "bash",
        "COPY run.sh /",
        run__sh=Script("#!/usr/bin/env bash\nexec python3 /w/loop.py\n"),
    ),
    start(
        "tini-missing",
        SLIM,
        'ENTRYPOINT ["tini", "--", "python3", "/w/loop.py"]',
        'CMD ["python3", "/w/loop.py"]',
        "tini",
    ),
    start(
        "tini-of-apk",
        ALPINE,
        'ENTRYPOINT ["/usr/bin/tini", "python3"]',
        'ENTRYPOINT ["/sbin/tini", "--", "python3", "/w/loop.py"]',
        "tini",
        "RUN apk add --no-cache tini",
    ),
    Case(
        "health-by-pip-tool",
        {"Dockerfile": image(SLIM, "RUN pip install httpie", "HEALTHCHECK CMD http :80"), "loop.py": LOOP},
        {"Dockerfile": image(SLIM, "RUN pip install httpie", "HEALTHCHECK CMD curl -f :80 || exit 1")},
        check="dockerfile.health",
        says="curl",
        fault="pip brings no curl",
    ),
    Case(
        "health-unknown-base",
        {"Dockerfile": image("registry.example.org/base:7", "HEALTHCHECK CMD curl -f :80"), "loop.py": LOOP},
        fault="what an unknown base holds is not known",
    ),
    Case(
        "mirrors-and-digests",
        {
            "Dockerfile": image("public.ecr.aws/docker/library/python:3.12-slim@sha256:" + "0" * 64),
            "Dockerfile.two": image("docker.io/library/python:3.12.4-slim-bookworm"),
            "Dockerfile.three": image("ghcr.io/astral-sh/uv:python3.12-bookworm-slim"),
            "Dockerfile.four": image("harbor.example.org/dockerhub/library/python:3.12"),
            "loop.py": LOOP,
        },
        {"Dockerfile.three": image("ghcr.io/astral-sh/uv:python3.12-bookworm-slim", "RUN curl e.org")},
        check="dockerfile.steps",
        fault="an image is known by whatever name",
    ),
)
