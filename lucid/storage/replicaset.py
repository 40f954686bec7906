"""Making a MongoDB ready for a node: a replica set of one member, and a login for each of its services.

Only replica sets have transactions, which the store needs. Where the MongoDB asks for logins (`--keyFile`), the key of
its members is the way in: they log in to each other by it, as the user `__system`, and so does `prepare`. A login
that is lost or changed is set anew by the same call.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pymongo import MongoClient
from pymongo.errors import InvalidURI, OperationFailure, PyMongoError

from lucid.storage.errors import StoreError
from lucid.storage.mongo import in_short
from lucid.storage.opening import shown

PORT = 27_017
TRY_MS = 2_000
PAUSE_S = 0.25
NOT_YET, UNAUTHORIZED, NO_LOGIN, IS_THERE = 94, 13, 18, 51_003
"""MongoDB's error codes NotYetInitialized, Unauthorized, AuthenticationFailed, and that of a user who is there."""
PLAIN = "lucid"
"""A database in which only those with a login may look, where logins are asked for."""
KEY_BYTES = 64
ROLES = ("readWrite", "dbAdmin")
"""What a service's login may do, in its own database alone; the second for `lucid store check`."""


def make_key(path: Path) -> bool:
    """Write a key for the members of a replica set, unless the file is there; whether it was made.

    MongoDB takes one that nobody but its own user can read, as whom this must run then. Raises `OSError`.
    """
    if path.exists():
        return False
    part = path.with_name(f"{path.name}.new")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w", encoding="ascii") as file:
        file.write(f"{secrets.token_hex(KEY_BYTES)}\n")
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    return True


def _addressed(url: str) -> tuple[str, str]:
    """The member and the replica set that a URL names. Raises `StoreError`."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORT
    except ValueError as error:
        raise StoreError(f"{shown(url)!r}: {error}") from None
    names = parse_qs(parts.query).get("replicaSet", [])
    if parts.scheme != "mongodb" or not parts.hostname or len(names) != 1:
        raise StoreError(f"{shown(url)!r} must be mongodb://HOST:PORT/DATABASE?replicaSet=NAME")
    return f"{parts.hostname}:{port}", names[0]


def prepare(url: str, within_s: float, key: str = "", logins: Mapping[str, str] | None = None) -> None:
    """Initiate the set that `replicaSet` of `url` names, unless there is one, and wait for its primary.

    The member gets the address that the URL has, by which its clients know it. `logins` are passwords by database:
    a user of the database's name may use that one alone. `key` is what the set's key file holds. Raises `StoreError`.
    """
    member, name = _addressed(url)
    system: dict[str, Any] = (
        {"username": "__system", "password": "".join(key.split()), "authSource": "local"} if key else {}
    )
    deadline = time.monotonic() + within_s
    trouble = "no answer"
    try:
        with MongoClient[dict[str, Any]](
            f"mongodb://{member}", directConnection=True, timeoutMS=TRY_MS, serverSelectionTimeoutMS=TRY_MS, **system
        ) as client:
            while time.monotonic() < deadline:
                try:
                    if _primary(client, name, member):
                        client[PLAIN][PLAIN].find_one()  # one that asks for logins refuses it, on loopback too
                        for database, password in (logins or {}).items():
                            _set_login(client, database, password)
                        return
                    trouble = "it has no primary yet"
                except PyMongoError as error:
                    trouble = in_short(error)
                    _must_let_in(error, member)
                time.sleep(PAUSE_S)
    except InvalidURI as error:
        raise StoreError(f"{shown(url)!r}: {error}") from None
    raise StoreError(f"MongoDB at {member} cannot be used after {within_s:.0f} s: {trouble}")


def _must_let_in(error: PyMongoError, member: str) -> None:
    """To wait is no remedy where a login is lacking or wrong."""
    if isinstance(error, OperationFailure) and error.code == UNAUTHORIZED:
        raise StoreError(f"MongoDB at {member} asks for a login: name the file that it has as --keyFile (--key-file)")
    if isinstance(error, OperationFailure) and error.code == NO_LOGIN:
        raise StoreError(f"MongoDB at {member} was not started with this key file (--keyFile)")


def _set_login(client: MongoClient[dict[str, Any]], database: str, password: str) -> None:
    """A user of the database's name and for it alone; one that is there gets the password."""
    roles = [{"role": role, "db": database} for role in ROLES]
    try:
        client.admin.command("createUser", database, pwd=password, roles=roles)
    except OperationFailure as error:
        if error.code != IS_THERE:
            raise
        client.admin.command("updateUser", database, pwd=password, roles=roles)


def _primary(client: MongoClient[dict[str, Any]], name: str, member: str) -> bool:
    hello = client.admin.command("hello")
    held = hello.get("setName")
    if held is None:
        try:
            client.admin.command("replSetGetStatus")
        except OperationFailure as error:
            if error.code in (UNAUTHORIZED, NO_LOGIN):
                raise
            if error.code != NOT_YET:
                raise StoreError(f"MongoDB at {member} was not started with --replSet {name}: {error}") from None
            client.admin.command("replSetInitiate", {"_id": name, "members": [{"_id": 0, "host": member}]})
        return False
    if held != name:
        raise StoreError(f"MongoDB at {member} is of the replica set {held}, not {name}")
    return bool(hello.get("isWritablePrimary"))
