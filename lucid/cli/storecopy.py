"""`lucid store export`, `import` and `backup`: a store into a file, and back."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure
from lucid.cli.openedstore import NOTHING, PLACE_HELP, SQLITE, opened
from lucid.cli.progress import count_bar
from lucid.interrupts import terminable

if TYPE_CHECKING:
    from lucid.storage.interface import Store

NO_VOTES = (
    "The log of this validator's own votes is never part of it: a node that starts without that log signs nothing "
    "until it is sure what it signed before."
)


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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


def run_export(options: argparse.Namespace) -> int:
    """`lucid store export`."""
    from lucid.storage.logged import LoggedStore
    from lucid.storage.opening import open_store
    from lucid.storage.transfer import export_store

    _check_folder(options.file)
    with terminable(), ExitStack() as stack:
        store = stack.enter_context(opened(options.store))
        _check_filled(options, store)
        if isinstance(store, LoggedStore):
            # A service may be writing: export what it held at one moment.
            folder = stack.enter_context(TemporaryDirectory(dir=options.file.parent, prefix=".export."))
            copy = Path(folder) / "copy"
            with count_bar("copying", "pages", options.json) as progress:
                store.backup(copy, progress)
            store = stack.enter_context(closing(open_store(f"{SQLITE}{copy}", importing=True)))
        with count_bar("exporting", "rows", options.json) as progress:
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
        opened(options.store, new=True, importing=True) as store,
        count_bar("importing", "rows", options.json) as progress,
    ):
        count = import_store(options.file, store, progress)
    _print(options, f"{count} rows from {options.file}", rows=count)
    return 0


@contextmanager
def _gone_unless_done(url: str) -> Iterator[None]:
    """A store that a command makes is removed where that command fails."""
    from lucid.storage.logged import log_path
    from lucid.storage.sqlite import SUFFIXES

    path = Path(url.removeprefix(SQLITE))
    new = url.startswith(SQLITE) and not path.exists()
    try:
        yield
    except BaseException:
        if new:
            for file in (*(path.with_name(f"{path.name}{suffix}") for suffix in SUFFIXES), log_path(path)):
                file.unlink(missing_ok=True)
        raise


def run_backup(options: argparse.Namespace) -> int:
    """`lucid store backup`."""
    from lucid.storage.logged import LoggedStore

    _check_folder(options.file)
    with terminable(), opened(options.store) as store:
        if not isinstance(store, LoggedStore):
            raise Failure("only an SQLite store is backed up as a file; use `lucid store export` for another")
        _check_filled(options, store)
        with count_bar("copying", "pages", options.json) as progress:
            store.backup(options.file, progress)
    _print(options, f"{options.file} is a copy, without the log of votes")
    return 0


def _check_folder(file: Path) -> None:
    """Whether a file can be written there, by its own name: what is written first has another."""
    if not file.parent.is_dir():
        raise Failure(f"{file}: there is no folder {file.parent}")


def _check_filled(options: argparse.Namespace, store: Store) -> None:
    """Whether there is anything to copy: who makes a backup of nothing has none."""
    from lucid.storage.opening import shown

    if not store.tables():
        raise Failure(NOTHING.format(shown(options.store)))


def _print(options: argparse.Namespace, sentence: str, **figures: int) -> None:
    """What a copy came to, for people or as JSON."""
    from lucid.storage.opening import shown

    found = {"store": shown(options.store), "file": str(options.file), **figures, "bytes": options.file.stat().st_size}
    print(json.dumps(found) if options.json else sentence)
