"""SIGTERM ends commands that copy, anchor and fetch as Ctrl-C does: nothing half done is left, and they say so."""

from __future__ import annotations

import signal
from contextlib import closing
from pathlib import Path

import pytest

from lucid.chain.document import print_genesis
from lucid.chain.ed25519 import ed25519_public_key
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.cli.main import main
from lucid.client import fetching, recording
from lucid.services.process.keyfile import write_key
from lucid.storage import sqlite
from lucid.storage.opening import open_store

SESSION = "713582cd-70cf-44d3-a17f-bbc50069b142"
INTERRUPTED = 130

pytestmark = pytest.mark.usefixtures("survived")


def terminate(*_: object, **__: object) -> None:
    """What the command was about to do when it came."""
    signal.raise_signal(signal.SIGTERM)


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a key and a genesis document, which the settings name."""
    key = ed25519_public_key(write_key(tmp_path / "node.key"))
    (tmp_path / "genesis.toml").write_text(print_genesis(Genesis(0, (GenesisNode(key, "pi"),))))
    monkeypatch.setenv("LUCID_GENESIS", str(tmp_path / "genesis.toml"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("words", ["export sqlite:here out", "backup sqlite:here out", "import exported sqlite:out"])
def test_no_half_copy_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(open_store("sqlite:here")) as store:
        store.write([("row", b"a", b"1")])
    assert main(["store", "export", "sqlite:here", "exported"]) == 0
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(sqlite, "_perform", terminate)
    assert main(["store", *words.split()]) == INTERRUPTED
    assert capsys.readouterr().err == "lucid: interrupted\n"
    assert sorted(tmp_path.iterdir()) == before


def test_a_recording_goes_on_after_it(
    chain: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (chain / "talk").write_bytes(bytes(2_000))
    monkeypatch.setattr(recording, "_store_chunks", terminate)
    assert main(["anchor", "talk", "--owner", "node.key"]) == INTERRUPTED
    [kept] = chain.glob("*.recording")
    assert f"interrupted; nothing is lost: lucid anchor --resume {kept.name} goes on" in capsys.readouterr().err


def test_a_fetch_leaves_nothing(
    chain: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fetching, "proven_manifest", terminate)
    assert main(["fetch", SESSION, "--owner", "node.key", "--output", "back"]) == INTERRUPTED
    assert capsys.readouterr().err == "lucid: interrupted\n" and not (chain / "back").exists()
