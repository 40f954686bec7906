"""Making a fresh MongoDB a replica set of one node: only those have transactions, which the store needs."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pymongo import MongoClient
from pymongo.errors import InvalidURI, OperationFailure, PyMongoError

from lucid.storage.interface import StoreError

TRY_MS = 2_000
PAUSE_S = 0.25
NOT_YET = 94
"""MongoDB's error code NotYetInitialized."""


def prepare(url: str, within_s: float) -> None:
    """Initiate the set that `replicaSet` of `url` names, unless there is one, and wait for its primary.

    The member gets the address that the URL has, by which its clients know it. Raises `StoreError`.
    """
    parts = urlsplit(url)
    names = parse_qs(parts.query).get("replicaSet", [])
    if parts.scheme != "mongodb" or not parts.hostname or len(names) != 1:
        raise StoreError(f"{url!r} must be mongodb://HOST:PORT/DATABASE?replicaSet=NAME")
    member = f"{parts.hostname}:{parts.port or 27017}"
    deadline = time.monotonic() + within_s
    trouble = "no answer"
    try:
        with MongoClient[dict[str, Any]](
            f"mongodb://{member}", directConnection=True, timeoutMS=TRY_MS, serverSelectionTimeoutMS=TRY_MS
        ) as client:
            while time.monotonic() < deadline:
                try:
                    if _primary(client, names[0], member):
                        return
                    trouble = "it has no primary yet"
                except PyMongoError as error:
                    trouble = str(error)
                time.sleep(PAUSE_S)
    except InvalidURI as error:
        raise StoreError(f"{url!r}: {error}") from None
    raise StoreError(f"MongoDB at {member} cannot be used after {within_s:.0f} s: {trouble}")


def _primary(client: MongoClient[dict[str, Any]], name: str, member: str) -> bool:
    hello = client.admin.command("hello")
    held = hello.get("setName")
    if held is None:
        try:
            client.admin.command("replSetGetStatus")
        except OperationFailure as error:
            if error.code != NOT_YET:
                raise StoreError(f"MongoDB at {member} was not started with --replSet {name}: {error}") from None
            client.admin.command("replSetInitiate", {"_id": name, "members": [{"_id": 0, "host": member}]})
        return False
    if held != name:
        raise StoreError(f"MongoDB at {member} is of the replica set {held}, not {name}")
    return bool(hello.get("isWritablePrimary"))
