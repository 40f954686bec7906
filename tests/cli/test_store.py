"""`lucid store` as operators type it, on a store in a file: what is told, refused, and left as it was."""

from __future__ import annotations

import json
from argparse import Namespace
from contextlib import closing
from pathlib import Path

import pytest

from lucid.chain.chunks import chunk_id
from lucid.cli import store as module
from lucid.storage import transfer
from lucid.storage.chunkfiles import ChunkFolder
from lucid.storage.opening import open_store
from tests.cli.command import Done, assert_refused, lucid

ROWS = [("kept", bytes([number]), bytes(100)) for number in range(50)]
DATA = b"words" * 300


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a store of some rows, and a log of votes."""
    with closing(open_store(f"sqlite:{tmp_path / 'source'}")) as store:
        store.write([*ROWS, ("vote", b"latest", b"v")])
    return tmp_path


def store(folder: Path, *words: object) -> Done:
    """Run `lucid store` there."""
    return lucid("store", *words, cwd=folder)


def rows(path: Path) -> dict[bytes, bytes]:
    """The rows of a store, and no votes."""
    with closing(open_store(f"sqlite:{path}")) as opened:
        assert not list(opened.scan("vote"))
        return dict(opened.scan("kept"))


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


def test_a_sound_store_is_counted_and_damage_is_20(folder: Path) -> None:
    done = store(folder, "check", "sqlite:source")
    assert (done.status, done.err) == (0, "")
    assert "kept: 50 rows, 5050 bytes" in done.out and done.out.endswith("all is well\n")
    told = json.loads(store(folder, "check", "sqlite:source", "--json").out)
    assert (told["identity"], told["faults"], told["tables"]["kept"]) == (None, [], [50, 5_050])
    path = folder / "source"
    path.write_bytes(path.read_bytes()[:-1_024] + b"\xff" * 1_024)  # its last page, with the votes
    done = store(folder, "check", "sqlite:source")
    assert (done.status, done.err) == (20, "") and "damaged: " in done.out and "all is well" not in done.out
    told = json.loads(store(folder, "check", "sqlite:source", "--json").out)
    assert told["faults"] and "\n" not in told["faults"][0]


def test_chunk_files_are_taken_in_once_verified(folder: Path) -> None:
    chunks = ChunkFolder(folder / "chunks")
    chunks.clear_incoming()
    for chunk, data in ((chunk_id(DATA), DATA), (bytes(32), b"others")):
        chunks.place(chunk).parent.mkdir()
        chunks.place(chunk).write_bytes(data)
    assert_refused(store(folder, "adopt", "sqlite:source", "--chunks", "chunks"), "it is that of the engine")
    done = store(folder, "adopt", "sqlite:data", "--chunks", "chunks", "--json")
    told = json.loads(done.out)
    assert (done.status, told["let_go"], told["adopted"]) == (20, False, 1)
    assert len(told["wrong"]) == 1 and "00" * 32 in told["wrong"][0]
    chunks.remove(bytes(32))
    done = store(folder, "adopt", "sqlite:data", "--chunks", "chunks")
    assert done == (0, "it was used with no data folder\n0 chunks taken in\n", "")


def test_a_store_in_a_file_needs_no_preparing(folder: Path) -> None:
    assert store(folder, "prepare", "sqlite:source") == (0, "sqlite:source needs no preparing\n", "")


def test_a_key_is_made_once(folder: Path) -> None:
    assert store(folder, "key", "mongodb.key") == (0, "mongodb.key is made\n", "")
    made = (folder / "mongodb.key").read_text()
    assert store(folder, "key", "mongodb.key") == (0, "mongodb.key is there already\n", "")
    assert (folder / "mongodb.key").read_text() == made
    assert_refused(store(folder, "key", "no/folder/key"), "no/folder/key: No such file")


def test_programs_are_not_told_the_password_of_a_url(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "file").touch()
    words = Namespace(store="mongodb://lucid:s3cret@pi/lucid", file=folder / "file", json=True)
    module._print(words, "words", rows=1)
    assert json.loads(capsys.readouterr().out)["store"] == "mongodb://lucid@pi/lucid"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "ACTION"),
        (["check", "sqlite:none"], "there is no store sqlite:none"),
        (["check", "source"], "no store at 'source': it must be sqlite:PATH or mongodb://"),
        (["check", "sqlite:file"], "file"),
        (["export", "sqlite:none", "x"], "there is no store"),
        (["export", "sqlite:source", "no/folder/x"], "no/folder"),
        (["import", "none", "sqlite:target"], "none"),
        (["import", "source", "sqlite:target"], "source"),
        (["backup", "sqlite:source", "no/folder/x"], "no/folder"),
        (["adopt", "sqlite:none"], "there is no store"),
        (["adopt", "sqlite:source", "--chunks", "none"], "there is no folder none"),
        (["adopt", "sqlite:fresh", "--chunks", "none"], "there is no folder none"),
        (["prepare", "mongodb://pi/lucid?replicaSet=a", "--login", "x=Y"], "name MongoDB's --key-file too"),
        (["prepare", "mongodb://pi/lucid?replicaSet=a", "--key-file", "none"], "none: No such file"),
        (["prepare", "mongodb://pi/lucid?replicaSet=a", "--key-file", "file"], "is not a key file of MongoDB"),
        (["prepare", "mongodb://pi/lucid?replicaSet=a", "--wait", "soon"], "--wait"),
    ],
)
def test_wrong_input_is_one_sentence_and_nothing_is_made(folder: Path, words: list[str], says: str) -> None:
    (folder / "file").write_bytes(b"\xff no store, however long one reads in it" * 99)
    before = {path.name for path in folder.iterdir()}
    assert_refused(store(folder, *words), says)
    assert {path.name for path in folder.iterdir()} == before
