"""A store is one chain's, one node's, one service's and one data folder's: anything else is refused in one sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lucid.chain.codec import encode
from lucid.cli.main import main
from lucid.storage.chunkrow import CHUNK_TABLE, ChunkRow
from lucid.storage.errors import StoreOther
from lucid.storage.identity import Identity, adopt, claim, identity_of
from lucid.storage.interface import Store
from lucid.storage.opening import open_store
from lucid.storage.transfer import export_store, import_store

if TYPE_CHECKING:
    from lucid.services.process.mongod import Mongod

CHAIN, NODE = bytes(range(32)), bytes(range(1, 33))
ME = Identity(CHAIN, NODE, "manager")
OTHERS = [Identity(NODE, NODE, "manager"), Identity(CHAIN, CHAIN, "manager"), Identity(CHAIN, NODE, "engine")]

Opener = Callable[[], Store]


@pytest.fixture(params=["sqlite", "mongo"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Where a store can be that nobody uses yet, another one each time."""
    if request.param == "sqlite":
        numbers = count()
        return lambda: f"sqlite:{tmp_path / f'store{next(numbers)}'}"
    running: Mongod = request.getfixturevalue("mongod")
    return running.url


@pytest.fixture
def opener(urls: Callable[[], str]) -> Opener:
    """Opens one and the same store, again and again."""
    url = urls()
    return lambda: open_store(url)


@pytest.mark.parametrize("other", OTHERS, ids=["chain", "node", "service"])
def test_a_store_knows_whose_it_is(opener: Opener, tmp_path: Path, other: Identity) -> None:
    with closing(opener()) as store:
        claim(store, ME, tmp_path / "mark")
    with closing(opener()) as store:
        claim(store, ME, tmp_path / "mark")
        with pytest.raises(StoreOther, match="it is that of the manager") as refused:
            claim(store, other, tmp_path / "mark")
        assert "\n" not in str(refused.value) and identity_of(store) == ME


def test_two_folders_on_one_store_are_refused_until_it_is_let_go(opener: Opener, tmp_path: Path) -> None:
    with closing(opener()) as store:
        claim(store, ME, tmp_path / "one")
        with pytest.raises(StoreOther, match="another data folder"):
            claim(store, ME, tmp_path / "two")
        assert not (tmp_path / "two").exists()
        assert adopt(store) and not adopt(store)
        claim(store, ME, tmp_path / "two")
        with pytest.raises(StoreOther):
            claim(store, ME, tmp_path / "one")


