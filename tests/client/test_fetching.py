"""`lucid fetch` and `lucid anchor` against nodes that lie: nothing is believed, and what fails leaves nothing."""

from __future__ import annotations

import json
import stat
from uuid import UUID

import pytest

from harness.notary import CRYPTO, OWNER, SESSION
from lucid.chain.manifests import check_manifest, sign_manifest
from lucid.chain.receipts import print_receipt
from lucid.client.sealing import session_key
from tests.client.bench import KEY, MALLORY, NET, Bench, bench, refused
from tests.client.lying import Answer

__all__ = ["bench"]


def test_what_holds_comes_back(bench: Bench) -> None:
    files = {"talk.txt": b"words" * 999, "d/e": b""}
    bench.hold(files)
    assert bench.fetch() == (0, "out/talk.txt\nout/d/e\n", "")
    assert {name: (bench.folder / "out" / name).read_bytes() for name in files} == files


def test_a_strangers_session_is_none_of_mine(bench: Bench) -> None:
    """Who was shown one session has its key, and with a node can seal and sign what they like."""
    forged = bench.hold({"talk.txt": b"forged words"}, signer=MALLORY)
    assert "6012" in refused(bench)
    del bench.node.answers["/receipt"]
    assert "3002" in refused(bench), "no receipt, no files"
    bench.prove(NET.receipt(manifest=NET.manifest()))
    assert "3002" in refused(bench), "what is fetched is what the receipt holds"
    mine = NET.manifest(chunks=json.loads(forged)["chunks"])
    anchor = check_manifest(mine, NET.genesis.chain_id, CRYPTO).anchor
    bench.prove(NET.receipt(NET.transaction(anchor), b""))
    assert "6001" in refused(bench), "nor one that the node has beside the receipt"


def test_a_receipt_of_another_session_proves_nothing(bench: Bench) -> None:
    other = UUID(int=7, version=4)
    bench.hold({"a": b"1"}, session=other, sealed_by=session_key(OWNER, other))
    assert "6012" in refused(bench)


def test_a_receipt_that_does_not_hold_stops_it(bench: Bench) -> None:
    bench.hold({"a": b"1"})
    bench.prove(NET.receipt()._replace(certificate=NET.certify(NET.header(9, bytes(32)))))
    assert "7011" in refused(bench)
    bench.node.answers["/receipt"] = Answer(body=b'{"lucid_receipt": "trust me"}')
    assert "6010" in refused(bench)


def test_a_checkpoint_is_asked_for_and_must_be_reached(bench: Bench) -> None:
    bench.hold({"a": b"1"})
    assert "6011" in refused(bench, "--checkpoint", "00" * 32)
    assert bench.node.asked[-1].endswith("checkpoint=" + "00" * 32)
    manifest = json.loads(bench.node.answers["/manifest"].body)  # type: ignore[union-attr, arg-type]
    held = NET.receipt(manifest=json.dumps(manifest).encode())
    assert bench.fetch("--checkpoint", held.headers[-1].hash.hex())[0] == 0


def test_a_receipt_that_was_kept_is_enough_where_the_node_that_took_the_session_is_gone(bench: Bench) -> None:
    manifest = bench.hold({"a": b"1", "b": b"22"})
    (bench.folder / "kept.json").write_bytes(print_receipt(NET.receipt(manifest=manifest), NET.genesis))
    bare = NET.receipt(NET.transaction(check_manifest(manifest, NET.genesis.chain_id, CRYPTO).anchor), b"")
    (bench.folder / "bare.json").write_bytes(print_receipt(bare, NET.genesis))
    for gone in ("/receipt", "/manifest"):
        del bench.node.answers[gone]
    assert "3002" in refused(bench)
    assert "6001" in refused(bench, "--receipt", "bare.json"), "it holds no manifest"
    other = NET.receipt(manifest=NET.manifest(session=str(UUID(int=7, version=4))))
    (bench.folder / "other.json").write_bytes(print_receipt(other, NET.genesis))
    assert "6012" in refused(bench, "--receipt", "other.json")
    assert "6011" in refused(bench, "--receipt", "kept.json", "--checkpoint", "00" * 32)
    (bench.folder / "nonsense.json").write_bytes(b"{}")
    assert "6010" in refused(bench, "--receipt", "nonsense.json")
    assert "none.json" in refused(bench, "--receipt", "none.json")
    bench.node.asked.clear()
    assert bench.fetch("--receipt", "kept.json") == (0, "out/a\nout/b\n", "")
    assert not [each for each in bench.node.asked if "/sessions/" in each]


