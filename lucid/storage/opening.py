"""Opening a store by its URL."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from lucid.storage.errors import StoreError
from lucid.storage.interface import IMPORT_TABLE, Store
from lucid.storage.logged import LoggedStore


def open_store(url: str, *, password: str = "", importing: bool = False) -> Store:
    """The store at `sqlite:PATH` or `mongodb://USER@HOST:PORT/DATABASE?OPTIONS`, made if there is none yet.

    `password` is that of the user whom a MongoDB URL names. Raises `StoreError`, also for a store whose import was cut
    short, unless `importing` asks for that.
    """
    store = _connect(url, password)
    if not importing:
        with ExitStack() as opened:
            opened.callback(store.close)
            if any(True for _ in store.scan(IMPORT_TABLE, limit=1)):
                raise StoreError("an import into this store did not finish: import again")
            opened.pop_all()
    return store


def store_folder(url: str) -> Path | None:
    """The folder of an embedded store; None where a database keeps it."""
    return Path(url.removeprefix("sqlite:")).parent if url.startswith("sqlite:") else None


def shown(url: str) -> str:
    """A store's URL for people and logs: without the password that one of MongoDB may hold."""
    scheme, mark, rest = url.partition("://")
    login, at, place = rest.rpartition("@")
    return f"{scheme}{mark}{login.partition(':')[0]}{at}{place}"


def _connect(url: str, password: str) -> Store:
    if url.startswith("sqlite:") and len(url) > len("sqlite:"):
        return LoggedStore(Path(url.removeprefix("sqlite:")))
    if url.startswith(("mongodb://", "mongodb+srv://")):
        from lucid.storage.mongo import MongoStore  # noqa: PLC0415 - an embedded node loads no MongoDB driver

        try:
            database = urlsplit(url).path.removeprefix("/")
        except ValueError as error:
            raise StoreError(f"no store at {shown(url)!r}: {error}") from None
        if not database:
            raise StoreError("a MongoDB URL must name its database: mongodb://HOST:PORT/DATABASE")
        return MongoStore(url, database, password)
    raise StoreError(f"no store at {shown(url)!r}: it must be sqlite:PATH or mongodb://HOST:PORT/DATABASE")
