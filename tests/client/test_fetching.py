"""`lucid fetch` and `lucid anchor` against nodes that lie: nothing is believed, and what fails leaves nothing."""

from __future__ import annotations

import fcntl
import json
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from harness.notary import CRYPTO, OWNER, SESSION, Notary
from lucid.chain.chunks import chunk_id
from lucid.chain.document import print_genesis
from lucid.chain.manifests import check_manifest, sign_manifest
from lucid.chain.receipts import Receipt, print_receipt
from lucid.cli.main import main
from lucid.client.bundle import BundleIndex, FileEntry
from lucid.client.sealing import key_commitment, seal, session_key
from tests.client.lying import Answer, LyingNode, lying_node

NET = Notary()
MALLORY = b"mallory".ljust(32)
KEY = session_key(OWNER, SESSION)
PARTIAL = f"{SESSION}.partial"
Capture = pytest.CaptureFixture[str]


class Bench:
    """A node that lies, and a user of it in a folder."""

    def __init__(self, folder: Path, node: LyingNode, capsys: Capture) -> None:
        self.folder = folder
        self.node = node
        self.capsys = capsys
        (folder / "genesis.toml").write_text(print_genesis(NET.genesis))
        self.config("node.toml", node.url)
        (folder / "owner.key").write_text(OWNER.hex())
        (folder / "owner.key").chmod(0o600)

    def config(self, name: str, url: str) -> str:
        """The settings that name a node."""
        text = f'genesis = "{self.folder}/genesis.toml"\nanchoring_url = "{url}"\ndata_url = "{url}"\n'
        (self.folder / name).write_text(text)
        return name

    def hold(
        self,
        files: dict[str, bytes],
        signer: bytes = OWNER,
        sealed_by: bytes = KEY,
        committed: bytes | None = KEY,
        session: UUID = SESSION,
        receipt_of: bytes | None = None,
    ) -> bytes:
        """Have the node hold a session, final; returns its manifest. `receipt_of` is another manifest to prove."""
        index = msgspec.json.encode(BundleIndex(tuple(FileEntry(name, len(data)) for name, data in files.items())))
        stream = len(index).to_bytes(8, "big") + index + b"".join(files.values())
        parts = [stream[first : first + 1_000].ljust(1_000, b"\0") for first in range(0, len(stream), 1_000)]
        chunks = []
        for place, part in enumerate(parts):
            sealed = seal(sealed_by, session, place, part, place == len(parts) - 1)
            self.node.chunks[chunk_id(sealed).hex()] = sealed
            chunks.append({"index": place, "size": len(sealed), "id": chunk_id(sealed).hex()})
        more: dict[str, Any] = {} if committed is None else {"key_commitment": key_commitment(committed, session).hex()}
        manifest = NET.manifest(signer, session=str(session), chunks=chunks, **more)
        receipt = NET.receipt(manifest=manifest if receipt_of is None else receipt_of)
        self.node.answers["/manifest"] = Answer(body=manifest)
        self.prove(receipt)
        return manifest

    def prove(self, receipt: Receipt) -> None:
        """Have the node answer this receipt."""
        self.node.answers["/receipt"] = Answer(body=print_receipt(receipt, NET.genesis))

    def fetch(self, *options: str, owner: tuple[str, ...] = ("--owner", "owner.key")) -> tuple[int, str, str]:
        """Run `lucid fetch`; returns exit status, output and errors."""
        status = main(["fetch", str(SESSION), "--config", "node.toml", *owner, "--output", "out", *options])
        said = self.capsys.readouterr()
        return status, said.out, said.err

    def left(self) -> list[str]:
        """What is in the output folder."""
        out = self.folder / "out"
        return sorted(str(path.relative_to(out)) for path in out.rglob("*")) if out.exists() else []