def test_the_owner_is_given_or_pinned_loudly_at_first_use(bench: Bench) -> None:
    reader = ("--session-key", KEY.hex())
    mine, theirs = CRYPTO.public_key(OWNER).hex(), CRYPTO.public_key(MALLORY).hex()
    bench.hold({"a": b"1"})
    assert "6012" in refused(bench, "--owner-key", theirs, owner=reader)
    assert bench.fetch("--owner-key", mine, "--output", "1", owner=reader) == (0, "1/a\n", "")
    status, _, err = bench.fetch("--output", "2", owner=reader)
    assert status == 0 and "WARNING" in err and mine in err
    pins = bench.folder / "home" / "lucid" / "owners"
    assert stat.S_IMODE(pins.stat().st_mode) == 0o600
    assert bench.fetch("--output", "3", owner=reader) == (0, "3/a\n", ""), "the second time it is known"
    bench.hold({"a": b"forged"}, signer=MALLORY)
    assert theirs in refused(bench, owner=reader)
    pins.write_text("nonsense\n")
    assert "owners" in refused(bench, owner=reader)


def test_the_wrong_key_is_called_that(bench: Bench) -> None:
    bench.hold({"a": b"1"})
    error = refused(bench, "--owner-key", CRYPTO.public_key(OWNER).hex(), owner=("--session-key", "00" * 32))
    assert "not the session's key" in error and "damaged" not in error


def test_one_chunk_under_two_keys_opens_under_the_committed_one_alone(bench: Bench) -> None:
    bench.hold({"a": b"1"}, sealed_by=session_key(MALLORY, SESSION))
    assert "chunk 0" in refused(bench)


def test_chunks_that_are_left_off_at_the_end_are_missed(bench: Bench) -> None:
    """The owner cuts off the end, and signs that: what is last by the manifest was not sealed as the last."""
    whole = json.loads(bench.hold({"a": bytes(950), "b": bytes(900)}))
    assert len(whole["chunks"]) == 2
    fields = {key: whole[key] for key in ("session", "started_ms", "ended_ms", "codec", "key_commitment")}
    cut = sign_manifest({**fields, "chunks": whole["chunks"][:1]}, OWNER, NET.genesis.chain_id, CRYPTO)
    bench.prove(NET.receipt(manifest=cut))
    assert "chunk 0" in refused(bench)


def test_names_that_a_system_would_act_on_are_written_otherwise(bench: Bench) -> None:
    bench.hold({"\x1b]0;pwned\x07\x1b[2K.txt": b"a", ".bash_login": b"b", "a\nlucid: fine": b"c", "aux.txt": b"d"})
    status, out, _ = bench.fetch()
    assert status == 0 and all(line.isprintable() for line in out.splitlines()) and out.count("\n") == 4
    assert bench.left() == ["%1B]0;pwned%07%1B[2K.txt", "%2Ebash_login", "%61ux.txt", "a%0Alucid%3A fine"]


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a//b", ".", "..", "", "x\0", "n" * 300])
def test_impossible_names_stop_it(bench: Bench, name: str) -> None:
    bench.hold({name: b"z"})
    assert "3001" in refused(bench)
    assert not (bench.folder / "x").exists()
