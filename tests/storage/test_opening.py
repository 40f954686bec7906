"""A store by its URL: which kind, what is made, what an import that was cut short forbids, and whom a password is
shown."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.storage.errors import StoreError
from lucid.storage.interface import IMPORT_TABLE
from lucid.storage.logged import LoggedStore
from lucid.storage.opening import open_store, shown


def test_a_path_is_a_store_that_is_made_and_found_again(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'store'}"
    with closing(open_store(url)) as store:
        assert isinstance(store, LoggedStore) and store.path == tmp_path / "store"
        store.write([("row", b"a", b"1")])
    with closing(open_store(url)) as store:
        assert store.get("row", b"a") == b"1"


def test_an_import_that_was_cut_short_opens_for_an_import_alone_and_stays_usable(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'store'}"
    with closing(open_store(url)) as store:
        store.write([(IMPORT_TABLE, b"mark", b"")])
    for _ in range(2):
        with pytest.raises(StoreError, match="an import into this store did not finish: import again"):
            open_store(url)
    with closing(open_store(url, importing=True)) as store:
        store.write([(IMPORT_TABLE, b"mark", None)])
    open_store(url).close()


def test_a_store_that_is_refused_is_let_go_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url, closed = f"sqlite:{tmp_path / 'store'}", list[LoggedStore]()
    with closing(open_store(url)) as store:
        store.write([(IMPORT_TABLE, b"mark", b"")])
    close = LoggedStore.close

    def noted(store: LoggedStore) -> None:
        closed.append(store)
        close(store)

    monkeypatch.setattr(LoggedStore, "close", noted)
    with pytest.raises(StoreError):
        open_store(url)
    assert len(closed) == 1


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "it must be sqlite:PATH or mongodb://HOST:PORT/DATABASE"),
        ("sqlite:", "it must be sqlite:PATH"),
        ("SQLITE:x", "it must be sqlite:PATH"),
        ("mysql://u:s3cret@h/d", "no store at 'mysql://u@h/d': it must be"),
        ("mongodb://u:s3cret@h", "a MongoDB URL must name its database"),
        ("mongodb://u:s3cret@h:1/", "a MongoDB URL must name its database"),
        ("mongodb://u:s3cret@[::1/d", "no store at 'mongodb://u@[::1/d'"),
    ],
)
def test_what_is_no_store_is_one_sentence_without_the_password(url: str, says: str) -> None:
    with pytest.raises(StoreError) as refused:
        open_store(url)
    assert says in refused.value.detail and "s3cret" not in str(refused.value) and "\n" not in str(refused.value)


def test_a_node_without_mongodb_loads_no_driver_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymongo", None)
    monkeypatch.delitem(sys.modules, "lucid.storage.mongo", raising=False)
    open_store(f"sqlite:{tmp_path / 'store'}").close()
    with pytest.raises(ModuleNotFoundError, match="pymongo"):
        open_store("mongodb://h/d")


@settings(max_examples=60)
@given(st.text(min_size=1), st.text(min_size=1), st.sampled_from(["mongodb", "mongodb+srv"]), st.booleans())
def test_no_password_is_shown(user: str, password: str, scheme: str, said: bool) -> None:
    name, word = quote(user, safe=""), quote(password, safe="")
    login = f"{name}:{word}@" if said else f"{name}@"
    assert shown(f"{scheme}://{login}pi:27017/lucid?replicaSet=a") == f"{scheme}://{name}@pi:27017/lucid?replicaSet=a"


@pytest.mark.parametrize("url", ["sqlite:/var/lib/a@b", "mongodb://pi/lucid", "sqlite:x"])
def test_a_url_without_a_login_is_shown_as_it_is(url: str) -> None:
    assert shown(url) == url
