"""The store that a command works on: how it is named, and opened for one command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from lucid.storage.interface import Store

SQLITE = "sqlite:"
PASSWORD = "LUCID_STORE_PASSWORD"
EMPTIED = "{} is a file of 0 bytes: what it held is lost; restore it from a backup"
NOTHING = "{} is empty: every store that a service has used records which node it belongs to"
DAMAGED = 20
"""Exit status where a store or its chunks are not what they should be."""
CHUNKS_HELP = "the data chain's chunk folder (DATA_DIR/chunks)"
PLACE_HELP = "sqlite:PATH or mongodb://HOST:PORT/DATABASE?OPTIONS; LUCID_STORE_PASSWORD is the password of its user"


def emptied(url: str) -> bool:
    """Whether an embedded store is a file of no bytes, as a power cut may leave one: none was ever that small."""
    path = Path(url.removeprefix(SQLITE))
    return url.startswith(SQLITE) and path.is_file() and not path.stat().st_size


@contextmanager
def opened(url: str, new: bool = False, importing: bool = False) -> Iterator[Store]:
    """A store for one command; what goes wrong with it is one sentence. Only a `new` one may not be there yet, and only
    who is `importing` or looks for damage takes one whose import was cut short.

    What the command writes is its user's alone, as the store is.
    """
    from lucid.chain.errors import LucidError
    from lucid.storage.opening import open_store, shown

    if not new and url.startswith(SQLITE) and not Path(url.removeprefix(SQLITE)).is_file():
        raise Failure(f"there is no store {url}")
    if not new and emptied(url):
        raise Failure(EMPTIED.format(url))
    before = os.umask(0o077)
    try:
        with closing(open_store(url, password=os.environ.get(PASSWORD, ""), importing=importing)) as store:
            try:
                if store.made and not new:
                    raise Failure(f"there is no store {shown(url)}")
                yield store
            except BaseException:
                store.unmake()
                raise
    except LucidError as error:
        raise Failure(error.detail) from None
    finally:
        os.umask(before)
