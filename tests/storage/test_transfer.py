"""Exports and imports: figures for programs, and nothing left of an import that fails."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from lucid.cli.main import main
from lucid.ledger.rowstore import Write
from lucid.services.process.mongod import Mongod
from lucid.storage import transfer
from lucid.storage.errors import StoreFull
from lucid.storage.interface import Store
from lucid.storage.opening import open_store
from lucid.storage.transfer import import_store

ROWS: list[Write] = [("row", number.to_bytes(4, "big"), bytes(900)) for number in range(3_000)]
KEPT: list[Write] = [("vote", b"latest", b"v"), ("home", b"mark", b"m")]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export of some rows."""
    url = f"sqlite:{tmp_path / 'source'}"
    with closing(open_store(url)) as store:
        store.write([*ROWS, *KEPT])
    assert main(["store", "export", url, str(tmp_path / "export")]) == 0
    return tmp_path / "export"


def failing(store: Store, after: int) -> None:
    """Let a store have no room for one write, after so many."""
    write, count = store.write, 0

    def limited(writes: Sequence[Write]) -> None:
        nonlocal count
        count += 1
        if count == after:
            raise StoreFull("no room")
        write(writes)

    store.write = limited  # type: ignore[method-assign]


@pytest.mark.parametrize("kind", ["sqlite", "mongo"])
@pytest.mark.parametrize("after", [2, 3])
def test_an_import_that_fails_takes_back_what_it_wrote(
    tmp_path: Path, export: Path, kind: str, after: int, request: pytest.FixtureRequest
) -> None:
    mongod: Mongod | None = request.getfixturevalue("mongod") if kind == "mongo" else None
    url = f"sqlite:{tmp_path / 'target'}" if mongod is None else mongod.url()
    with closing(open_store(url)) as store:
        store.write(KEPT)
        failing(store, after)
        with pytest.raises(StoreFull):
            import_store(export, store)
    with closing(open_store(url)) as store:
        assert store.tables() == ["home", "vote"], "and it opens"
        assert import_store(export, store) == len(ROWS)
        assert dict(store.scan("row")) == {key: value for _, key, value in ROWS}


def test_a_store_that_was_made_for_an_import_goes_with_it(
    tmp_path: Path, export: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "damaged").write_bytes(export.read_bytes()[:-10])
    target = f"sqlite:{tmp_path / 'folder' / 'target'}"
    (tmp_path / "folder").mkdir()
    for name in ("missing", "damaged"):
        capsys.readouterr()
        assert main(["store", "import", str(tmp_path / name), target]) == 2
        assert name in capsys.readouterr().err
    assert list((tmp_path / "folder").iterdir()) == []

    def full(*arguments: object) -> int:
        raise StoreFull("no room")

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "_write", full)
        assert main(["store", "import", str(export), target]) == 2
    assert list((tmp_path / "folder").iterdir()) == []
    assert main(["store", "import", str(export), target]) == 0


def test_programs_are_told_what_was_copied(tmp_path: Path, export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = f"sqlite:{tmp_path / 'source'}", f"sqlite:{tmp_path / 'target'}"
    again, copy = tmp_path / "again", tmp_path / "copy"
    said = []
    for words in (["export", source, str(again)], ["import", str(again), target], ["backup", target, str(copy)]):
        capsys.readouterr()
        assert main(["store", *words, "--json"]) == 0
        said.append(json.loads(capsys.readouterr().out))
    size = again.stat().st_size
    assert said == [
        {"store": source, "file": str(again), "rows": len(ROWS), "bytes": size},
        {"store": target, "file": str(again), "rows": len(ROWS), "bytes": size},
        {"store": target, "file": str(copy), "bytes": copy.stat().st_size},
    ]


def test_where_nothing_draws_a_bar_stores_are_copied_all_the_same(
    tmp_path: Path, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image has no rich: once no node in containers could be backed up."""
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.delitem(sys.modules, "rich.console", raising=False)
    target = f"sqlite:{tmp_path / 'target'}"
    assert main(["store", "import", str(export), target]) == 0
    for words in (["export", target, str(tmp_path / "again")], ["backup", target, str(tmp_path / "copy")]):
        assert main(["store", *words]) == 0
