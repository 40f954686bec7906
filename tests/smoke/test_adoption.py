"""What other projects paste: the action, the hook and the extra are what they say."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from tests.smoke.cases import write_files

ROOT = Path(__file__).parents[2]
TREE = {"Dockerfile": 'FROM python:3.12-slim\nCOPY a.py /\nCMD ["python", "/b.py"]\n', "a.py": "print(1)\n"}


def test_the_hook_needs_what_the_extra_names() -> None:
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert sorted(hook["additional_dependencies"]) == sorted(extras["static"])
    assert hook["entry"] == "lucid smoke static" and hook["pass_filenames"] is False


def test_the_action_s_own_step_judges_a_tree(tmp_path: Path) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    [judge] = [step for step in action["runs"]["steps"] if step.get("name") == "Judge"]
    tools = tmp_path / "temp" / "lucid-smoke" / "bin"
    tools.mkdir(parents=True)
    (tools / "lucid").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lucid.cli.main "$@"\n')
    (tools / "lucid").chmod(0o755)
    write_files(tmp_path / "tree", TREE)
    given = dict.fromkeys(judge["env"], "") | {"ROOT": str(tmp_path / "tree"), "STRICT": "false"}
    summary, sarif = tmp_path / "summary.md", tmp_path / "out.sarif"
    environment = {**os.environ, **given, "SARIF": str(sarif), "GITHUB_STEP_SUMMARY": str(summary)}
    environment["RUNNER_TEMP"] = str(tmp_path / "temp")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", judge["run"]], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "::error title=dockerfile.entrypoint" in done.stdout and "file=Dockerfile,line=3" in done.stdout
    assert "/b.py" in summary.read_text() and sarif.stat().st_size
    assert set(judge["env"]) <= {"ROOT", "MANIFEST", "PROFILE", "STRICT", "SARIF"}


@pytest.mark.parametrize("missing", ["packaging", "tree_sitter", "yaml"])
def test_the_missing_extra_is_told_in_one_line(tmp_path: Path, missing: str) -> None:
    write_files(tmp_path / "tree", TREE)
    hidden = tmp_path / "hidden"
    hides = "".join(f"sys.modules[{name!r}] = None\n" for name in (missing, "httpx", "docker", "rich"))
    write_files(hidden, {"sitecustomize.py": f"import sys\n{hides}"})
    environment = {**os.environ, "PYTHONPATH": str(hidden)}
    command = [sys.executable, "-m", "lucid.cli.main", "smoke", "static", "--root", str(tmp_path / "tree")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert f"{missing} is missing" in done.stderr and "lucid-blocks[static]" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
