"""Opening a store by its URL."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from lucid.storage.interface import Store, StoreError
from lucid.storage.sqlite import SqliteStore


def open_store(url: str) -> Store:
    """The store at `sqlite:PATH` or `mongodb://HOST:PORT/DATABASE?OPTIONS`; raises `StoreError`."""
    if url.startswith("sqlite:") and len(url) > len("sqlite:"):
        return SqliteStore(Path(url.removeprefix("sqlite:")))
    if url.startswith(("mongodb://", "mongodb+srv://")):
        from lucid.storage.mongo import MongoStore  # noqa: PLC0415 - an embedded node loads no MongoDB driver

        database = urlsplit(url).path.removeprefix("/")
        if not database:
            raise StoreError("a MongoDB URL must name its database: mongodb://HOST:PORT/DATABASE")
        return MongoStore(url, database)
    raise StoreError(f"no store at {url!r}: it must be sqlite:PATH or mongodb://HOST:PORT/DATABASE")
