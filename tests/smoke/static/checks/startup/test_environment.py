"""Variables without which the code cannot be loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "\nimport time\n\nwhile True:\n    time.sleep(1)\n"


def tree(code: str, lines: str = "", base: str = "python:3.12-slim", **more: str) -> Changes:
    """A script that is started, and the lines of the Dockerfile that stand between FROM and COPY."""
    dockerfile = f'FROM {base}\nWORKDIR /srv\n{lines}\nCOPY . .\nCMD ["python", "main.py"]\n'
    return {"Dockerfile": dockerfile, "main.py": code + LOOP, **more}


ASKS = "import os\nKEY = os.environ['API_KEY']"
CASES = [
    (ASKS, "", "", "skipped", "whoever starts the container"),
    (ASKS, "ENV API_KEY=x", "", "passed", ""),
    (ASKS, "", "", "skipped", "API_KEY"),
    (ASKS, "", "environment: {API_KEY: x}", "passed", ""),
    (ASKS, "", "environment: {OTHER: x}", "critical", "API_KEY is demanded as the code is loaded"),
    ("import os\nKEY = os.environ.get('API_KEY')", "", "environment: {}", "passed", ""),
    ("import os\ndef late():\n    os.environ['API_KEY']", "", "environment: {}", "passed", ""),
    ("import os\ntry:\n    os.environ['API_KEY']\nexcept KeyError:\n    pass", "", "environment: {}", "passed", ""),
    (ASKS.replace("API_KEY", "HOME"), "", "environment: {}", "passed", ""),
    (
        "from dotenv import load_dotenv\nload_dotenv()\n" + ASKS,
        "RUN pip install python-dotenv",
        "init: true",
        "skipped",
        "",
    ),
    (
        "from dotenv import load_dotenv\nload_dotenv()\n" + ASKS,
        "RUN pip install python-dotenv\nRUN echo API_KEY=x > .env",
        "init: true",
        "skipped",
        "",
    ),
    (ASKS, "RUN export API_KEY=x", "", "critical", "a RUN exports it"),
]


def test_a_dotenv_that_nothing_copies(tmp_path: Path) -> None:
    """What everyone makes for themselves is in the image only where a whole directory is copied."""
    files = tree("from dotenv import load_dotenv\nload_dotenv()\n" + ASKS, "RUN pip install python-dotenv")
    files = {**files, "compose.yaml": "services:\n  app: {build: .}\n"}
    assert says(tmp_path / "a", files, "startup.environment", "skipped", "API_KEY")
    left_out = {**files, ".dockerignore": "*.md\n.env\n"}
    assert says(tmp_path / "b", left_out, "startup.environment", "critical", "API_KEY")
    alone = {**files, "Dockerfile": str(files["Dockerfile"]).replace("COPY . .", "COPY main.py ./")}
    assert says(tmp_path / "c", alone, "startup.environment", "critical", "API_KEY")


@pytest.mark.parametrize(("code", "lines", "compose", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, code: str, lines: str, compose: str, outcome: str, words: str) -> None:
    more = {"compose.yaml": f"services:\n  app: {{build: ., {compose}}}\n"} if compose else {}
    assert says(tmp_path, tree(code, lines, **more), "startup.environment", outcome, words)


@pytest.mark.parametrize(("given", "outcome"), [("{DSN: x}", "passed"), ("{OTHER: x}", "critical")])
def test_an_entry_script_demands_variables_too(tmp_path: Path, given: str, outcome: str) -> None:
    files: Changes = {
        "Dockerfile": 'FROM python:3.12-slim\nCOPY . /\nENTRYPOINT ["sh", "/entry.sh"]\nCMD ["python", "/main.py"]\n',
        "entry.sh": '#!/bin/sh\n: "${DSN:?is not set}"\nexec "$@"\n',
        "main.py": LOOP,
        "compose.yaml": f"services:\n  app: {{build: ., environment: {given}}}\n",
    }
    assert says(tmp_path, files, "startup.environment", outcome, "DSN" if outcome == "critical" else "")
