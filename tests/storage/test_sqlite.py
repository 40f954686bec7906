"""The embedded store alone: a file that is another's, damaged, full or of another schema, and its copy."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lucid.storage import sqlite
from lucid.storage.errors import StoreDamaged, StoreError, StoreFull, StoreOther
from lucid.storage.sqlite import PAGE_BYTES, SqliteStore
from tests.storage.test_interface import everything


def test_a_folder_or_another_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is not a database, however long one reads in it" * 100)
    for path, code in ((tmp_path, 1101), (tmp_path / "text", 1104), (tmp_path / "missing" / "store", 1101)):
        with pytest.raises(StoreError, match=f"LUCID_ERR_{code}"):
            SqliteStore(path)


def test_a_database_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other")) as other:
        other.execute("CREATE TABLE mail (text)")
    before = (tmp_path / "other").read_bytes()
    with pytest.raises(StoreOther, match="another program"):
        SqliteStore(tmp_path / "other")
    assert (tmp_path / "other").read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_a_lost_page_is_damage_that_names_table_and_key(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store")) as store:
        store.write([("row", number.to_bytes(4, "big"), bytes(1_000)) for number in range(100)])
    data = bytearray((tmp_path / "store").read_bytes())
    for page in range(1, len(data) // PAGE_BYTES):
        data[page * PAGE_BYTES] = 0
    (tmp_path / "store").write_bytes(data)
    with closing(SqliteStore(tmp_path / "store")) as store:
        with pytest.raises(StoreDamaged) as found:
            store.get("row", bytes(4))
        assert found.value.sentence == "the store is damaged in the table row at the key 00000000"


@pytest.mark.parametrize(("version", "sentence"), [(99, "version 99; .* use a newer one"), (1, "begin a new chain")])
def test_a_store_of_another_schema_version_is_refused(tmp_path: Path, version: int, sentence: str) -> None:
    with closing(SqliteStore(tmp_path / "store")) as store:
        store._writer.execute(f"PRAGMA user_version={version}")
    with pytest.raises(StoreError, match=sentence):
        SqliteStore(tmp_path / "store")


def test_a_damaged_store_is_found_out(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store")) as store:
        store.write([("row", number.to_bytes(4, "big"), bytes(1_000)) for number in range(500)])
    data = bytearray((tmp_path / "store").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4_000] = b"\xff" * 4_000
    (tmp_path / "store").write_bytes(data)
    with closing(SqliteStore(tmp_path / "store")) as store:
        try:
            assert store.check()
        except StoreError as error:
            assert "malformed" in str(error)


def test_a_full_store_says_so_writes_nothing_and_goes_on_with_room(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store", max_pages=20)) as store:
        store.write([("row", b"first", b"1")])
        with pytest.raises(StoreFull):
            store.write([("row", b"big", bytes(1 << 20)), ("row", b"small", b"2")])
        assert everything(store) == {"row": {b"first": b"1"}}
        store._writer.execute("PRAGMA max_page_count=20000")
        store.write([("row", b"big", bytes(1 << 20))])
        assert len(store.get("row", b"big") or b"") == 1 << 20


def test_a_store_that_finds_no_room_for_its_beginning_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreFull):
        SqliteStore(tmp_path / "store", max_pages=1)
    assert not list(tmp_path.iterdir())


def test_a_store_that_another_process_made_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "store"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("CREATE TABLE theirs (a)")
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(Path, "exists", lambda self: False)
        monkeypatch.setattr(sqlite, "WAIT_S", 0.01)
        with pytest.raises(StoreError):
            SqliteStore(path)
    monkeypatch.undo()
    assert path.exists()


def test_a_row_that_a_card_changed_is_in_no_backup(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store")) as store:
        store.write([("row", b"a", b"1"), ("row", b"b", b"2")])
        store._writer.execute("UPDATE stored SET value=? WHERE key=?", (b"3", b"b"))
        with pytest.raises(StoreDamaged, match="checksum") as caught:
            store.backup(tmp_path / "copy")
    assert caught.value.sentence == "the store is damaged in the table row at the key 62"
    assert not list(tmp_path.glob("*copy*"))


def test_a_backup_holds_all_but_the_log_of_votes(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store")) as store:
        store.write([("row", b"a", b"1"), ("vote", b"latest", b"v")])
        store.backup(tmp_path / "copy")
        with pytest.raises(FileExistsError):
            store.backup(tmp_path / "copy")
        assert store.get("vote", b"latest") == b"v"
    with closing(SqliteStore(tmp_path / "copy")) as copy:
        assert everything(copy) == {"row": {b"a": b"1"}}
