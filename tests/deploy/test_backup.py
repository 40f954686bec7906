"""A backup and a restore on a host that is a folder, cut short and begun again."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from lucid.storage.opening import open_store
from tests.deploy.fakehost import FakeHost

Said = pytest.CaptureFixture[str]
STORES = ("manager", "anchoring", "data")
CHUNK = "chunks/ab/" + "ab" * 32


@pytest.fixture
def used(pi: FakeHost) -> FakeHost:
    """A node that holds something."""
    for service in STORES:
        with closing(open_store(f"sqlite:{pi.volume(service)}/{service}.sqlite")) as store:
            store.write([("thing", b"of", service.encode())])
    path = pi.volume("data") / CHUNK
    path.parent.mkdir(parents=True)
    path.write_text("a chunk")
    (pi.volume("data") / "chunks/incoming").mkdir()
    (pi.volume("data") / "chunks/incoming/half").touch()
    return pi


def things(pi: FakeHost) -> list[bytes | None]:
    found = []
    for service in STORES:
        with closing(open_store(f"sqlite:{pi.volume(service)}/{service}.sqlite")) as store:
            found.append(store.get("thing", b"of"))
    return found


def restore(pi: FakeHost, folder: Path) -> int:
    return pi.install(folder, "--restore", str(folder / "copy"))


def test_a_node_comes_back_from_its_backup(used: FakeHost, tmp_path: Path) -> None:
    assert used.lucid("backup", str(tmp_path / "copy")) == 0
    assert not (used.state / "stopped").exists()
    assert not (tmp_path / "copy.part").exists()
    assert not list(used.volume("data").glob("export"))
    assert used.lucid("remove", "--with-data") == 0
    assert restore(used, tmp_path) == 0
    assert things(used) == [service.encode() for service in STORES]
    assert (used.volume("data") / CHUNK).read_text() == "a chunk"
    assert not (used.volume("data") / "chunks/incoming/half").exists()
    assert not (used.home / "lucid/restoring").exists()
    assert not (used.volume("key") / "node.key.unused").exists()


def test_a_node_that_is_not_healthy_is_copied_too(used: FakeHost, tmp_path: Path, capsys: Said) -> None:
    used.spoil("one")
    assert used.lucid("backup", str(tmp_path / "copy")) == 0
    assert "warning: the backup is whole" in capsys.readouterr().err
    assert json.loads((tmp_path / "copy/backup.json").read_text())["node"]


@pytest.mark.parametrize("calls", (14, 18, 22, 27))
def test_a_backup_that_was_cut_short_is_repeated(used: FakeHost, tmp_path: Path, calls: int) -> None:
    used.break_at(calls)
    assert used.lucid("backup", str(tmp_path / "copy")) != 0
    assert not (tmp_path / "copy").exists()
    used.repair()
    (used.volume("manager") / "export").write_text("left")
    (used.volume("manager") / ".export.left").mkdir(exist_ok=True)
    assert used.lucid("backup", str(tmp_path / "copy")) == 0
    assert not list(used.volume("manager").glob("*export*"))


def test_what_is_in_the_way_is_not_removed(used: FakeHost, tmp_path: Path) -> None:
    (tmp_path / "copy.part").mkdir()
    (tmp_path / "copy.part/letter").touch()
    assert used.lucid("backup", str(tmp_path / "copy")) == 2
    assert (tmp_path / "copy.part/letter").exists()


def test_a_node_stands_up_again_when_the_line_is_lost(
    used: FakeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object) -> None:
        used.cut_line()
        raise KeyboardInterrupt

    monkeypatch.setattr("lucid.deploy.backup._copy_standing", lose)
    assert used.lucid("backup", str(tmp_path / "copy")) == 130
    assert "compose up -d" in used.calls()


@pytest.mark.parametrize("calls", (20, 26, 32, 36, 40))
def test_a_restore_that_was_cut_short_goes_on(used: FakeHost, tmp_path: Path, calls: int, capsys: Said) -> None:
    assert used.lucid("backup", str(tmp_path / "copy")) == 0
    used.lose_data()
    used.break_at(calls)
    assert restore(used, tmp_path) in (2, 3, 4)
    used.repair()
    if (used.home / "lucid/restoring").exists():
        capsys.readouterr()
        assert used.install(tmp_path) == 2
        assert "--restore" in capsys.readouterr().err
        assert used.lucid("upgrade", "--keep-images") == 2
        assert not used.running() or "Up" not in (used.state / "containers/data/state").read_text()
    assert restore(used, tmp_path) == 0
    assert things(used) == [service.encode() for service in STORES]
    assert (used.volume("data") / CHUNK).exists()
    assert not (used.home / "lucid/restoring").exists()


def test_a_backup_of_another_node_is_refused(used: FakeHost, tmp_path: Path, capsys: Said) -> None:
    assert used.lucid("backup", str(tmp_path / "copy")) == 0
    assert restore(used, tmp_path) == 2, "a node that has data reads none in"
    used.lose_data()
    (tmp_path / "node.key.unused").touch()
    assert restore(used, tmp_path) == 2, "a key whose node has a backup has signed"
    (tmp_path / "node.key.unused").unlink()
    about = json.loads((tmp_path / "copy/backup.json").read_text())
    (tmp_path / "copy/backup.json").write_text(json.dumps({**about, "node": "1" * 64}))
    assert restore(used, tmp_path) == 2
    assert f"is of the node {'1' * 64}" in capsys.readouterr().err
