"""`lucid store adopt`: a store let go of by its folders, and told of its chunks."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure
from lucid.cli.openedstore import CHUNKS_HELP, DAMAGED, PLACE_HELP, opened

if TYPE_CHECKING:
    from lucid.storage.interface import Store


def register(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """What takes a store over."""
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
