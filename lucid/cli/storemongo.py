"""`lucid store prepare` and `key`: a MongoDB made ready to be a store."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from lucid.cli.arguments import duration
from lucid.cli.failure import Failure
from lucid.cli.openedstore import SQLITE


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """What makes a MongoDB ready to be a store."""
    prepare = actions.add_parser(
        "prepare",
        help="make a fresh MongoDB a replica set of one node",
        description="Make the MongoDB of a URL a replica set of one node, as its replicaSet names it, and wait until "
        "it can be written. One that is prepared already stays as it is; an SQLite store needs nothing. A MongoDB that "
        "asks for logins (--keyFile) is let in to by its key file, and given a login for each service.",
    )
    prepare.add_argument("store", metavar="STORE", help="mongodb://HOST:PORT/DATABASE?replicaSet=NAME")
    prepare.add_argument("--key-file", type=Path, metavar="FILE", help="what MongoDB was given as --keyFile")
    prepare.add_argument(
        "--login",
        action="append",
        default=[],
        metavar="DATABASE=VARIABLE",
        help="a user of that name, for that database alone, with the password in this variable; may be repeated",
    )
    prepare.add_argument("--wait", type=duration, default=60_000, metavar="TIME", help="at most so long (default 60s)")
    prepare.set_defaults(run=run_prepare)

    key = actions.add_parser(
        "key",
        help="make the key file of a MongoDB that asks for logins",
        description="Write a key for --keyFile of MongoDB, for this user alone: the one as whom MongoDB runs. "
        "One that is there stays as it is.",
    )
    key.add_argument("file", type=Path, metavar="FILE", help="file to write")
    key.set_defaults(run=run_key)


def run_prepare(options: argparse.Namespace) -> int:
    """`lucid store prepare`."""
    from lucid.storage.errors import StoreError

    if options.store.startswith(SQLITE):
        print(f"{options.store} needs no preparing")
        return 0
    from lucid.storage.opening import shown
    from lucid.storage.replicaset import prepare

    if options.login and options.key_file is None:
        raise Failure("--login: name MongoDB's --key-file too")
    logins = dict(map(_login, options.login))
    try:
        key = "" if options.key_file is None else options.key_file.read_text(encoding="ascii")
        prepare(options.store, options.wait / 1000, key, logins)
    except StoreError as error:
        raise Failure(error.detail) from None
    except OSError as error:
        raise Failure(f"--key-file: {options.key_file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Failure(f"--key-file: {options.key_file} is not a key file of MongoDB") from None
    print(f"{shown(options.store)} can be used")
    return 0


def _login(text: str) -> tuple[str, str]:
    """A database and the password of its user, which never stands on a command line."""
    database, equals, variable = text.partition("=")
    if not database or not equals or not variable:
        raise Failure(f"--login: {text!r} must be DATABASE=VARIABLE")
    if not os.environ.get(variable):
        raise Failure(f"--login: {variable} is not set, or empty")
    return database, os.environ[variable]


def run_key(options: argparse.Namespace) -> int:
    """`lucid store key`."""
    from lucid.storage.replicaset import make_key

    try:
        made = make_key(options.file)
    except OSError as error:
        raise Failure(f"{options.file}: {error.strerror}") from None
    print(f"{options.file} {'is made' if made else 'is there already'}")
    return 0
