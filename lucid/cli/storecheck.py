"""`lucid store check`: what a service keeps, looked through for damage."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.cli.openedstore import CHUNKS_HELP, DAMAGED, EMPTIED, NOTHING, PLACE_HELP, SQLITE, emptied, opened

if TYPE_CHECKING:
    pass


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """What looks for damage."""
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


def run_check(options: argparse.Namespace) -> int:
    """`lucid store check`."""
    from lucid.chain.errors import LucidError
    from lucid.storage.check import Tables, check_store
    from lucid.storage.chunkcheck import check_chunks
    from lucid.storage.chunkrow import CHUNK_TABLE
    from lucid.storage.errors import StoreDamaged
    from lucid.storage.identity import identity_of
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


def _chunks_beside(url: str) -> Path | None:
    """The chunk folder beside an embedded store, if there is one."""
    folder = Path(url.removeprefix(SQLITE)).parent / "chunks"
    return folder if url.startswith(SQLITE) and folder.is_dir() else None
