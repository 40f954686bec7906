"""`lucid store`: what a service keeps, looked through for damage, and taken over with its chunks."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from lucid.cli import storecopy, storemongo
from lucid.cli.failure import Failure
from lucid.cli.openedstore import EMPTIED, NOTHING, PLACE_HELP, SQLITE, emptied, opened

if TYPE_CHECKING:
    from lucid.storage.interface import Store

DAMAGED = 20
CHUNKS_HELP = "the data chain's chunk folder (DATA_DIR/chunks)"

Actions = argparse._SubParsersAction
"""The subcommands of a command, to add one."""


def register(commands: Actions[argparse.ArgumentParser]) -> None:
    """Add `lucid store`."""
    store = commands.add_parser("store", help="check, export, import and back up a service's store")
    actions = store.add_subparsers(metavar="ACTION", required=True)
    _add_looks(actions)
    storecopy.register(actions)
    storemongo.register(actions)


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
        help="let a store be used with other folders, and know its chunks",
        description="Release the data and chunk folders that a store is tied to, so that the next start may use it "
        "with others. With --chunks, take in every chunk file that the store does not know, each verified first. Make "
        "sure that nothing uses the store or its key from elsewhere.",
        epilog="Exit status: 0 done, 20 there are files that are not what their names say; 2 bad usage.",
    )
    adopt.add_argument("store", metavar="STORE", help=PLACE_HELP)
    adopt.add_argument("--chunks", type=Path, metavar="FOLDER", help=CHUNKS_HELP)
    adopt.add_argument("--json", action="store_true", help="print JSON")
    adopt.set_defaults(run=run_adopt)


def run_check(options: argparse.Namespace) -> int:
    """`lucid store check`."""
    from lucid.chain.errors import LucidError
    from lucid.storage.check import Tables, check_store
    from lucid.storage.chunkcheck import check_chunks
    from lucid.storage.chunkrow import CHUNK_TABLE
    from lucid.storage.identity import identity_of
    from lucid.storage.interface import StoreDamaged
    from lucid.storage.opening import shown

    tables: Tables = {}
    identity = None
    faults = [EMPTIED.format(options.store)] if emptied(options.store) else []
    with ExitStack() as stack:
        try:
            if not faults:
                store = stack.enter_context(opened(options.store, importing=True))
                identity = identity_of(store)
                faults, tables = check_store(store)
                if not faults and not tables:
                    faults = [NOTHING.format(shown(options.store))]
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
            print(f"it belongs to {identity}")
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
    from lucid.storage.chunkcheck import adopt_chunks
    from lucid.storage.identity import adopt, check_service
    from lucid.storage.opening import shown

    adopted, wrong = 0, list[str]()
    if options.chunks is not None and not options.chunks.is_dir():
        raise Failure(f"there is no folder {options.chunks}")  # before anything is let go of, or made
    with opened(options.store, new=options.chunks is not None) as store, _alone(store):
        if options.chunks is not None:
            check_service(store, DATA.key)
        let_go = adopt(store)
        if options.chunks is not None:
            adopted, wrong = adopt_chunks(store, options.chunks)
    if options.json:
        print(json.dumps({"store": shown(options.store), "let_go": let_go, "adopted": adopted, "wrong": wrong}))
    else:
        print("it is no longer tied to its folders" if let_go else "it was not tied to any folder")
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
