"""`lucid store check` as operators type it, on a store in a file."""

from __future__ import annotations

import json
from pathlib import Path

from lucid.storage.opening import open_store
from tests.cli.command import assert_refused
from tests.cli.storefolder import folder, store

__all__ = ["folder"]
DATA = b"words" * 300


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


def test_a_file_of_no_bytes_is_damage_and_no_store_to_copy(folder: Path) -> None:
    (folder / "void.sqlite").touch()
    assert_refused(store(folder, "export", "sqlite:void.sqlite", "x"), "0 bytes")
    assert_refused(store(folder, "backup", "sqlite:void.sqlite", "x"), "0 bytes")
    found = store(folder, "check", "sqlite:void.sqlite")
    assert found.status == 20 and "damaged: sqlite:void.sqlite is a file of 0 bytes: what it held is lost" in found.out
    assert len(json.loads(store(folder, "check", "sqlite:void.sqlite", "--json").out)["faults"]) == 1
    assert {path.name for path in folder.iterdir()} == {"source", "source-log", "void.sqlite"}


def test_a_store_that_holds_nothing_is_no_sound_one(folder: Path) -> None:
    open_store(f"sqlite:{folder / 'bare'}").close()
    found = store(folder, "check", "sqlite:bare")
    assert found.status == 20 and "damaged: sqlite:bare is empty" in found.out
    for words in (["export", "sqlite:bare", "x"], ["backup", "sqlite:bare", "x"]):
        assert_refused(store(folder, *words), "sqlite:bare is empty")
    assert not (folder / "x").exists()
