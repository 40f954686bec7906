"""Build arguments in start commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.finding import Finding, Severity, Verdict
from tests.smoke.cases import judge_files

MAIN = "import time\n\nwhile True:\n    time.sleep(1)\n"


def found(folder: Path, dockerfile: str, compose: str = "", more: dict[str, str] | None = None) -> list[Finding]:
    files = {**(more or {}), "Dockerfile": f"FROM python:3.12-slim\nCOPY main.py /\n{dockerfile}\n", "main.py": MAIN}
    judgment = judge_files(folder, {**files, **({"compose.yaml": compose} if compose else {})})
    return [each for each in judgment.findings if each.verdict is Verdict.FAIL and "only an ARG" in each.message]


@pytest.mark.parametrize(
    "command", ["python /main.py $MODE", 'python /main.py "${MODE}"', '["sh", "-c", "python /main.py $MODE"]']
)
def test_an_argument_is_gone(tmp_path: Path, command: str) -> None:
    assert [each.severity for each in found(tmp_path, f"ARG MODE=fast\nCMD {command}")] == [Severity.CRITICAL]


@pytest.mark.parametrize(
    "dockerfile",
    [
        "ARG MODE=fast\nENV MODE=$MODE\nCMD python /main.py $MODE",
        "ARG MODE=fast\nCMD python /main.py ${MODE:-slow}",
        "ARG MODE=fast\nCMD MODE=1; python /main.py $MODE",
        'ARG MODE=fast\nCMD ["python", "/main.py"]',
        "ARG MODE=fast\nCMD python /main.py $OTHER",
    ],
)
def test_what_is_given_is_let_be(tmp_path: Path, dockerfile: str) -> None:
    assert found(tmp_path, dockerfile) == []


@pytest.mark.parametrize(
    ("declared", "more", "severity"),
    [
        ("PORT=80", {}, Severity.CRITICAL),
        ("PORT=80", {"README.md": "docker run -p 80:80 app"}, Severity.CRITICAL),
        ("PORT", {}, Severity.WARNING),
        ("PORT=80", {"fly.toml": ""}, Severity.WARNING),
        ("PORT=80", {"README.md": "Deploy to Cloud Run."}, Severity.WARNING),
        ("PORT=80", {"run.sh": "docker run -e PORT=80 app"}, Severity.WARNING),
    ],
)
def test_a_port_may_be_given_by_a_platform(
    tmp_path: Path, declared: str, more: dict[str, str], severity: Severity
) -> None:
    dockerfile = f"ARG {declared}\nCMD python /main.py $PORT"
    assert [each.severity for each in found(tmp_path, dockerfile, more=more)] == [severity]


def test_compose_says_all_that_is_given(tmp_path: Path) -> None:
    dockerfile = "ARG PORT=80\nCMD python /main.py $PORT"
    service = "services:\n  web:\n    build: .\n"
    assert [each.severity for each in found(tmp_path / "a", dockerfile, service)] == [Severity.CRITICAL]
    given = f"{service}    environment:\n      PORT: 80\n"
    assert found(tmp_path / "b", dockerfile, given) == []
