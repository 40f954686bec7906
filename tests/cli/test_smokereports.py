"""Reports that `lucid smoke` writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lucid.cli.main import main
from tests.smoke.trees import write_tree

ROOT = Path(__file__).parents[2]


def test_reports_go_where_they_are_asked_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = write_tree(tmp_path / "tree", {"service/main.py": "import nothing_there\n"})
    files = {name: tmp_path / "out" / name for name in ("junit", "sarif", "tap", "markdown", "text", "github")}
    options = [word for name, path in files.items() for word in ("--report", f"{name}={path}")]
    assert main(["smoke", "static", "--root", str(tree), *options, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["status"] == 1
    assert all(path.stat().st_size for path in files.values())
    assert main(["smoke", "static", "--root", str(tree), *options]) == 1
    told = capsys.readouterr().out
    assert told.startswith("FAIL ") and told.splitlines()[-1].startswith("FAIL corpus")  # the text is told beside them
