"""`lucid store adopt` as operators type it, on a store in a file."""

from __future__ import annotations

import json
from pathlib import Path

from lucid.chain.chunks import chunk_id
from lucid.storage.chunkfiles import ChunkFolder
from tests.cli.command import assert_refused
from tests.cli.storefolder import folder, store

__all__ = ["folder"]
DATA = b"words" * 300


def test_chunk_files_are_taken_in_once_verified(folder: Path) -> None:
    chunks = ChunkFolder(folder / "chunks")
    chunks.clear_incoming()
    for chunk, data in ((chunk_id(DATA), DATA), (bytes(32), b"others")):
        chunks.place(chunk).parent.mkdir()
        chunks.place(chunk).write_bytes(data)
    assert_refused(store(folder, "adopt", "sqlite:source", "--chunks", "chunks"), "it is that of the engine")
    done = store(folder, "adopt", "sqlite:data", "--chunks", "chunks", "--json")
    told = json.loads(done.out)
    assert (done.status, told["let_go"], told["adopted"]) == (20, False, 1)
    assert len(told["wrong"]) == 1 and "00" * 32 in told["wrong"][0]
    chunks.remove(bytes(32))
    done = store(folder, "adopt", "sqlite:data", "--chunks", "chunks")
    assert done == (0, "it was not tied to any folder\n0 chunks taken in\n", "")
