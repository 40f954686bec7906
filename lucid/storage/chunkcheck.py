"""What `lucid store check` and `lucid store adopt` find of a folder of chunks, against the rows of a store."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from lucid.chain.chunks import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, chunk_id
from lucid.chain.codec import encode
from lucid.storage.chunkfiles import ChunkFolder
from lucid.storage.chunkrow import CHUNK_TABLE, ChunkRow, decode_row
from lucid.storage.findings import Finding, look_at
from lucid.storage.interface import Store


def check_chunks(store: Store, path: Path) -> list[str]:
    """What is wrong with the chunk files in a folder, each read as a whole. Raises `StoreError` and OSError."""
    folder, faults, known = ChunkFolder(path), list[str](), set[bytes]()
    left: dict[bytes, Path] | None = None
    for chunk, data in store.scan(CHUNK_TABLE):
        known.add(chunk)
        row = decode_row(chunk, data)
        try:
            finding, size = look_at(folder.place(chunk), chunk)
            if finding is Finding.MISSING:
                left = _left(folder) if left is None else left
                finding, size = look_at(left.get(chunk, folder.place(chunk)), chunk)
        except OSError as error:
            faults.append(f"the file of the chunk {chunk.hex()} cannot be read: {error.strerror}")
            continue
        if finding is Finding.MISSING:
            faults.append(f"the file of the chunk {chunk.hex()} is missing")
        elif finding is Finding.CORRUPTED:
            faults.append(f"the file of the chunk {chunk.hex()} does not have its bytes")
        elif size != row.size:
            faults.append(f"the chunk {chunk.hex()} has {size} bytes, its row says {row.size}")
    faults += [f"the store does not know the chunk {each.hex()}" for each in folder.chunks() if each not in known]
    return faults


def _left(folder: ChunkFolder) -> dict[bytes, Path]:
    """What a power cut left whole where it was uploaded, by its chunk: rows are durable before new names, and the
    service gives it its place as it starts. Raises OSError where the folder cannot be listed."""
    found = {}
    for path in folder.uploads():
        with suppress(OSError):  # what cannot be read is no chunk that is there
            if MIN_CHUNK_BYTES <= path.stat().st_size <= MAX_CHUNK_BYTES:
                found[chunk_id(path.read_bytes())] = path
    return found


def adopt_chunks(store: Store, path: Path) -> tuple[int, list[str]]:
    """Make rows of the chunk files that a store does not know, each verified; returns how many, and the names of files
    that are not what they are called. Raises `StoreError` and OSError."""
    folder, adopted, wrong = ChunkFolder(path), 0, list[str]()
    for chunk in folder.chunks():
        if store.get(CHUNK_TABLE, chunk) is not None:
            continue
        finding, size = look_at(folder.place(chunk), chunk)
        if finding is Finding.SOUND and size >= MIN_CHUNK_BYTES:
            store.write([(CHUNK_TABLE, chunk, encode(ChunkRow(size, 0)))])
            adopted += 1
        else:
            wrong.append(chunk.hex())
    return adopted, wrong
