"""A mark in the chunk folder, by which the disk of the chunks is told from the empty folder beneath and from others.

Where the disk is not mounted, the folder is there and holds nothing: chunks would seem to be lost, and new ones would
come to lie where nobody finds them once it is mounted again. So the folder has a file with a mark that the store knows,
in a table that no copy takes along. A folder that lost the file alone still has chunks that the store knows.
"""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from itertools import islice
from pathlib import Path

from lucid.storage.chunkfiles import ChunkFolder
from lucid.storage.chunkrow import CHUNK_TABLE
from lucid.storage.errors import StoreError
from lucid.storage.files import write_durably
from lucid.storage.identity import CHUNKS_KEY, MARK_BYTES
from lucid.storage.interface import HOME_TABLE, Store

SAMPLE = 64
"""Chunks that are looked for in a folder without a mark."""

_log = logging.getLogger("lucid.chunks")


class FolderMark:
    """The mark of one store's chunk folder."""

    def __init__(self, folder: ChunkFolder, store: Store) -> None:
        """Begin, before anything else is done with the folder: a store that knows no mark takes the folder's, or gives
        it one, unless it knows chunks and the folder has none of them."""
        self._folder = folder
        self._store = store
        self._known = b""
        """What the folder must hold; empty where that is not known."""
        self._sample: list[Path] = []
        """Where some of the store's chunks are, as of when that was last asked for."""
        with suppress(StoreError, OSError):  # others tell of these; where nothing can be written the next start does
            self._known = store.get(HOME_TABLE, CHUNKS_KEY) or b""
            if not self._known and (found := self._begun()):
                store.write([(HOME_TABLE, CHUNKS_KEY, found)])
                self._known = found

    def _begun(self) -> bytes:
        """The mark that the folder has, or has from now on; nothing where it gets none."""
        found = self._read()
        if found or (not self._has_chunks() and self._sample):
            return found
        mark = secrets.token_hex(MARK_BYTES).encode()
        return mark if self._write(mark) else b""

    def there(self) -> bool:
        """Whether the folder is the one that the store knows. From a worker thread."""
        if not self._known:
            return True
        try:
            found = self._read()
        except OSError:
            return True  # it is there and cannot be read: who needs it says so
        if found == self._known:
            return True
        if found or not self._has_chunks():
            return False
        if self._write(self._known):
            _log.warning("the chunk folder had lost its mark, and has it again: %s", self._folder.mark)
        return True

    def _read(self) -> bytes:
        try:
            return self._folder.mark.read_bytes().strip()[: 2 * MARK_BYTES]
        except FileNotFoundError:
            return b""

    def _has_chunks(self) -> bool:
        with suppress(StoreError):  # what was found last is good enough then
            chunks = islice(self._store.scan(CHUNK_TABLE, limit=SAMPLE), SAMPLE)
            self._sample = [self._folder.place(chunk) for chunk, _ in chunks]
        return any(place.exists() for place in self._sample)

    def _write(self, mark: bytes) -> bool:
        try:
            self._folder.path.mkdir(parents=True, exist_ok=True)
            write_durably(self._folder.mark, mark + b"\n")
        except OSError:
            return False
        return True
