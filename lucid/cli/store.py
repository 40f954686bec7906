"""`lucid store`: check, copy and move what a service keeps."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure, duration
from lucid.interrupts import terminable

if TYPE_CHECKING:
    from lucid.storage.interface import Store

DAMAGED = 20
SQLITE = "sqlite:"
PASSWORD = "LUCID_STORE_PASSWORD"
NO_VOTES = (
    "The log of this validator's own votes is never part of it: a node that starts without that log signs nothing "
    "until it is sure what it signed before."
)
PLACE_HELP = "sqlite:PATH or mongodb://HOST:PORT/DATABASE?OPTIONS; LUCID_STORE_PASSWORD is the password of its user"
CHUNKS_HELP = "the data chain's chunk folder (DATA_DIR/chunks)"

Actions = argparse._SubParsersAction
"""The subcommands of a command, to add one."""


def register(commands: Actions[argparse.ArgumentParser]) -> None:
    """Add `lucid store`."""
    store = commands.add_parser("store", help="check, export, import and back up a service's store")
    actions = store.add_subparsers(metavar="ACTION", required=True)
    _add_looks(actions)
    _add_copies(actions)
    _add_mongodb(actions)


def _add_looks(actions: Actions[argparse.ArgumentParser]) -> None:
    """What looks at a store and its chunks, and takes in what is found."""
    check = actions.add_parser(
        "check",
        help="look for damage",
        description="Check the stored data and the final blocks, and that the ledger's rows and its state tree agree; "
        "count the rows. Stop the service first: what it writes meanwhile can look like damage.",
        epilog="Exit status: 0 all is well, 20 damage was found, 2 bad usage or a store that cannot be opened.",
    )
    check.add_argument("store", metavar="STORE", help=PLACE_HELP)
    check.add_argument("--chunks", type=Path, metavar="FOLDER", help=CHUNKS_HELP)
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(run=run_check)

    adopt = actions.add_parser(
        "adopt",
        help="let a store be used with another data folder, and know its chunks",
        description="Let go of the data folder that a store was used with, so that the next start may use it with "
        "another. With --chunks, take in every chunk file that the store does not know, each verified first. Make sure "
        "that nothing uses the store or its key from elsewhere.",
        epilog="Exit status: 0 done, 20 there are files that are not what their names say; 2 bad usage.",
    )
    adopt.add_argument("store", metavar="STORE", help=PLACE_HELP)
    adopt.add_argument("--chunks", type=Path, metavar="FOLDER", help=CHUNKS_HELP)
    adopt.add_argument("--json", action="store_true", help="print JSON")
    adopt.set_defaults(run=run_adopt)


def _add_copies(actions: Actions[argparse.ArgumentParser]) -> None:
    """What copies a store, and reads a copy."""
    export = actions.add_parser(
        "export",
        help="write all rows but the votes to a file",
        description=f"Write a store's rows to a new file, to be imported into a store of any kind. {NO_VOTES} A "
        "service on SQLite may go on meanwhile; stop one on MongoDB first.",
    )
    export.add_argument("store", metavar="STORE", help=PLACE_HELP)
    export.add_argument("file", type=Path, metavar="FILE", help="file to write")
    export.add_argument("--json", action="store_true", help="print JSON, and no progress")
    export.set_defaults(run=run_export)

    import_ = actions.add_parser(
        "import",
        help="read an exported file into an empty store",
        description="Read an exported file, checked as a whole first, into a store that holds nothing but votes: "
        "those stay as they are. An import that fails leaves nothing behind; one that was cut short is begun again by "
        "the same command.",
    )
    import_.add_argument("file", type=Path, metavar="FILE", help="file that `lucid store export` wrote")
    import_.add_argument("store", metavar="STORE", help=PLACE_HELP)
    import_.add_argument("--json", action="store_true", help="print JSON, and no progress")
    import_.set_defaults(run=run_import)

    backup = actions.add_parser(
        "backup",
        help="copy an SQLite store while its service runs",
        description=f"Copy an SQLite store, as of one moment, to a new file that a service can open. {NO_VOTES}",
    )
    backup.add_argument("store", metavar="STORE", help="sqlite:PATH")
    backup.add_argument("file", type=Path, metavar="FILE", help="file to write")
    backup.add_argument("--json", action="store_true", help="print JSON, and no progress")
    backup.set_defaults(run=run_backup)


def _add_mongodb(actions: Actions[argparse.ArgumentParser]) -> None:
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


def run_check(options: argparse.Namespace) -> int:
    """`lucid store check`."""
    from lucid.chain.errors import LucidError
    from lucid.storage.check import Tables, check_chunks, check_store
    from lucid.storage.chunkfiles import CHUNK_TABLE
    from lucid.storage.identity import identity_of
    from lucid.storage.interface import StoreDamaged
    from lucid.storage.opening import shown

    tables: Tables = {}
    identity = None
    with _opened(options.store) as store:
        try:
            identity = identity_of(store)
            faults, tables = check_store(store)
            chunks = options.chunks or _chunks_beside(options.store)
            if chunks is not None and (CHUNK_TABLE in tables or options.chunks):
                faults += check_chunks(store, chunks)
        except StoreDamaged as error:
            faults = [f"{error.sentence}: {error.detail}"]
        except LucidError as error:
            faults = [error.detail]
    if options.json:
        owner = None if identity is None else [identity.service, identity.node.hex(), identity.chain.hex()]
        print(json.dumps({"store": shown(options.store), "identity": owner, "tables": tables, "faults": faults}))
    else:
        if identity is not None:
            print(f"it is that of {identity}")
        for table, (rows, size) in tables.items():
            print(f"{table}: {rows} rows, {size} bytes")
        for fault in faults:
            print(f"damaged: {fault}")
        if not faults:
            print("all is well")
    return DAMAGED if faults else 0


def run_adopt(options: argparse.Namespace) -> int:
    """`lucid store adopt`."""
    from lucid.api.services import DATA
    from lucid.storage.check import adopt_chunks
    from lucid.storage.identity import adopt, check_service
    from lucid.storage.opening import shown

    adopted, wrong = 0, list[str]()
    if options.chunks is not None and not options.chunks.is_dir():
        raise Failure(f"there is no folder {options.chunks}")  # before anything is let go of, or made
    with _opened(options.store, new=options.chunks is not None) as store, _alone(store):
        if options.chunks is not None:
            check_service(store, DATA.key)
        let_go = adopt(store)
        if options.chunks is not None:
            adopted, wrong = adopt_chunks(store, options.chunks)
    if options.json:
        print(json.dumps({"store": shown(options.store), "let_go": let_go, "adopted": adopted, "wrong": wrong}))
    else:
        print("the data folder is let go of" if let_go else "it was used with no data folder")
        print(f"{adopted} chunks taken in")
        for name in wrong:
            print(f"left where it is: {name} does not have the bytes of its name")
    return DAMAGED if wrong else 0


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    """Make sure that no service uses the store meanwhile; of one that was killed it takes a while to be sure."""
    with NamedTemporaryFile() as lock:
        store.hold(Path(lock.name))
        yield


def _chunks_beside(url: str) -> Path | None:
    """The chunk folder beside an embedded store, if there is one."""
    folder = Path(url.removeprefix(SQLITE)).parent / "chunks"
    return folder if url.startswith(SQLITE) and folder.is_dir() else None


def run_export(options: argparse.Namespace) -> int:
    """`lucid store export`."""
    from lucid.storage.logged import LoggedStore
    from lucid.storage.opening import open_store
    from lucid.storage.transfer import export_store

    with terminable(), ExitStack() as stack:
        store = stack.enter_context(_opened(options.store))
        if isinstance(store, LoggedStore):
            # A service may be writing: export what it held at one moment.
            folder = stack.enter_context(TemporaryDirectory(dir=options.file.parent, prefix=".export."))
            copy = Path(folder) / "copy"
            with _progress("copying", "pages", options.json) as progress:
                store.backup(copy, progress)
            store = stack.enter_context(closing(open_store(f"{SQLITE}{copy}", importing=True)))
        with _progress("exporting", "rows", options.json) as progress:
            count = export_store(store, options.file, progress)
    _print(options, f"{count} rows to {options.file}, without the log of votes", rows=count)
    return 0


def run_import(options: argparse.Namespace) -> int:
    """`lucid store import`."""
    from lucid.storage.transfer import check_export, import_store

    check_export(options.file)
    with (
        terminable(),
        _gone_unless_done(options.store),
        _opened(options.store, new=True) as store,
        _progress("importing", "rows", options.json) as progress,
    ):
        count = import_store(options.file, store, progress)
    _print(options, f"{count} rows from {options.file}", rows=count)
    return 0


@contextmanager
def _gone_unless_done(url: str) -> Iterator[None]:
    """A store that a command makes is removed where that command fails."""
    path = Path(url.removeprefix(SQLITE))
    new = url.startswith(SQLITE) and not path.exists()
    try:
        yield
    except BaseException:
        if new:
            for suffix in ("", "-wal", "-shm", "-log"):
                path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
        raise


@contextmanager
def _progress(what: str, unit: str, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error; yields what to tell how many units are done, of how many (0: nobody knows).

    No bar where nobody looks, nor in an image, which holds nothing that draws one.
    """
    if quiet or not sys.stderr.isatty() or find_spec("rich") is None:
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)


