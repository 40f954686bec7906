"""Images without times: the same content gives the same bytes, whatever order and times it had; other content not."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smoke.image.image import Stream
from smoke.image.normal import NormalImage, first_difference, main, normalize, write

Entry = tuple[str, bytes, int, int]
"""A file: its path, content, mode and owner."""

NAMES = st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=3).map("/".join)
FILES = st.dictionaries(NAMES, st.tuples(st.binary(max_size=20), st.sampled_from([0o644, 0o755]), st.integers(0, 3)))


def layer(files: list[Entry], mtime: int, links: dict[str, str] | None = None) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content, mode, owner in files:
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.uid, info.mtime = len(content), mode, owner, mtime
            info.uname = f"user{mtime}"
            info.pax_headers = {"SCHILY.xattr.security.capability": "x"} if mode == 0o755 else {}
            tar.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.mtime = tarfile.LNKTYPE, target, mtime
            tar.addfile(info)
    return written.getvalue()


def saved(path: Path, layers: list[bytes], created: str) -> Path:
    """An archive as `docker save` writes it; a layer that was there before is a link to it."""
    config = {
        "architecture": "arm64",
        "os": "linux",
        "config": {"User": "65532"},
        "created": created,
        "container": created,
        "history": [{"created": created, "created_by": "COPY"}],
        "rootfs": {"type": "layers", "diff_ids": []},
    }
    with tarfile.open(path, "w") as tar:

        def add(name: str, content: bytes) -> None:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))

        names = []
        for number, content in enumerate(layers):
            names.append(f"{number}/layer.tar")
            if content in layers[:number]:
                link = tarfile.TarInfo(names[-1])
                link.type, link.linkname = tarfile.SYMTYPE, f"../{layers.index(content)}/layer.tar"
                tar.addfile(link)
            else:
                add(names[-1], content)
        add("config.json", json.dumps(config).encode())
        entries = [{"Config": "config.json", "RepoTags": ["image:tag"], "Layers": names}]
        add("manifest.json", json.dumps(entries).encode())
    return path


def normal(folder: Path, layers: list[bytes], created: str = "2026-11-24T00:00:00Z") -> NormalImage:
    (folder / "layers").mkdir(parents=True, exist_ok=True)
    return normalize(saved(folder / "saved.tar", layers, created), folder / "layers")[0]


@settings(max_examples=60, deadline=None)
@given(files=FILES, data=st.data())
def test_times_and_order_do_not_count(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, tuple[bytes, int, int]], data: st.DataObject
) -> None:
    held = [(name, *rest) for name, rest in files.items()]
    mixed = data.draw(st.permutations(held))
    one = normal(tmp_path_factory.mktemp("one"), [layer(held, 7)], "2026-01-01T00:00:00Z")
    other = normal(tmp_path_factory.mktemp("other"), [layer(mixed, 9)])
    assert one.identity == other.identity
    assert first_difference(one, other) is None
    for name, (content, mode, owner) in files.items():
        for changed in ((content + b"!", mode, owner), (content, 0o600, owner), (content, mode, owner + 1)):
            different = [(each, *(changed if each == name else rest)) for each, rest in files.items()]
            third = normal(tmp_path_factory.mktemp("third"), [layer(different, 7)])
            assert third.identity != one.identity
            assert first_difference(one, third) == name


def test_links_and_whiteouts_survive(tmp_path: Path) -> None:
    made = normal(tmp_path, [layer([("z", b"zz", 0o755, 0), (".wh.gone", b"", 0o644, 0)], 5, {"a": "z"})])
    with tarfile.open(made.layers[0].path) as tar:
        assert tar.getnames() == [".wh.gone", "z", "a"], "a link stands behind what it leads to"
        assert {member.mtime for member in tar} == {0}
        assert tar.getmember("z").pax_headers == {"SCHILY.xattr.security.capability": "x"}
        file = tar.extractfile("a")
        assert file is not None
        assert file.read() == b"zz"


def test_a_layer_without_times_keeps_its_bytes(tmp_path: Path) -> None:
    base = layer([("b", b"", 0o644, 0), ("a", b"", 0o644, 0)], 0)
    made = normal(tmp_path, [base, layer([("c", b"", 0o644, 0)], 8), base])
    assert made.layers[0].path.read_bytes() == base
    assert made.layers[0] == made.layers[2], "a layer that was saved once is made once"


def test_what_is_written_says_the_same_again(tmp_path: Path) -> None:
    made = normal(tmp_path, [layer([("a", b"x", 0o644, 0)], 8)])
    write([made], tmp_path / "written.tar")
    (tmp_path / "again").mkdir()
    again = normalize(tmp_path / "written.tar", tmp_path / "again")[0]
    assert (again.identity, again.name) == (made.identity, "image:tag")


def test_another_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x").write_text("no archive")
    monkeypatch.setattr("sys.argv", ["normal", str(tmp_path / "x")])
    assert main() == 2
    assert "docker save" in capsys.readouterr().err


def _archive(path: Path, members: list[tarfile.TarInfo], contents: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for member in members:
            content = contents.get(member.name, b"")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def _link(name: str, to: str) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = tarfile.SYMTYPE, to
    return made


def _with_holes(name: str, size: int) -> bytes:
    """The header of a GNU sparse file without data."""
    header = bytearray(tarfile.TarInfo(name).tobuf(tarfile.GNU_FORMAT))
    number = b"\x80" + size.to_bytes(11, "big")
    header[156:157], header[386:398], header[398:410] = b"S", number, b"\x80" + bytes(11)
    header[483:495] = number
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header[:512]):06o}\0 ".encode()
    return bytes(header[:512])


MANIFEST = json.dumps([{"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["l"]}]).encode()
PLAIN = {"manifest.json": MANIFEST, "c.json": b"{}"}


@pytest.mark.parametrize("links", [{"l": "m", "m": "l"}, {"l": "l"}, {"l": "../../../etc/passwd"}])
def test_links_of_an_archive_end_somewhere_in_it(tmp_path: Path, links: dict[str, str]) -> None:
    members = [tarfile.TarInfo(name) for name in PLAIN] + [_link(name, to) for name, to in links.items()]
    with pytest.raises((ValueError, KeyError)):
        normalize(_archive(tmp_path / "a.tar", members, PLAIN), tmp_path)


def test_a_file_of_holes_takes_neither_time_nor_memory(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(_with_holes("manifest.json", 1 << 40) + bytes(1024))
    with pytest.raises(ValueError, match="manifest"):
        normalize(tmp_path / "a.tar", tmp_path)
    contents = {**PLAIN, "l": _with_holes("big", 1 << 40) + bytes(1024)}
    members = [tarfile.TarInfo(name) for name in contents]
    with pytest.raises(ValueError, match="sparse"):
        normalize(_archive(tmp_path / "b.tar", members, contents), tmp_path)


def test_what_an_engine_sends_is_read_in_pieces() -> None:
    stream = Stream([b"ab", b"", b"cdef", b"g"])
    assert [stream.read(3), stream.read(1), stream.read(9), stream.read(1)] == [b"abc", b"d", b"efg", b""]
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        info = tarfile.TarInfo("x")
        info.size = 5
        tar.addfile(info, io.BytesIO(b"hello"))
    pieces = (data.getvalue()[place : place + 7] for place in range(0, len(data.getvalue()), 7))
    with tarfile.open(fileobj=Stream(pieces), mode="r|") as tar:
        assert [member.name for member in tar] == ["x"]
