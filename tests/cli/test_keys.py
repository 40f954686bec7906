"""`lucid keys`: a key is made once and shown."""

from __future__ import annotations

import json
from pathlib import Path

from lucid.cli.main import main
from tests.cli.command import Capture, failed, said


def test_a_key_is_made_once_and_shown(tmp_path: Path, capsys: Capture) -> None:
    path = str(tmp_path / "node.key")
    assert main(["keys", "new", path]) == 0
    node = said(capsys)
    assert main(["keys", "show", path, "--json"]) == 0
    assert json.loads(said(capsys)) == {"key": path, "node": node}
    assert "exists already" in failed(capsys, "keys", "new", path)
    assert "No such file" in failed(capsys, "keys", "show", str(tmp_path / "none"))
