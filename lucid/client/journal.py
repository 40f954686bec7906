"""What a recording has done so far, in a file beside it, so that it goes on after whatever interrupts it.

The file holds no secret. Sealing the same files for the same session gives the same chunks, so it is enough to know
the session, the files as they were, and the manifest once it is signed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self
from uuid import UUID

import msgspec

from lucid.client.bundle import BundleSource
from lucid.client.errors import BundleError
from lucid.client.sources import sources

VERSION = 1
MAX_JOURNAL_BYTES = 64 << 20


class Journal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recording: its session and owner, its files with size and time of change, and the signed manifest, if it has
    come so far. Keys and ids in hexadecimal."""

    lucid_recording: int = VERSION
    session: UUID
    chain: str
    owner: str
    paths: tuple[str, ...]
    files: tuple[tuple[str, int, int], ...]
    chunk_bytes: int
    started_ms: int
    manifest: str = ""

    def sources(self) -> list[BundleSource]:
        """The files, which must be as they were; raises `BundleError`."""
        found = sources([Path(path) for path in self.paths])
        if self.files != marks(found):
            raise BundleError("the files have changed since the recording began")
        return found

    def signed(self, manifest: bytes) -> Self:
        """This recording with its manifest."""
        return msgspec.structs.replace(self, manifest=manifest.decode())


def marks(files: Sequence[BundleSource]) -> tuple[tuple[str, int, int], ...]:
    """What tells whether files are the same: names, bytes, times of change (ns)."""
    return tuple([(each.entry.name, each.entry.size, each.modified_ns) for each in files])


def read_journal(path: Path) -> Journal:
    """The recording that a file describes; raises `BundleError`, and OSError where there is none."""
    with path.open("rb") as file:
        data = file.read(MAX_JOURNAL_BYTES + 1)
    try:
        journal = msgspec.json.decode(data[:MAX_JOURNAL_BYTES], type=Journal)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BundleError(f"{path} is not a recording that was interrupted") from None
    if journal.lucid_recording != VERSION:
        raise BundleError(f"{path} is of version {journal.lucid_recording}; this is {VERSION}")
    return journal


def write_journal(path: Path, journal: Journal) -> None:
    """Make a recording durable, in place of what the file held."""
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(journal))
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
