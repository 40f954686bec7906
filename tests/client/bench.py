"""A bench for commands that ask nodes: a node that lies, and a user of it in a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from harness.notary import OWNER, SESSION, Notary
from lucid.chain.chunks import chunk_id
from lucid.chain.document import print_genesis
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
