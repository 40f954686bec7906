"""What the container starts exists, and is what the manifest says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says
from tests.smoke.static.checks.entrypoint.starting import tree


@pytest.mark.parametrize(
    ("files", "outcome", "words"),
    [
        (tree('["python", "main.py"]'), "passed", "/app/main.py is main.py"),
        (tree('["python", "-m", "main"]'), "passed", "module main is main.py"),
        (tree('["python", "/app/lost.py"]'), "critical", "there is no /app/lost.py in the image"),
        (tree('["python", "-m", "lost"]'), "critical", "there is no module lost in"),
        (tree('["python", "-m", "main.py"]'), "critical", "-m takes a module's name, without .py: main"),
        (tree('["python", "-m", "pack"]', pack__a=""), "critical", "package without __main__.py"),
        (tree('["python", "-m", "Main"]'), "critical", "/app/main.py has another name on Linux"),
        (tree('["python", "-m", "http.server"]'), "skipped", "http.server"),
        (tree('["python", "-m", "own"]', "RUN pip install own"), "skipped", "own"),
        (tree('["python", "/data/run.py"]', "RUN frobnicate /data"), "skipped", "cannot be followed"),
        (tree('["sleep", "9"]'), "skipped", ""),
    ],
)
def test_what_is_started_exists(tmp_path: Path, files: Changes, outcome: str, words: str) -> None:
    assert says(tmp_path, files, "entrypoint.exists", outcome, words)


def test_what_is_started_is_what_the_manifest_says(tmp_path: Path) -> None:
    manifest = '[[service]]\nname = "one"\ndockerfile = "Dockerfile"\n'
    for number, (key, outcome) in enumerate(
        [('module = "main"', "passed"), ('module = "other"', "critical"), ('script = "other.py"', "critical")]
    ):
        files = {**tree('["python", "-m", "main"]'), "smoke.toml": manifest + key}
        words = "the manifest says other" if outcome == "critical" else ""
        assert says(tmp_path / str(number), files, "entrypoint.exists", outcome, words)
