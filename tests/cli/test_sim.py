"""`lucid sim` has its actions, and says so."""

from __future__ import annotations

import pytest

from lucid.cli.main import main

ACTIONS = {
    "run", "list", "sweep", "compare", "saturate", "calibrate", "hunt", "shrink", "diff", "ablate", "explore", "export"
}  # fmt: skip


def test_its_actions_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sim", "--help"])
    assert ended.value.code == 0
    words = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("    ")}
    assert words >= ACTIONS
