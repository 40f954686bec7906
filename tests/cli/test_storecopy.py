"""`lucid store export`, `import` and `backup`: what goes out comes in again, and nothing is written over."""

from __future__ import annotations

import json
from argparse import Namespace
from contextlib import closing
from pathlib import Path

import pytest

from lucid.cli import storecopy
from lucid.storage import transfer
from lucid.storage.interface import IMPORT_TABLE
from lucid.storage.opening import open_store
from tests.cli.command import assert_refused
from tests.cli.storefolder import ROWS, assert_nothing_made, folder, rows, store

__all__ = ["folder"]


def test_what_goes_out_comes_in_again_without_the_votes(folder: Path) -> None:
    done = store(folder, "export", "sqlite:source", "file")
    assert done == (0, "50 rows to file, without the log of votes\n", "")
    assert store(folder, "import", "file", "sqlite:target") == (0, "50 rows from file\n", "")
    assert store(folder, "backup", "sqlite:source", "copy") == (0, "copy is a copy, without the log of votes\n", "")
    assert rows(folder / "target") == rows(folder / "copy") == {key: value for _, key, value in ROWS}
    assert all((folder / name).stat().st_mode & 0o777 == 0o600 for name in ("file", "target", "copy"))


def test_no_file_is_written_over(folder: Path) -> None:
    (folder / "mine").write_bytes(b"mine")
    for words in (("export", "sqlite:source", "mine"), ("backup", "sqlite:source", "mine")):
        assert_refused(store(folder, *words), "mine exists already")
    assert (folder / "mine").read_bytes() == b"mine"


def test_a_store_that_holds_something_takes_no_import(folder: Path) -> None:
    assert store(folder, "export", "sqlite:source", "file").status == 0
    assert store(folder, "import", "file", "sqlite:target").status == 0
    assert_refused(store(folder, "import", "file", "sqlite:target"))
    assert len(rows(folder / "target")) == 50


def test_an_import_that_ctrl_c_ends_leaves_no_store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert store(folder, "export", "sqlite:source", "file").status == 0
    before = {path.name for path in folder.iterdir()}

    def pressed(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(transfer, "_write", pressed)
    assert store(folder, "import", "file", "sqlite:target") == (130, "", "lucid: interrupted\n")
    assert {path.name for path in folder.iterdir()} == before


def test_programs_are_not_told_the_password_of_a_url(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "file").touch()
    words = Namespace(store="mongodb://lucid:s3cret@pi/lucid", file=folder / "file", json=True)
    storecopy._print(words, "words", rows=1)
    assert json.loads(capsys.readouterr().out)["store"] == "mongodb://lucid@pi/lucid"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["export", "sqlite:none", "x"], "there is no store"),
        (["export", "sqlite:source", "no/folder/x"], "no/folder"),
        (["import", "none", "sqlite:target"], "none"),
        (["import", "source", "sqlite:target"], "source"),
        (["backup", "sqlite:source", "no/folder/x"], "no/folder"),
    ],
)
def test_wrong_input_is_one_sentence_and_nothing_is_made(folder: Path, words: list[str], says: str) -> None:
    assert_nothing_made(folder, words, says)


def test_a_store_whose_import_was_cut_short_is_neither_copied_nor_taken_over(folder: Path) -> None:
    """What there is of it would be taken for a whole store from then on."""
    with closing(open_store(f"sqlite:{folder / 'half'}")) as half:
        half.write([*ROWS[:20], (IMPORT_TABLE, b"unfinished", b"fresh")])
    for words in (["export", "sqlite:half", "x"], ["backup", "sqlite:half", "x"], ["adopt", "sqlite:half"]):
        assert_refused(store(folder, *words), "an import into this store did not finish: import again")
    assert not (folder / "x").exists()
    assert store(folder, "check", "sqlite:half").status == 20
    assert store(folder, "export", "sqlite:source", "file").status == 0
    assert store(folder, "import", "file", "sqlite:half").status == 0


@pytest.mark.parametrize("action", ["export", "backup"])
def test_a_folder_that_is_not_there_is_named_by_its_own_name(folder: Path, action: str) -> None:
    assert_refused(store(folder, action, "sqlite:source", "none/x"), "none/x: there is no folder none")
