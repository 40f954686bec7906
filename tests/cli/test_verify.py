"""`lucid verify`: what a receipt proves, without a network, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec import structs

from harness.notary import CHUNKS, CRYPTO, OWNER, SESSION, Notary
from lucid.chain.document import print_genesis
from lucid.chain.receipts import print_receipt
from lucid.cli.main import main
from tests.cli.command import Capture, Done, assert_refused, failed, lucid, said


def test_what_is_no_receipt_does_not_hold(tmp_path: Path, capsys: Capture) -> None:
    genesis, receipt = tmp_path / "genesis.toml", tmp_path / "receipt.json"
    assert main(["genesis", "new", str(genesis), "--node", "a=" + "ab" * 32]) == 0
    said(capsys)
    receipt.write_text("{}")
    assert main(["verify", str(receipt), "--genesis", str(genesis)]) == 20
    assert "does not hold" in said(capsys)
    assert main(["verify", str(receipt), "--genesis", str(genesis), "--json"]) == 20
    assert json.loads(said(capsys))["valid"] is False
    assert "--checkpoint" in failed(capsys, "verify", str(receipt), "--genesis", str(genesis), "--checkpoint", "x")
    assert "none" in failed(capsys, "verify", str(tmp_path / "none"), "--genesis", str(genesis))


def test_what_is_read_is_bounded_and_binary_is_one_sentence(tmp_path: Path, capsys: Capture) -> None:
    genesis, receipt, noise = tmp_path / "genesis.toml", tmp_path / "receipt.json", tmp_path / "noise"
    assert main(["genesis", "new", str(genesis), "--node", f"a={'ab' * 32}"]) == 0
    net = Notary()
    receipt.write_bytes(print_receipt(net.receipt(), net.genesis))
    (tmp_path / "net.toml").write_text(print_genesis(net.genesis))
    noise.write_bytes(bytes(range(256)) * 9)
    said(capsys)
    for arguments in (
        (str(receipt), "--genesis", str(tmp_path / "net.toml"), "--chunk", "/dev/zero"),
        (str(receipt), "--genesis", "/dev/zero"),
        (str(receipt), "--genesis", str(noise)),
        ("/dev/zero", "--genesis", str(genesis)),
    ):
        failed(capsys, "verify", *arguments)
    failed(capsys, "genesis", "show", str(noise))
    failed(capsys, "genesis", "show", "/dev/zero")
    assert main(["verify", str(noise), "--genesis", str(genesis)]) == 20
    assert said(capsys).isprintable()
    assert main(["verify", str(receipt), "--genesis", str(tmp_path / "net.toml"), "--chunk", str(noise)]) == 20
    assert "6024" in said(capsys)


@pytest.fixture
def proven(tmp_path: Path) -> Path:
    """A folder with a receipt that holds, its chain's document, and the chunks of its session."""
    net = Notary()
    (tmp_path / "receipt.json").write_bytes(print_receipt(net.receipt(), net.genesis))
    (tmp_path / "genesis.toml").write_text(print_genesis(net.genesis))
    for place, data in enumerate(CHUNKS):
        (tmp_path / f"chunk{place}").write_bytes(data)
    return tmp_path


def verified(folder: Path, *words: object) -> Done:
    """Verify the receipt of that folder."""
    return lucid("verify", "receipt.json", "--genesis", "genesis.toml", *words, cwd=folder)


def test_what_a_receipt_proves_is_told_to_people_and_programs(proven: Path) -> None:
    chunks = ("--chunk", "chunk2", "--chunk", "chunk0")
    done = verified(proven, *chunks)
    assert (done.status, done.err) == (0, "")
    first, *places = done.out.splitlines()
    assert first.startswith(f"session {SESSION} of the owner {CRYPTO.public_key(OWNER).hex()} is in block 1 (")
    assert places == ["chunk2 is its chunk 2", "chunk0 is its chunk 0"]
    found = json.loads(verified(proven, *chunks, "--json").out)
    assert (found["valid"], found["session"], found["height"]) == (True, str(SESSION), 1)
    assert (found["chunks"], found["places"]) == (3, [2, 0])
    assert found["block"] in first and found["time"] in first


def test_a_checkpoint_that_is_not_reached_has_a_status_of_its_own(proven: Path) -> None:
    reached = Notary().receipt().headers[-1].hash.hex()
    assert verified(proven, "--checkpoint", reached).status == 0
    done = verified(proven, "--checkpoint", "00" * 32)
    assert (done.status, done.err) == (21, "") and "receipt.json is not covered: LUCID_ERR_6011" in done.out
    done = verified(proven, "--checkpoint", "00" * 32, "--json")
    assert done.status == 21 and json.loads(done.out)["code"] == "LUCID_ERR_6011"


def test_a_chunk_of_another_session_is_none_of_it(proven: Path) -> None:
    (proven / "chunk0").write_bytes(bytes(1_500))
    done = verified(proven, "--chunk", "chunk0")
    assert done.status == 20 and "does not hold" in done.out and "chunk0" in done.out
    assert_refused(verified(proven, "--chunk", "none"), "none: No such file")


def test_a_receipt_of_another_chain_does_not_hold(proven: Path) -> None:
    (proven / "genesis.toml").write_text(print_genesis(structs.replace(Notary().genesis, genesis_time_ms=1)))
    done = verified(proven)
    assert done.status == 20 and "does not hold" in done.out and done.out.count("\n") == 1
