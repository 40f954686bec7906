"""An image as an engine holds it: what is read out of it, and what is run in it."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import docker.errors  # type: ignore[import-untyped]
import pytest

from smoke.image.image import CAN_NOT_START, BuiltImage, ImagePath, Stream
from tests.smoke.image.stand_in import FILES, Engine, tar_of


def test_a_stream_gives_what_it_is_asked_for_and_ends() -> None:
    stream = Stream([b"abc", b"", b"defgh", b"i"])
    assert stream.readable() and [stream.read(2), stream.read(4), stream.read(), stream.read(3)] == [
        *(b"ab", b"cdef", b"ghi", b"")
    ]


def test_what_an_image_holds_is_listed_and_the_system_s_own_told_apart(tmp_path: Path) -> None:
    engine = Engine(tmp_path, {**FILES, "usr/local/bin/tool": b"x", "top": b""}, modes={"top": 0o4755})
    with BuiltImage(engine, "shop:1", Event()) as image:
        assert ImagePath("opt/code/shop/main.py", "file", 0o644, 12) in image.files
        assert ImagePath("opt/code", "directory", 0o755, 0) in image.files
        assert ImagePath("top", "file", 0o4755, 0) in image.files
        assert image.installed == ["opt", "usr/local"]
        assert (image.platform, image.podman) == ("linux/arm64", False)
        assert engine.containers_left == 1
    assert engine.containers_left == 0
    with pytest.raises(docker.errors.ImageNotFound):
        BuiltImage(engine, "none", Event())
    assert BuiltImage(Engine(tmp_path, component="Podman Engine"), "shop:1", Event()).podman


def test_files_are_taken_out_and_never_put_above_the_folder(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "engine", {"code/a.py": b"1", "code/../../../escaped": b"2", "code/b.py": b"3"})
    with BuiltImage(engine, "shop:1", Event()) as image:
        image.extract("/code", tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()} == {"a.py", "b.py"}
    assert not list(tmp_path.parent.glob("escaped")) and not (tmp_path / "escaped").exists()


def test_a_program_s_status_and_words_come_back(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    with BuiltImage(engine, "shop:1", Event()) as image:
        assert image.python("print('up')") == (0, "up\n")
        status, said = image.python("import sys; sys.exit('down')")
        assert status == 1 and said.endswith("down\n")
        given = tar_of({"a.journal": b"entry"})
        assert image.python("print(open('/given/a.journal').read())", given) == (0, "entry\n")
        engine.refuses = True
        assert image.python("") == (CAN_NOT_START, "exec: python: not found")
        assert engine.containers_left == 1, "what ran is taken away"
        image.stop(engine)
        assert engine.killed == 0, "nothing runs"
        image._running = "c1"
        image.stop(engine)
        assert engine.killed == 1


def test_nothing_starts_once_it_has_ended(tmp_path: Path) -> None:
    ended = Event()
    with BuiltImage(Engine(tmp_path), "shop:1", ended) as image:
        ended.set()
        with pytest.raises(InterruptedError, match="shop:1"):
            image.python("print(1)")
        with pytest.raises(InterruptedError, match="shop:1"):
            image.extract("/opt", tmp_path / "out")