def _print(options: argparse.Namespace, sentence: str, **figures: int) -> None:
    """What a copy came to, for people or as JSON."""
    from lucid.storage.opening import shown

    found = {"store": shown(options.store), "file": str(options.file), **figures, "bytes": options.file.stat().st_size}
    print(json.dumps(found) if options.json else sentence)


def run_prepare(options: argparse.Namespace) -> int:
    """`lucid store prepare`."""
    from lucid.storage.interface import StoreError

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


def run_backup(options: argparse.Namespace) -> int:
    """`lucid store backup`."""
    from lucid.storage.logged import LoggedStore

    with terminable(), _opened(options.store) as store:
        if not isinstance(store, LoggedStore):
            raise Failure("only an SQLite store is backed up as a file; use `lucid store export` for another")
        with _progress("copying", "pages", options.json) as progress:
            store.backup(options.file, progress)
    _print(options, f"{options.file} is a copy, without the log of votes")
    return 0


@contextmanager
def _opened(url: str, new: bool = False) -> Iterator[Store]:
    """A store for one command; what goes wrong with it is one sentence. Only a `new` one may not be there yet.

    What the command writes is its user's alone, as the store is.
    """
    from lucid.chain.errors import LucidError
    from lucid.storage.opening import open_store

    if not new and url.startswith(SQLITE) and not Path(url.removeprefix(SQLITE)).is_file():
        raise Failure(f"there is no store {url}")
    before = os.umask(0o077)
    try:
        with closing(open_store(url, password=os.environ.get(PASSWORD, ""), importing=True)) as store:
            yield store
    except LucidError as error:
        raise Failure(error.detail) from None
    finally:
        os.umask(before)