@pytest.fixture
def bench(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The bench, in its folder, whose pins are there too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    with lying_node() as node:
        yield Bench(tmp_path, node, capsys)


def refused(bench: Bench, *options: str, **more: Any) -> str:
    """The one sentence with which a fetch ends; nothing is left."""
    status, out, err = bench.fetch(*options, **more)
    assert status == 2 and not out and not bench.left(), (status, out, err)
    assert err.startswith("lucid: ") and err.count("\n") == 1
    return err


# -- fetch -------------------------------------------------------------------------------------------------------------


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


def test_a_chunk_that_does_not_come_leaves_no_file_and_the_rest_is_gone_on_with(bench: Bench) -> None:
    files = {"a": bytes(500), "d/b": bytes(range(250)) * 20}
    bench.hold(files)
    identity, sealed = bench.node.chunks.popitem()
    status, out, err = bench.fetch()
    assert (status, out, bench.left()) == (2, "", [PARTIAL]) and "3002" in err and "goes on" in err
    kept = bench.folder / "out" / PARTIAL
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600 and b"words" not in kept.read_bytes()

    bench.node.chunks[identity] = sealed
    bench.node.asked.clear()
    assert bench.fetch()[0] == 0 and bench.left() == ["a", "d", "d/b"], "and it goes when all is there"
    assert [path for path in bench.node.asked if "/chunks/" in path] == [f"GET /api/v1/chunks/{identity}"]
    assert {name: (bench.folder / "out" / name).read_bytes() for name in files} == files


@pytest.mark.parametrize("harm", ["rot", "cut", "longer", "nonsense"])
def test_whatever_became_of_what_was_kept_is_noticed(bench: Bench, harm: str) -> None:
    files = {"a": bytes(range(250)) * 20}
    bench.hold(files)
    identity, sealed = bench.node.chunks.popitem()
    assert bench.fetch()[0] == 2
    kept = bench.folder / "out" / PARTIAL
    data = bytearray(kept.read_bytes())
    data[1_500] ^= 1
    kept.write_bytes({"rot": bytes(data), "cut": bytes(data[:700]), "longer": bytes(data) * 3, "nonsense": b"?"}[harm])
    bench.node.chunks[identity] = sealed
    assert bench.fetch()[0] == 0 and (bench.folder / "out" / "a").read_bytes() == files["a"]
    assert bench.left() == ["a"]


def test_what_is_kept_is_no_link_no_folder_and_one_commands_at_a_time(bench: Bench) -> None:
    bench.hold({"a": b"1"})
    kept = bench.folder / "out" / PARTIAL
    kept.parent.mkdir()
    (bench.folder / "mine").write_bytes(b"mine")
    kept.symlink_to(bench.folder / "mine")
    assert bench.fetch()[0] == 2 and (bench.folder / "mine").read_bytes() == b"mine"
    kept.unlink()
    kept.mkdir()
    assert bench.fetch()[0] == 2 and kept.is_dir()
    kept.rmdir()
    with kept.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        status, _, err = bench.fetch()
        assert status == 2 and "another lucid fetch" in err and kept.exists()
    assert bench.fetch()[0] == 0


def test_a_name_that_is_taken_costs_no_second_download(bench: Bench) -> None:
    bench.hold({"a": b"1"})
    (bench.folder / "out").mkdir()
    (bench.folder / "out" / "a").write_bytes(b"mine")
    status, _, err = bench.fetch()
    assert status == 2 and "exists already" in err and bench.left() == [PARTIAL, "a"]
    (bench.folder / "out" / "a").unlink()
    bench.node.chunks.clear()
    assert bench.fetch()[0] == 0 and bench.left() == ["a"]


def test_all_nodes_are_asked_at_once_and_a_slow_one_holds_nothing_up(bench: Bench) -> None:
    files = {"a": bytes(range(250)) * 40}
    bench.hold(files)
    sending, go = threading.Event(), threading.Event()
    with lying_node() as slow:

        def stuck() -> Iterator[bytes]:
            sending.set()
            assert go.wait(60)
            yield b"too late"

        slow.answers |= {each: bench.node.answers[each] for each in ("/manifest", "/receipt")}
        for identity in bench.node.chunks:
            slow.answers[identity] = Answer(body=stuck)
        bench.config("slow.toml", slow.url)
        try:
            assert bench.fetch("--config", "slow.toml")[0] == 0
        finally:
            go.set()
        assert sending.is_set() or not any("/chunks/" in path for path in slow.asked)
    assert (bench.folder / "out" / "a").read_bytes() == files["a"] and bench.left() == ["a"]


def test_killed_in_the_middle_it_goes_on(bench: Bench) -> None:
    files = {"a": bytes(range(250)) * 40}
    bench.hold(files)
    last, stop = list(bench.node.chunks)[-1], threading.Event()
    sealed = bench.node.chunks[last]

    def stuck() -> Iterator[bytes]:
        assert stop.wait(120)
        yield b""

    bench.node.answers[last] = Answer(body=stuck)
    words = ["fetch", str(SESSION), "--config", "node.toml", "--owner", "owner.key", "--output", "out"]
    process = subprocess.Popen([sys.executable, "-m", "lucid.cli.main", *words])
    try:
        wanted = sum(len(data) for data in bench.node.chunks.values()) - len(sealed)
        kept, deadline = bench.folder / "out" / PARTIAL, time.monotonic() + 120
        while not kept.exists() or kept.stat().st_size < wanted:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        stop.set()
    del bench.node.answers[last]
    bench.node.asked.clear()
    assert bench.fetch()[0] == 0 and bench.left() == ["a"]
    assert [path for path in bench.node.asked if "/chunks/" in path] == [f"GET /api/v1/chunks/{last}"]
    assert (bench.folder / "out" / "a").read_bytes() == files["a"]


def test_the_next_node_is_asked_when_one_lies_or_is_away(bench: Bench) -> None:
    bench.hold({"a": b"1"})
    bench.config("away.toml", "http://127.0.0.1:9")
    with lying_node() as liar:
        liar.answers[""] = Answer(body=b"lies")
        bench.config("liar.toml", liar.url)
        status = main(
            [
                *("fetch", str(SESSION), "--owner", "owner.key", "--output", "out"),
                *("--config", "away.toml", "--config", "liar.toml", "--config", "node.toml"),
            ]
        )
    assert status == 0 and bench.left() == ["a"]


def test_each_chunk_comes_from_whichever_node_has_it(bench: Bench) -> None:
    files = {"a": bytes(range(250)) * 20}
    bench.hold(files)
    with lying_node() as other:
        for number, identity in enumerate(list(bench.node.chunks)):
            if number % 2:
                other.chunks[identity] = bench.node.chunks.pop(identity)
        bench.config("other.toml", other.url)
        assert bench.fetch("--config", "other.toml")[0] == 0
        assert (bench.folder / "out" / "a").read_bytes() == files["a"]
        other.chunks.clear()
        bench.node.chunks.clear()
        status, _, err = bench.fetch("--config", "other.toml", "--output", "new/folder")
        assert status == 2 and "3002" in err and not (bench.folder / "new").exists(), "not even the folder is left"


# -- anchor ------------------------------------------------------------------------------------------------------------


class Anchored:
    """Has a lying node take a recording and say that it is final."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        (bench.folder / "f.txt").write_text("hello")
        answers = bench.node.answers
        answers["POST /anchor-session"] = Answer(202, b'{"session":"x","transaction":"00","status":"pending"}')
        final = {"session": "x", "status": "final", "transaction": "00" * 32, "height": 7}
        answers["GET /receipt"] = Answer(404)
        answers["GET "] = Answer(body=json.dumps(final).encode())

    def run(self, *options: str) -> tuple[int, str, str]:
        """Run `lucid anchor`."""
        files = [] if "--resume" in options else ["f.txt"]
        status = main(["anchor", *files, "--config", "node.toml", "--owner", "owner.key", *options])
        said = self.bench.capsys.readouterr()
        return status, said.out, said.err

    def kept(self) -> list[str]:
        """The recordings that are remembered."""
        return [path.name for path in self.bench.folder.glob("*.recording")]


def test_final_is_said_of_what_was_proven_and_of_nothing_else(bench: Bench) -> None:
    anchored = Anchored(bench)
    bench.node.answers["GET /receipt"] = Answer(body=b'{"lucid_receipt": "trust me"}')
    status, out, err = anchored.run("--receipt", "r.json")
    assert status == 20
    assert "final" not in out and "6010" in err and not (bench.folder / "r.json").exists()
    bench.node.answers["GET /receipt"] = Answer(body=print_receipt(NET.receipt(), NET.genesis))
    assert "6012" in anchored.run("--receipt", "r.json")[2], "another session's is none of this one"
    assert not (bench.folder / "r.json").exists() and len(anchored.kept()) == 2


def test_no_secret_is_printed(bench: Bench) -> None:
    anchored = Anchored(bench)
    status, out, err = anchored.run("--wait", "0s", "--session-key", "key", "--json")
    assert status == 2, "no receipt was given"
    kept = json.loads((bench.folder / anchored.kept()[0]).read_text())
    secret = session_key(OWNER, UUID(kept["session"])).hex()
    assert (bench.folder / "key").read_text().strip() == secret
    assert stat.S_IMODE((bench.folder / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE((bench.folder / anchored.kept()[0]).stat().st_mode) == 0o600
    assert secret not in out + err + json.dumps(kept) and OWNER.hex() not in json.dumps(kept)
