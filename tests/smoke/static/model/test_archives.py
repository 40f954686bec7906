"""Archives that ADD unpacks: by their content, within bounds."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from smoke.static.model import archives
from smoke.static.model.archives import unpack
from smoke.static.model.copyorder import CopyOrder
from smoke.static.model.filesystem import FileSystem
from smoke.tree import Tree
from tests.smoke.cases import write_files


def packed(mode: str, *members: tuple[str, bytes, int]) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode) as made:  # type: ignore[call-overload]
        for name, kind, bits in members:
            member = tarfile.TarInfo(name)
            member.type, member.mode, member.linkname = kind, bits, "target" if kind == tarfile.SYMTYPE else ""
            made.addfile(member)
    return held.getvalue()


def unpacked(folder: Path, data: bytes, name: str = "a.bin") -> tuple[bool, FileSystem]:
    files = FileSystem()
    order = CopyOrder(sources=(name,), place="/x", into=True, user=7, mode=None, line=3)
    return unpack(files, Tree(write_files(folder, {name: data})), name, order), files


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_an_archive_is_told_by_its_content(tmp_path: Path, mode: str) -> None:
    data = packed(mode, ("d", tarfile.DIRTYPE, 0o700), ("d/f", tarfile.REGTYPE, 0o640), ("l", tarfile.SYMTYPE, 0o777))
    done, files = unpacked(tmp_path, data)
    file, link = files.find("/x/d/f"), files.entries["/x/l"]
    assert done and file is not None and (file.mode, file.user, file.line) == (0o640, 7, 3)
    assert (link.kind, link.target) == ("link", "target")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "./a/../../../etc/passwd"])
def test_nothing_is_put_outside(tmp_path: Path, name: str) -> None:
    _, files = unpacked(tmp_path, packed("w", (name, tarfile.REGTYPE, 0o644)))
    assert "/etc/passwd" not in files.entries and "/x/etc/passwd" in files.entries


@pytest.mark.parametrize("data", [b"plain text", b"", b"PK\x03\x04zip"])
def test_what_is_no_archive_is_copied(tmp_path: Path, data: bytes) -> None:
    done, files = unpacked(tmp_path, data, "a.tar.gz")
    assert not done and not files.entries


def test_what_is_broken_or_unknown_is_in_doubt(tmp_path: Path) -> None:
    whole = packed("w", *((f"f{number}", tarfile.REGTYPE, 0o644) for number in range(40)))
    done, files = unpacked(tmp_path, whole[:9000])
    assert done and files.find("/x/f0") is not None
    done, files = unpacked(tmp_path / "zstd", b"\x28\xb5\x2f\xfd" + b"x" * 600)
    assert done and files.doubt("/x/anything")


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED", 1 << 14)
    done, files = unpacked(tmp_path, packed("w:gz", *((f"f{n}", tarfile.REGTYPE, 0o644) for n in range(200))))
    assert done and files.doubt("/x/f199") and files.find("/x/f199") is None
