"""A service runs the image that is built, by the name that the manifest says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

APP = 'FROM python:3.12-slim\nCOPY main.py /\nEXPOSE 8080\nCMD ["python", "/main.py"]\n'
LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"


def tree(compose: str, **more: str) -> Changes:
    """A tree with one Dockerfile and this Compose file."""
    return {"Dockerfile": APP, "main.py": LOOP, "compose.yaml": compose, **more}


MANIFEST = '[[service]]\nname = "app"\ndockerfile = "Dockerfile"\nimage = "example/app:1"\n'
CASES = [
    ("services:\n  app: {build: ., image: 'example/app:1'}\n", "passed", "example/app:1"),
    ("services:\n  app: {build: ., image: 'example/app:2'}\n", "warning", "example/app:1 is built"),
    ("services:\n  app: {build: ., image: 'example/app:${TAG:-1}'}\n", "passed", ""),
]


@pytest.mark.parametrize(("compose", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, compose: str, outcome: str, words: str) -> None:
    files = tree(compose, **{"smoke.toml": MANIFEST})
    assert says(tmp_path, files, "compose.images", outcome, words)
