"""Files that a Dockerfile needs and the build context may lack."""

from __future__ import annotations

import io
import tarfile

from tests.smoke.cases import Case


def archive(**files: str) -> bytes:
    """A compressed tar archive with some files of Python."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as made:
        for name, text in files.items():
            member = tarfile.TarInfo(f"app/{name}.py")
            member.size = len(text)
            made.addfile(member, io.BytesIO(text.encode()))
    return held.getvalue()


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
    Case(
        "archive-that-add-unpacks",
        {
            "Dockerfile": 'FROM python:3.12-slim\nADD service.tar.gz /srv/\nCMD ["python", "/srv/app/serve.py"]\n',
            "service.tar.gz": archive(serve="print('up')\n"),
            "smoke.toml": POLICY,
        },
        {"service.tar.gz": archive(server="print('up')\n")},
        check="entrypoint.exists",
        says="/srv/app/serve.py",
        fault="the archive that ADD unpacks has the script under another name",
    ),
)
