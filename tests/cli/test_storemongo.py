"""`lucid store prepare` and `key`: what is refused before any MongoDB is asked, and a key that is made once.

What they do with a real MongoDB is tested where there is one: `tests/storage/test_replicaset.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import assert_refused
from tests.cli.storefolder import assert_nothing_made, folder, store

__all__ = ["folder"]


def test_a_store_in_a_file_needs_no_preparing(folder: Path) -> None:
    assert store(folder, "prepare", "sqlite:source") == (0, "sqlite:source needs no preparing\n", "")


def test_a_key_is_made_once(folder: Path) -> None:
    assert store(folder, "key", "mongodb.key") == (0, "mongodb.key is made\n", "")
    made = (folder / "mongodb.key").read_text()
    assert store(folder, "key", "mongodb.key") == (0, "mongodb.key is there already\n", "")
    assert (folder / "mongodb.key").read_text() == made
    assert_refused(store(folder, "key", "no/folder/key"), "no/folder/key: No such file")


def test_a_password_stands_on_no_command_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY", "")
    (folder / "mongodb.key").write_text("key")
    words = ("prepare", "mongodb://pi/lucid?replicaSet=a", "--key-file", "mongodb.key", "--login")
    for login in ("lucid", "=VARIABLE", "lucid="):
        assert_refused(store(folder, *words, login), f"--login: {login!r} must be DATABASE=VARIABLE")
    for variable in ("EMPTY", "LUCID_NOT_SET"):
        assert_refused(store(folder, *words, f"lucid={variable}"), f"--login: {variable} is not set, or empty")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["prepare", "mongodb://pi/lucid?replicaSet=a", "--login", "x=Y"], "name MongoDB's --key-file too"),
        (["prepare", "mongodb://pi/lucid?replicaSet=a", "--key-file", "none"], "none: No such file"),
        (["prepare", "mongodb://pi/lucid?replicaSet=a", "--key-file", "file"], "is not a key file of MongoDB"),
        (["prepare", "mongodb://pi/lucid?replicaSet=a", "--wait", "soon"], "--wait"),
    ],
)
def test_wrong_input_is_one_sentence_and_nothing_is_made(folder: Path, words: list[str], says: str) -> None:
    assert_nothing_made(folder, words, says)
