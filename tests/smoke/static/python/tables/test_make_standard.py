"""The table of the standard library, as it is made anew."""

from __future__ import annotations

import json

import pytest

from smoke.static.python.tables import make_standard


def test_a_small_table_is_made_as_the_large_one_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = ["typing", "imp", "collections", "no_such_module", "antigravity"]
    monkeypatch.setattr(make_standard, "_modules", lambda folder: iter(wanted))
    make_standard.main("2026-11-29")
    table = json.loads(capsys.readouterr().out)
    assert (table["dated"], table["first"], table["last"]) == ("2026-11-29", 10, 15)
    assert table["modules"].keys() == {"typing", "imp", "collections", "antigravity"}
    (span, always, some) = table["modules"]["typing"]
    assert span == [10, 15] and "Any" in always.split() and some["Self"][0] == 11
    assert table["modules"]["imp"][0] == [10, 11]
    assert "Mapping" not in f"{table['modules']['collections']}".split(), "it was moved to collections.abc"