@pytest.mark.parametrize("other", [*OTHERS, ME], ids=["chain", "node", "service", "folder"])
def test_of_two_that_begin_at_once_one_is_refused(
    opener: Opener, tmp_path: Path, other: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find the store empty: who is first has it, and the other must not run."""
    with closing(opener()) as store, closing(opener()) as theirs:
        write_once = store.write_once

        def later(table: str, key: bytes, value: bytes) -> bytes:
            monkeypatch.setattr(store, "write_once", write_once)
            claim(theirs, other, tmp_path / "theirs")
            return write_once(table, key, value)

        monkeypatch.setattr(store, "write_once", later)
        with pytest.raises(StoreOther, match=r"it is that of|another data folder"):
            claim(store, ME, tmp_path / "mine")
        claim(theirs, other, tmp_path / "theirs")


def test_an_empty_store_is_not_taken_for_one_that_was_lost(opener: Opener, tmp_path: Path) -> None:
    with closing(opener()) as store:
        with pytest.raises(StoreOther, match="it is empty"):
            claim(store, ME, tmp_path / "mark", may_begin=False)
        assert store.tables() == []


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [("vote", b"latest", b""), ("chunk", bytes(32), b""), ("session", bytes(16), b""), ("root", b"root", NODE)],
)
def test_a_store_of_an_older_release_tells_by_what_it_holds(
    tmp_path: Path, table: str, key: bytes, value: bytes
) -> None:
    with closing(open_store(f"sqlite:{tmp_path / 'store'}")) as store:
        store.write([(table, key, value)])
        with pytest.raises(StoreOther):
            claim(store, ME, tmp_path / "mark")


def test_a_mark_that_is_none_is_one_sentence(opener: Opener, tmp_path: Path) -> None:
    (tmp_path / "mark").write_text("what is this")
    with closing(opener()) as store, pytest.raises(StoreOther, match="32 hexadecimal digits"):
        claim(store, ME, tmp_path / "mark")


def test_a_copy_has_the_identity_but_no_folder(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:{tmp_path / 'store'}")) as store:
        claim(store, ME, tmp_path / "mark")
        export_store(store, tmp_path / "export")
    with closing(open_store(f"sqlite:{tmp_path / 'copy'}")) as copy:
        import_store(tmp_path / "export", copy)
        assert identity_of(copy) == ME and "home" not in copy.tables()
        claim(copy, ME, tmp_path / "elsewhere")
    for other in OTHERS:
        with closing(open_store(f"sqlite:{tmp_path / other.service}{other.chain[0]}{other.node[0]}")) as store:
            claim(store, other, tmp_path / f"mark{other.service}{other.chain[0]}{other.node[0]}")
            with pytest.raises(StoreOther, match="it is that of"):
                import_store(tmp_path / "export", store)


@pytest.mark.parametrize("other", OTHERS, ids=["chain", "node", "service"])
def test_the_command_line_refuses_what_is_another_s(
    urls: Callable[[], str], tmp_path: Path, capsys: pytest.CaptureFixture[str], other: Identity
) -> None:
    mine, theirs = urls(), urls()
    for url, who in ((mine, ME), (theirs, other)):
        with closing(open_store(url)) as store:
            claim(store, who, tmp_path / f"{who.service}{who.chain[0]}{who.node[0]}")
    assert main(["store", "export", mine, str(tmp_path / "file")]) == 0
    assert main(["store", "import", str(tmp_path / "file"), theirs]) == 2
    said = capsys.readouterr().err
    assert f"it is that of {other}" in said and said.count("\n") == 1
    with closing(open_store(theirs)) as store:
        assert identity_of(store) == other and store.tables() == ["home", "identity"]
    assert main(["store", "check", theirs, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["identity"] == [other.service, other.node.hex(), other.chain.hex()]


def test_no_command_takes_what_is_another_program_s(
    urls: Callable[[], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = urls()
    if theirs.startswith("sqlite:"):
        (tmp_path / "theirs").write_text("0123456789abcdef")
        theirs = f"sqlite:{tmp_path / 'theirs'}"
    else:
        from pymongo import MongoClient  # noqa: PLC0415 - for MongoDB alone

        with MongoClient[dict[str, object]](theirs) as client:
            client.get_default_database()["shop"].insert_one({"price": 1})
    with closing(open_store(urls())) as store:
        export_store(store, tmp_path / "file")
    chunks = tmp_path / "chunks"
    chunks.mkdir()
    for words in (
        ["check", theirs],
        ["adopt", theirs],
        ["adopt", theirs, "--chunks", str(chunks)],
        ["export", theirs, str(tmp_path / "out")],
        ["import", str(tmp_path / "file"), theirs],
        ["backup", theirs, str(tmp_path / "out")],
    ):
        assert main(["store", *words]) == 2
        said = capsys.readouterr()
        assert said.err.count("\n") == 1 and not said.out, words
    assert not (tmp_path / "out").exists()


def test_check_and_adopt_read_chunk_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from lucid.chain.chunks import chunk_id  # noqa: PLC0415 - for this test alone

    good = bytes(5_000)
    for data, name in ((good, chunk_id(good).hex()), (b"?" * 2_000, "cd" * 32)):
        (tmp_path / "chunks" / name[:2]).mkdir(parents=True, exist_ok=True)
        (tmp_path / "chunks" / name[:2] / name).write_bytes(data)
    store, folder = f"sqlite:{tmp_path / 'data.sqlite'}", str(tmp_path / "chunks")
    assert main(["store", "adopt", store, "--chunks", folder]) == 20
    assert "1 chunks taken in" in capsys.readouterr().out
    assert main(["store", "check", store]) == 20
    assert "does not know the chunk cdcd" in capsys.readouterr().out
    (tmp_path / "chunks" / "cd" / ("cd" * 32)).unlink()
    assert main(["store", "check", store]) == 0
    path = tmp_path / "chunks" / chunk_id(good).hex()[:2] / chunk_id(good).hex()
    path.write_bytes(good[:-1] + b"x")
    assert main(["store", "check", store]) == 20
    path.unlink()
    assert main(["store", "check", store]) == 20
    assert "is missing" in capsys.readouterr().out


@pytest.mark.parametrize("said", [True, False])
def test_chunks_are_taken_into_no_other_store_than_the_data_chain_s(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], said: bool
) -> None:
    with closing(open_store(f"sqlite:{tmp_path / 'manager.sqlite'}")) as store:
        if said:
            claim(store, ME, tmp_path / "manager.home")
        else:
            store.write([("root", b"root", CHAIN)])
    (tmp_path / "chunks").mkdir()
    words = ["store", "adopt", f"sqlite:{tmp_path / 'manager.sqlite'}"]
    assert main([*words, "--chunks", str(tmp_path / "chunks")]) == 2
    assert "it is that of the manager" in capsys.readouterr().err
    assert main(words) == 0
    assert ("no longer tied" in capsys.readouterr().out) is said, "what was refused left the mark"


@pytest.mark.parametrize("kind", ["fifo", "endless", "huge"])
def test_check_and_adopt_are_bounded_by_what_a_chunk_can_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    name = "cd" * 32
    path = tmp_path / "chunks" / "cd" / name
    path.parent.mkdir(parents=True)
    url = f"sqlite:{tmp_path / 'data.sqlite'}"
    with closing(open_store(url)) as store:
        store.write([(CHUNK_TABLE, bytes.fromhex(name), encode(ChunkRow(5_000, 0)))])
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "endless":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(1 << 40)
    assert main(["store", "check", url]) == 20
    assert f"the file of the chunk {name} does not have its bytes" in capsys.readouterr().out
    adopted = main(["store", "adopt", f"sqlite:{tmp_path / 'new'}", "--chunks", str(tmp_path / "chunks")])
    assert adopted == (20 if kind == "huge" else 0), "what is no file is not taken for one"
