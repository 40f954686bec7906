"""Files of records, each behind its length, in one compressed stream that shows damage and a missing end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

from lucid.chain.codec import Record, encode
from lucid.chain.errors import Code, Refusal

LENGTH_BYTES = 4
MAX_RECORD_BYTES = 1 << 30
READ_BYTES = 1 << 16


class RecordWriter:
    """Writes one file of records. Raises `OSError` when there is no room for them."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._writer = zstandard.ZstdCompressor(level=3, write_checksum=True).stream_writer(self._file)

    def write(self, record: Record) -> None:
        """Add a record."""
        data = encode(record)
        self._writer.write(len(data).to_bytes(LENGTH_BYTES, "big") + data)

    def flush(self) -> None:
        """Hand what was added to the operating system, so that it outlives this process."""
        self._writer.flush(zstandard.FLUSH_BLOCK)
        self._file.flush()

    def close(self) -> None:
        """Finish the file."""
        try:
            self._writer.flush(zstandard.FLUSH_FRAME)
        finally:
            self._file.close()


def read_records(path: Path) -> Iterator[bytes]:
    """The encoded records of a file as they come. Raises `OSError`, and `Refusal` where the file is damaged."""
    held = bytearray()
    try:
        with path.open("rb") as file:
            for data in _decompressed(file):
                held += data
                yield from _taken(held)
        if held:
            raise EOFError("it ends within a record")
    except (zstandard.ZstdError, EOFError) as error:
        raise Refusal(Code.MALFORMED, str(error)) from None


def _taken(held: bytearray) -> Iterator[bytes]:
    """Take the whole records off the front."""
    while len(held) >= LENGTH_BYTES:
        length = int.from_bytes(held[:LENGTH_BYTES], "big")
        if length > MAX_RECORD_BYTES:
            raise EOFError(f"a record of {length} bytes")
        if len(held) < LENGTH_BYTES + length:
            return
        yield bytes(held[LENGTH_BYTES : LENGTH_BYTES + length])
        del held[: LENGTH_BYTES + length]


def _decompressed(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a zstd file as they come; raises EOFError if it is not there to its end."""
    stream = zstandard.ZstdDecompressor().decompressobj()
    while data := file.read(READ_BYTES):
        yield stream.decompress(data)
    if not stream.eof:
        raise EOFError("its compressed stream has no end")
    if stream.unused_data:
        raise EOFError("something follows its end")
