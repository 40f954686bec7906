"""A health check that cannot succeed keeps a container unhealthy forever."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"
SLIM = 'FROM python:3.12-slim\nCOPY main.py /\nEXPOSE 8080\n{}\nCMD ["python", "/main.py"]\n'
CASES = [
    ("", "info", "no health check"),
    ("HEALTHCHECK NONE", "info", "no health check"),
    ("HEALTHCHECK CMD curl -f http://localhost:8080/", "critical", "curl is not in the image"),
    ("RUN apt-get update && apt-get install -y curl\nHEALTHCHECK CMD curl -f http://localhost:8080/", "passed", ""),
    ("HEALTHCHECK CMD curl -f http://localhost:8080/ || python -V", "passed", ""),
    ('HEALTHCHECK CMD ["python", "/probe.py"]', "critical", "/probe.py, which it runs, is not in the image"),
    ('HEALTHCHECK CMD ["python", "/main.py"]', "passed", ""),
    ('HEALTHCHECK CMD ["python", "-c", "import urllib; open(\'http://localhost:8081/\')"]', "critical", "port 8081"),
    ('HEALTHCHECK CMD ["python", "-c", "import urllib; open(\'http://localhost:8080/\')"]', "passed", ""),
]


@pytest.mark.parametrize(("line", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, line: str, outcome: str, words: str) -> None:
    files: Changes = {"Dockerfile": SLIM.format(line), "main.py": LOOP}
    assert says(tmp_path, files, "dockerfile.health", outcome, words)


def test_a_shell_form_needs_a_shell(tmp_path: Path) -> None:
    dockerfile = "FROM gcr.io/distroless/python3-debian12\nCOPY main.py /\nHEALTHCHECK CMD python3 /main.py\n"
    files: Changes = {"Dockerfile": dockerfile, "main.py": LOOP}
    assert says(tmp_path, files, "dockerfile.health", "critical", "/bin/sh")


@pytest.mark.parametrize(("path", "outcome"), [("/health", "passed"), ("/health/", "passed"), ("/", "critical")])
def test_a_manifest_demands_a_path(tmp_path: Path, path: str, outcome: str) -> None:
    asked = f'HEALTHCHECK CMD ["python", "-c", "get(\'http://localhost:8080{path}\')"]'
    manifest = '[[service]]\nname = "app"\ndockerfile = "Dockerfile"\nhealth = "/health"\n'
    files: Changes = {"Dockerfile": SLIM.format(asked), "main.py": LOOP, "smoke.toml": manifest}
    assert says(tmp_path, files, "dockerfile.health", outcome, "")
