"""What a program demands of whoever starts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import critical, judge_files

MAIN = "import sys\nprint(sys.argv[1])\n"


@pytest.mark.parametrize(
    ("start", "lacks"),
    [
        ('CMD ["python", "main.py"]', True),
        ('CMD ["python", "main.py", "a"]', False),
        ('ENTRYPOINT ["python", "main.py"]', False),
    ],
)
def test_arguments_that_the_command_does_not_give(tmp_path: Path, start: str, lacks: bool) -> None:
    dockerfile = f"FROM python:3.12-slim\nWORKDIR /app\nCOPY main.py .\n{start}\n"
    found = critical(judge_files(tmp_path, {"Dockerfile": dockerfile, "main.py": MAIN}))
    assert any("sys.argv[1]" in each.message for each in found) is lacks
