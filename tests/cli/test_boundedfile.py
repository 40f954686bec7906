"""Files are read up to their bounds, and no further."""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid.cli.boundedfile import read_bounded
from lucid.cli.failure import Failure


@pytest.mark.parametrize(("size", "fits"), [(0, True), (9, True), (10, True), (11, False)])
def test_a_file_is_read_up_to_its_bound(tmp_path: Path, size: int, fits: bool) -> None:
    (tmp_path / "file").write_bytes(b"x" * size)
    if fits:
        assert read_bounded(tmp_path / "file", 10) == b"x" * size
    else:
        with pytest.raises(Failure, match="has more than 10 bytes"):
            read_bounded(tmp_path / "file", 10)


def test_a_device_without_end_is_a_sentence_and_a_file_that_is_not_there_the_systems() -> None:
    with pytest.raises(Failure, match="/dev/zero has more than 1000 bytes"):
        read_bounded(Path("/dev/zero"), 1_000)
    with pytest.raises(FileNotFoundError):
        read_bounded(Path("/no/such/file"), 1_000)
