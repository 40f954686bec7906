"""What is wrong with the files of a session is one printable sentence, whatever the files are called."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain.errors import Code, LucidError, Refusal
from lucid.client.errors import BundleError, NameTaken
from lucid.client.sources import sources


@settings(max_examples=30)
@given(st.text())
def test_it_names_the_file_and_can_be_printed(name: str) -> None:
    for kind in (BundleError, NameTaken):
        error = kind(f"{name} is not a file")
        assert error.code is Code.REQUEST
        assert str(error).isprintable() and str(error).startswith(f"{Code.REQUEST.code}: {Code.REQUEST.sentence} (")


def test_one_clause_catches_what_is_wrong_with_files_and_nothing_else() -> None:
    assert issubclass(NameTaken, BundleError) and issubclass(BundleError, LucidError)
    assert not issubclass(BundleError, Refusal)
    with pytest.raises(BundleError):
        raise NameTaken("f is there")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError) as refused:
        sources([tmp_path / "none"])
    assert refused.value.detail == f"{tmp_path / 'none'} is not a file"
