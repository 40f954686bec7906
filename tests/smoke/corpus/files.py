"""Files that a Dockerfile needs and the build context may lack."""

from __future__ import annotations

from tests.smoke.cases import Case

POLICY = """\
[[exception]]
check = "dockerfile.stages"
contains = "not distroless"
reason = "this tree never promised it"

[[exception]]
check = "dockerfile.user"
contains = "not as 65532"
reason = "this tree never promised it"
"""
DOCKERFILE = """\
FROM python:3.12-slim
WORKDIR /srv
COPY worker.py ./
CMD ["python", "worker.py"]
"""
PLAIN = {"Dockerfile": DOCKERFILE, "worker.py": "print('up')\n", "smoke.toml": POLICY}

CASES = (
    Case(
        "entry-never-copied",
        PLAIN,
        {"Dockerfile": DOCKERFILE.replace("COPY worker.py ./\n", "")},
        check="entrypoint.exists",
        says="worker.py",
        fault="the script that CMD starts is in the tree and no COPY takes it",
    ),
    Case(
        "entry-left-out-by-dockerignore",
        PLAIN,
        {".dockerignore": "*.py\n"},
        check="dockerfile.context",
        says="worker.py",
        fault=".dockerignore takes the script out of the context",
    ),
)
