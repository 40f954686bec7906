"""`lucid store` as operators type it: wrong input is refused, and leaves all as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.storefolder import assert_nothing_made, folder

__all__ = ["folder"]
DATA = b"words" * 300


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "ACTION"),
        (["check", "sqlite:none"], "there is no store sqlite:none"),
        (["check", "source"], "no store at 'source': it must be sqlite:PATH or mongodb://"),
        (["check", "sqlite:file"], "file"),
        (["adopt", "sqlite:none"], "there is no store"),
        (["adopt", "sqlite:source", "--chunks", "none"], "there is no folder none"),
        (["adopt", "sqlite:fresh", "--chunks", "none"], "there is no folder none"),
    ],
)
def test_wrong_input_is_one_sentence_and_nothing_is_made(folder: Path, words: list[str], says: str) -> None:
    assert_nothing_made(folder, words, says)
