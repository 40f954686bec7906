"""How a command opens a store: none that is not there, nothing that others can read, one sentence of what is wrong."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from lucid.chain.errors import Code, LucidError
from lucid.cli.failure import Failure
from lucid.cli.openedstore import PASSWORD, opened
from lucid.storage import opening
from tests.cli.storefolder import ROWS, folder

__all__ = ["folder"]


def test_a_store_is_opened_and_closed(folder: Path) -> None:
    with opened(f"sqlite:{folder / 'source'}") as store:
        assert dict(store.scan("kept")) == {key: value for _, key, value in ROWS}
    with pytest.raises(Exception, match="closed"):
        list(store.scan("kept"))


def test_only_a_new_one_may_be_missing(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'none'}"
    with pytest.raises(Failure, match="there is no store sqlite:"), opened(url):
        pass
    assert not list(tmp_path.iterdir())
    with opened(url, new=True) as store:
        assert not list(store.scan("kept"))


def test_what_a_command_writes_is_its_users_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with opened(f"sqlite:{tmp_path / 'new'}", new=True):
            (tmp_path / "beside").touch()
        assert stat.S_IMODE((tmp_path / "beside").stat().st_mode) == 0o600
        (tmp_path / "after").touch()
        assert stat.S_IMODE((tmp_path / "after").stat().st_mode) == 0o644
        with pytest.raises(KeyboardInterrupt), opened(f"sqlite:{tmp_path / 'new'}"):
            raise KeyboardInterrupt
        assert os.umask(0o022) == 0o022, "it is as it was, however the command ends"
    finally:
        os.umask(before)


def test_what_is_wrong_with_it_is_one_sentence(folder: Path) -> None:
    with pytest.raises(Failure, match=r"^the rows are gone$"), opened(f"sqlite:{folder / 'source'}"):
        raise LucidError(Code.STORE_FAILED, "the rows are gone")


def test_the_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []

    def open_store(url: str, **options: object) -> None:
        given.append((url, options["password"]))
        raise LucidError(Code.STORE_FAILED, "not here")

    monkeypatch.setattr(opening, "open_store", open_store)
    monkeypatch.setenv(PASSWORD, "s3cret")
    with pytest.raises(Failure, match="not here"), opened("mongodb://pi/lucid"):
        pass
    assert given == [("mongodb://pi/lucid", "s3cret")]
