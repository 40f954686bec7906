"""`lucid smoke init`: a manifest for a tree that has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid.cli.main import main
from tests.smoke.trees import write_tree

ROOT = Path(__file__).parents[2]


def test_a_manifest_is_written_and_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = write_tree(tmp_path, {"smoke.toml": None})
    assert main(["smoke", "init", "--root", str(tree)]) == 0
    written = (tree / "smoke.toml").read_text()
    assert 'module = "service.main"' in written and "port = 8084" in written
    assert main(["smoke", "static", "--root", str(tree)]) == 0
    assert main(["smoke", "init", "--root", str(tree)]) == 2
    assert main(["smoke", "init", "--root", str(tree), "--force"]) == 0
    capsys.readouterr()
