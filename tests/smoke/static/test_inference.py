"""The manifest that `lucid smoke init` writes: its own tree satisfies it, or it says what fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifest import resolved
from smoke.manifestfile import ManifestError, parse_manifest
from smoke.static.inference import write_manifest
from smoke.static.treejudge import judge
from smoke.subject import Subject
from tests.smoke.cases import Case, Files, write_files
from tests.smoke.corpus import compose, dockerfile, kept, steps

LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"
CASES = [*[*compose.CASES, *dockerfile.CASES, *steps.CASES][::5], *kept.CASES[::4]]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_healthy_tree_satisfies_its_own_manifest(tmp_path: Path, case: Case) -> None:
    write_files(tmp_path, case.healthy)
    text = write_manifest(tmp_path)
    judgment = judge(Subject(tmp_path, resolved(parse_manifest(text.encode())), "smoke.toml"))
    assert judgment.status == 0, [(each.check, each.message) for each in judgment.of("critical")]


def test_a_failure_is_a_comment_and_no_demand(tmp_path: Path) -> None:
    start = 'EXPOSE 80\nCMD ["python", "/w/lop.py"]\n'
    files: Files = {
        "Dockerfile": f'FROM python:3.12-slim\nLABEL a="$NOTHING"\nCOPY loop.py /w/\n{start}',
        "loop.py": LOOP,
    }
    text = write_manifest(write_files(tmp_path, files))
    assert "user =" not in text and "script =" not in text and "labels =" not in text
    failing = text.partition("# What fails today")[2]
    assert "#   dockerfile.entrypoint" in failing and "lop.py" in failing


def test_what_compose_gives_is_written(tmp_path: Path) -> None:
    files: Files = {
        "Dockerfile": "ARG V\nFROM python:${V}-slim AS web\nCOPY loop.py /\nUSER 1000:1000\nFROM web AS test\n",
        "loop.py": LOOP,
        "compose.yaml": "services:\n  site:\n    build:\n      context: .\n      target: web\n      args: {V: 3.12}\n"
        "    command: python /loop.py\n",
    }
    text = write_manifest(write_files(tmp_path, files))
    manifest = resolved(parse_manifest(text.encode()))
    [service] = manifest.services
    assert (service.name, service.target, service.build_arguments) == ("site", "web", {"V": "3.12"})
    assert (service.user, service.script) == ("1000:1000", "loop.py")
    assert judge(Subject(tmp_path, manifest, "smoke.toml")).status == 0


def test_a_tree_without_containers_has_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no Dockerfile"):
        write_manifest(tmp_path)
