"""What a user may do with a path: the rights of the last three bits, owners, read-only systems."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "\nimport time\n\nwhile True:\n    time.sleep(1)\n"


def tree(code: str, lines: str = "", base: str = "python:3.12-slim", **more: str) -> Changes:
    """A script that is started, and the lines of the Dockerfile that stand between FROM and COPY."""
    dockerfile = f'FROM {base}\nWORKDIR /srv\n{lines}\nCOPY . .\nCMD ["python", "main.py"]\n'
    return {"Dockerfile": dockerfile, "main.py": code + LOOP, **more}


WRITES = "open('/data/x', 'w')"
CASES = [
    (WRITES, "RUN mkdir /data\nUSER 1000", "critical", "/data belongs to root, not to 1000"),
    (WRITES, "RUN mkdir -m 777 /data\nUSER 1000", "passed", ""),
    (WRITES, "RUN mkdir -m 707 /data\nUSER 1000", "passed", ""),
    (WRITES, "RUN mkdir -m 770 /data\nUSER 1000", "passed", ""),
    (WRITES, "RUN mkdir -m 755 /data\nUSER 1000", "critical", "/data belongs to root"),
    (WRITES, "RUN mkdir -m 077 /data && chown 1000 /data\nUSER 1000", "critical", "user 1000"),
    ("open('/data/x')", "RUN mkdir /data && touch /data/x && chmod 604 /data/x\nUSER 1000", "passed", ""),
    ("open('/data/x')", "RUN mkdir /data && touch /data/x && chmod 640 /data/x\nUSER 1000", "passed", ""),
    ("open('/data/x')", "RUN mkdir /data && touch /data/x && chmod 600 /data/x\nUSER 1000", "critical", "closed"),
    (WRITES, "RUN mkdir /data && chown 1000 /data\nUSER 1000", "passed", ""),
    (WRITES, "RUN mkdir /data && chown 1001 /data\nUSER 1000", "critical", "user 1001"),
    (WRITES, "RUN mkdir /data", "passed", ""),
    (WRITES, "USER 1000", "critical", "the directory /data is not in the image"),
    (WRITES, "RUN unknown-tool\nUSER 1000", "critical", ""),
    ("open('/dev/null', 'w')", "USER 1000", "passed", ""),
    ("open('/run/secrets/key')", "", "passed", ""),
    ("import os\nos.mkdir('/srv/new')", "RUN mkdir /srv/new", "critical", "is in the image already"),
]


@pytest.mark.parametrize(("code", "lines", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, code: str, lines: str, outcome: str, words: str) -> None:
    assert says(tmp_path, tree(code, lines), "startup.files", outcome, words)


@pytest.mark.parametrize(
    ("keys", "outcome"),
    [
        ("read_only: true", "critical"),
        ("read_only: true, tmpfs: [/srv/logs]", "passed"),
        ("read_only: true, volumes: ['logs:/srv/logs']", "passed"),
        ("init: true", "passed"),
    ],
)
def test_a_read_only_file_system_is_writable_where_something_is_mounted(
    tmp_path: Path, keys: str, outcome: str
) -> None:
    compose = f"services:\n  app: {{build: ., {keys}}}\nvolumes: {{logs: {{}}}}\n"
    files = tree("open('/srv/logs/x', 'w')", **{"compose.yaml": compose, "logs/.keep": ""})
    words = "read-only" if outcome == "critical" else ""
    assert says(tmp_path, files, "startup.files", outcome, words)


@pytest.mark.parametrize(("granted", "outcome"), [("secrets: [key]", "skipped"), ("init: true", "critical")])
def test_a_secret_is_there_where_compose_grants_it(tmp_path: Path, granted: str, outcome: str) -> None:
    compose = f"services:\n  app: {{build: ., {granted}}}\nsecrets: {{key: {{file: ./key}}}}\n"
    files = tree("open('/run/secrets/key')", **{"compose.yaml": compose, "key": "x"})
    assert says(tmp_path, files, "startup.files", outcome, "no such secret" if outcome == "critical" else "")
