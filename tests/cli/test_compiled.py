"""Commands that switch safeguards off, where the product is compiled."""

from __future__ import annotations

import pytest

from tests.cli.command import assert_refused, lucid


@pytest.mark.parametrize("words", [("ablate", "quorum"), ("explore", "--without", "quorum")])
def test_compiled_machines_keep_their_safeguards(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lucid.provenance.is_compiled", lambda: True)
    assert_refused(lucid("sim", *words), "what runs here is compiled")
