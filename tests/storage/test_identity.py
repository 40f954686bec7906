"""A store is one chain's, one node's, one service's and one data folder's: anything else is refused in one sentence."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lucid.cli.main import main
from lucid.storage.identity import Identity, adopt, claim, identity_of
from lucid.storage.interface import Store, StoreOther
from lucid.storage.opening import open_store
from lucid.storage.transfer import export_store, import_store

if TYPE_CHECKING:
    from lucid.services.mongod import Mongod

CHAIN, NODE = bytes(range(32)), bytes(range(1, 33))
ME = Identity(CHAIN, NODE, "manager")
OTHERS = [Identity(NODE, NODE, "manager"), Identity(CHAIN, CHAIN, "manager"), Identity(CHAIN, NODE, "engine")]

Opener = Callable[[], Store]


@pytest.fixture(params=["sqlite", "mongo"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens one and the same store, again and again."""
    if request.param == "sqlite":
        return lambda: open_store(f"sqlite:{tmp_path / 'store'}")
    running: Mongod = request.getfixturevalue("mongod")
    url = running.url()
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


def test_the_command_line_refuses_what_is_another_s(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, who in (("mine", ME), ("theirs", OTHERS[0])):
        with closing(open_store(f"sqlite:{tmp_path / name}")) as store:
            claim(store, who, tmp_path / f"{name}.home")
    assert main(["store", "export", f"sqlite:{tmp_path / 'mine'}", str(tmp_path / "file")]) == 0
    assert main(["store", "import", str(tmp_path / "file"), f"sqlite:{tmp_path / 'theirs'}"]) == 2
    said = capsys.readouterr().err
    assert "it is that of the manager" in said and said.count("\n") == 1
    shutil.copy(tmp_path / "mine.home", tmp_path / "text")
    for action in ("check", "adopt"):
        assert main(["store", action, f"sqlite:{tmp_path / 'text'}"]) == 2
        assert capsys.readouterr().err.count("\n") == 1


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
