"""How commands fail: a sentence and a status."""

from __future__ import annotations

import pytest

from lucid.cli import main as module
from lucid.cli.failure import BAD_USAGE, Failure
from tests.cli.command import lucid


@pytest.mark.parametrize(("failure", "status"), [(Failure("no"), BAD_USAGE), (Failure("no\x1b[2J\nyes", 20), 20)])
def test_a_failure_is_a_line_and_a_status(failure: Failure, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> int:
        raise failure

    monkeypatch.setattr(module, "parser", fails)
    done = lucid("keys")
    assert (done.status, done.out, done.err.count("\n")) == (status, "", 1)
    assert done.err.startswith("lucid: no") and "\x1b" not in done.err
