"""Exceptions of a manifest excuse what they name, and nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.smoke.trees import MANIFEST, judged


def test_exceptions_excuse_by_path_and_reason(tmp_path: Path) -> None:
    exception = '\n[[exception]]\ncheck = "tron.*"\npath = "service/**"\nreason = "the wallet of another team"\n'
    changes = {"service/engine.py": "class Engine:\n    trx = 'tron'\n", "smoke.toml": MANIFEST + exception}
    judgment = judged(tmp_path, dict(changes))
    assert judgment.status == 0 and judgment.counts()["excused"] == 2
