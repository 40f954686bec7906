"""Key files: locked ones, ids beside them, whose they are, and who needs which."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lucid.chain.document import print_genesis
from lucid.chain.ed25519 import ed25519_public_key
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.services.anchoring import AnchoringService
from lucid.services.data import DataService
from lucid.services.devnet import Devnet
from lucid.services.engine import EngineService
from lucid.services.manager import ManagerService
from lucid.services.process import keyfile
from lucid.services.process.config import ConfigError, load_config
from lucid.services.process.keyfile import KeyFileError, passphrase, read_id, read_key, unused, write_key


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id with the least memory it takes."""
    monkeypatch.setattr(keyfile, "MEMORY_BYTES", 8 << 10)
    monkeypatch.setattr(keyfile, "PASSES", 1)


def test_a_locked_key_opens_by_its_passphrase_alone(tmp_path: Path, cheap: None) -> None:
    path = tmp_path / "node.key"
    secret = write_key(path, b"correct horse")
    assert secret.hex() not in path.read_text()
    assert read_key(path, lambda: b"correct horse") == secret
    with pytest.raises(KeyFileError, match="passphrase is wrong"):
        read_key(path, lambda: b"correct horsf")
    with pytest.raises(KeyFileError, match="is locked: name its passphrase"):
        read_key(path, lambda: None)
    assert read_id(tmp_path / "node.id") == ed25519_public_key(secret)
    with pytest.raises(KeyFileError, match="empty"):
        write_key(tmp_path / "other.key", b"")


def test_what_a_locked_key_costs_to_guess() -> None:
    assert keyfile.MEMORY_BYTES >= 64 << 20 and keyfile.PASSES >= 3
    assert keyfile.MEMORY_BYTES <= 96 << 20, "a container of a Pi 4 has 192 MiB"


def test_a_passphrase_comes_from_a_setting_a_file_or_systemd(tmp_path: Path) -> None:
    file, folder = tmp_path / "file", tmp_path / "credentials"
    file.write_text("of the file\nnot this\n")
    folder.mkdir()
    (folder / "lucid-key-passphrase").write_text("of systemd")
    systemd = {"CREDENTIALS_DIRECTORY": str(folder)}
    assert passphrase("given", file, systemd) == b"given"
    assert passphrase("", file, systemd) == b"of the file"
    assert passphrase("", None, systemd) == b"of systemd"
    assert passphrase("", None, {"CREDENTIALS_DIRECTORY": str(tmp_path)}) is None
    assert passphrase("", None, {}) is None
    file.write_text("\n")
    for wrong in (file, tmp_path / "nothing", tmp_path):
        with pytest.raises(KeyFileError, match="key_passphrase_file"):
            passphrase("", wrong, {})


@pytest.mark.parametrize(
    "change", [lambda text: text[:-3], lambda text: text + " 00", lambda text: text.replace("1 ", "2 ", 1)]
)
def test_a_damaged_locked_key_is_named(tmp_path: Path, cheap: None, change: Callable[[str], str]) -> None:
    path = tmp_path / "node.key"
    write_key(path, b"x")
    path.write_text(change(path.read_text().strip()))
    with pytest.raises(KeyFileError, match=r"node\.key"):
        read_key(path, lambda: b"x")


def test_an_id_that_is_missing_or_none_is_named_with_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"lucid keys show KEY > .*node\.id makes it"):
        read_id(tmp_path / "node.id")
    (tmp_path / "node.id").write_text("ab" * 31)
    with pytest.raises(KeyFileError, match="holds no node id"):
        read_id(tmp_path / "node.id")
    with pytest.raises(KeyFileError, match="name the key otherwise"):
        write_key(tmp_path / "x.id")


def test_an_engine_refuses_the_key_of_another_node_and_the_others_need_none(tmp_path: Path) -> None:
    node = Devnet(tmp_path, 1, 1_000).nodes[0]
    write_key(tmp_path / "other.key")
    config = load_config({}, node.folder / "node.toml")
    with pytest.raises(ConfigError, match=r"other\.key is not the key of the node"):
        EngineService(replace(config, key=tmp_path / "other.key", id=node.folder / "node.id"))
    (node.folder / "node.key").unlink()
    for kind in (ManagerService, AnchoringService, DataService):
        service = kind(config)
        assert service.key == node.key and not hasattr(service, "secret")
        service.close()
    with pytest.raises(KeyFileError, match="No such file"):
        EngineService(config)


def test_the_files_of_a_node_are_its_users_alone(tmp_path: Path) -> None:
    with Devnet(tmp_path / "net", 1, 1_000) as network:
        folder = network.nodes[0].folder
        found = {path: path.stat().st_mode & 0o077 for path in [folder, *folder.rglob("*")]}
        public = {folder / "node.id", folder / "node.key.unused"}
        assert (folder / "manager.sqlite") in found
        assert not {path: oct(mode) for path, mode in found.items() if mode and path not in public}


def test_a_key_is_its_owner_s_alone_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "node.key"
    secret = write_key(path)
    assert path.stat().st_mode & 0o777 == 0o600 and read_key(path) == secret and unused(path).exists()
    with pytest.raises(KeyFileError, match="exists already"):
        write_key(path)
    assert read_key(path) == secret
    assert write_key(tmp_path / "other.key") != secret


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    write_key(path)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_key(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80).filter(lambda data: len(data.strip()) != 64))
def test_a_file_without_a_key_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "node.key"
    path.write_bytes(data)
    os.chmod(path, 0o600)
    with pytest.raises(KeyFileError, match=r"node\.key"):
        read_key(path)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="No such file"):
        read_key(tmp_path / "node.key")


def test_an_engine_that_can_not_take_the_mark_of_a_fresh_key_away_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ed25519_public_key(write_key(tmp_path / "node.key"))
    (tmp_path / "genesis.toml").write_text(print_genesis(Genesis(0, (GenesisNode(key, "pi"),))))
    config = load_config({}, genesis=tmp_path / "genesis.toml", key=tmp_path / "node.key", data_dir=tmp_path / "data")
    # Root may write anywhere, so the answer is given for it.
    monkeypatch.setattr("lucid.services.engine.os.access", lambda path, mode: False)
    with pytest.raises(ConfigError, match=r"node\.key\.unused cannot be removed"):
        EngineService(config)


@pytest.mark.parametrize("name", ["", ".", "/", "folder/.."])
def test_a_key_is_not_written_where_no_file_is_named(name: str) -> None:
    with pytest.raises(KeyFileError, match="not the name of a file"):
        write_key(Path(name))
