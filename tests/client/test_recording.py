"""Recordings that are interrupted, slowed down or refused, or whose answer is lost: nothing is given up wrongly."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from harness.notary import CRYPTO
from lucid.chain.manifests import check_manifest
from lucid.chain.receipts import print_receipt
from lucid.cli.main import main
from lucid.client import recording as recording_module
from lucid.client import sealing
from lucid.client.errors import BundleError
from lucid.client.journal import read_journal
from tests.client.bench import Bench, bench
from tests.client.lying import Answer, LyingNode, lying_node
from tests.client.sanenode import BUSY, NET, Sane, anchor, kept, methods, node

__all__ = ["bench", "node"]

REFUSED = Answer(400, b'{"error":{"code":"LUCID_ERR_3001","message":"request is not understood"}}')


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No node is waited for."""
    monkeypatch.setattr(recording_module, "AWAY_S", 0.0)


def test_a_recording_is_anchored_and_leaves_a_receipt(bench: Bench, node: LyingNode) -> None:
    assert anchor(bench, "--receipt", "r.json") == (0, "")
    assert not list(bench.folder.glob("*.recording")) and len(node.chunks) == 11
    assert main(["verify", "r.json", "--genesis", "genesis.toml"]) == 0


def test_a_node_that_has_no_time_is_waited_for(bench: Bench, node: LyingNode) -> None:
    original, busy = node.answer, [3, 7]

    def answer(method: str, path: str, body: bytes) -> Answer:
        if method == "PUT" and len(node.chunks) in busy:
            busy.remove(len(node.chunks))
            return BUSY
        return original(method, path, body)

    node.answer = answer  # type: ignore[method-assign]
    assert anchor(bench)[0] == 0 and len(node.chunks) == 11 and "DELETE" not in methods(node)


def test_what_is_interrupted_goes_on_where_it_was(bench: Bench, node: LyingNode) -> None:
    original = node.answer

    def away(method: str, path: str, body: bytes) -> Answer:
        return Answer(503) if len(node.chunks) == 6 else original(method, path, body)

    node.answer = away  # type: ignore[method-assign]
    status, error = anchor(bench)
    assert status == 2 and f"--resume {kept(bench)}" in error and error.count("\n") == 1
    assert len(node.chunks) == 6 and "DELETE" not in methods(node)
    node.answer = original  # type: ignore[method-assign]
    node.asked.clear()
    assert anchor(bench, "--resume", kept(bench), "--receipt", "r.json") == (0, "")
    assert methods(node).count("PUT") == 1 + 5 and len(node.chunks) == 11, "the first one again, and what lacked"
    assert not list(bench.folder.glob("*.recording"))


def test_a_chunk_that_is_there_but_that_the_session_does_not_refer_to_is_stored_again(
    bench: Bench, node: LyingNode
) -> None:
    """References that an operator removed, or a node that holds mere copies: such chunks may go within a day."""
    node.answers["/anchor-session"] = Answer(502)
    assert anchor(bench)[0] == 2
    del node.answers["/anchor-session"]
    stored, node.references = node.references, set()
    assert anchor(bench, "--resume", kept(bench))[0] == 0 and node.references == stored


@pytest.mark.parametrize("status", [401, 403, 404, 405, 421])
def test_a_wrong_token_or_address_gives_nothing_up(bench: Bench, node: LyingNode, status: int) -> None:
    node.answers["PUT "] = node.answers["DELETE "] = Answer(status)
    ended, error = anchor(bench)
    assert ended == 2 and f"--resume {kept(bench)}" in error
    del node.answers["PUT "], node.answers["DELETE "]
    assert anchor(bench, "--resume", kept(bench), "--receipt", "r.json") == (0, "")


def test_a_source_that_is_away_gives_nothing_up(bench: Bench, node: LyingNode) -> None:
    """A disk that is not mounted, say."""
    original = node.answer

    def away(method: str, path: str, body: bytes) -> Answer:
        return Answer(503) if len(node.chunks) == 6 else original(method, path, body)

    node.answer = away  # type: ignore[method-assign]
    assert anchor(bench)[0] == 2
    node.answer = original  # type: ignore[method-assign]
    (bench.folder / "f").rename(bench.folder / "elsewhere")
    status, error = anchor(bench, "--resume", kept(bench))
    assert status == 2 and f"--resume {kept(bench)}" in error and len(node.chunks) == 6
    (bench.folder / "elsewhere").rename(bench.folder / "f")
    assert anchor(bench, "--resume", kept(bench))[0] == 0


def test_what_an_earlier_run_stored_is_released_too(bench: Bench, node: LyingNode) -> None:
    node.answers["PUT "] = [Answer(201), Answer(503)]
    assert anchor(bench)[0] == 2
    node.references.add(("a chunk of the earlier run", ""))
    node.answers["PUT "] = REFUSED
    status, error = anchor(bench, "--resume", kept(bench))
    assert status == 2 and "3001" in error and "--resume" not in error
    assert not node.references and not list(bench.folder.glob("*.recording"))


def test_chunks_that_another_node_took_are_not_forgotten(bench: Bench, node: LyingNode) -> None:
    node.answers["/anchor-session"] = Answer(502)
    with lying_node() as second:
        original = node.answer

        def away(method: str, path: str, body: bytes) -> Answer:
            return Answer(503) if len(node.chunks) == 6 else original(method, path, body)

        node.answer = away  # type: ignore[method-assign]
        second.answers["PUT "] = REFUSED
        bench.config("second.toml", second.url)
        status, error = anchor(bench, "--config", "node.toml", "--config", "second.toml")
        assert status == 2 and "3001" in error and f"--resume {kept(bench)}" in error and len(node.chunks) == 6


def test_a_session_that_the_node_has_needs_no_files_any_more(bench: Bench, node: LyingNode) -> None:
    """Who was told that finality needs no client any more may have moved them."""
    node.answers["/anchor-session"] = Answer(502)
    assert anchor(bench)[0] == 2
    del node.answers["/anchor-session"]
    name, signed = kept(bench), read_journal(bench.folder / kept(bench)).manifest
    (bench.folder / "f").unlink()
    node.answers["GET /manifest"] = Answer(body=NET.manifest())
    assert anchor(bench, "--resume", name)[0] == 2, "another manifest is not this one"
    node.answers["GET /manifest"] = Answer(body=signed.encode())
    anchored = check_manifest(signed.encode(), NET.genesis.chain_id, CRYPTO).anchor
    node.answers["GET /receipt"] = Answer(
        body=print_receipt(NET.receipt(NET.transaction(anchored), signed.encode()), NET.genesis)
    )
    node.asked.clear()
    assert anchor(bench, "--resume", name, "--receipt", "r.json") == (0, "")
    assert set(methods(node)) == {"GET"} and (bench.folder / "r.json").exists()


def test_a_file_for_the_session_key_that_is_there_is_said_first(bench: Bench, node: LyingNode) -> None:
    (bench.folder / "key").write_text("mine")
    status, error = anchor(bench, "--session-key", "key")
    assert status == 2 and "--session-key: key exists already" in error and not node.asked
    node.answers["/anchor-session"] = Answer(502)
    assert anchor(bench)[0] == 2
    del node.answers["/anchor-session"]
    status, error = anchor(bench, "--resume", kept(bench), "--session-key", "key")
    assert status == 2 and "key exists already" in error and f"--resume {kept(bench)}" in error
    (bench.folder / "key").unlink()
    assert anchor(bench, "--resume", kept(bench), "--session-key", "key")[0] == 0
    assert len((bench.folder / "key").read_text()) == 65


def test_what_a_node_does_not_release_is_not_forgotten(bench: Bench, node: LyingNode) -> None:
    original = node.answer

    def refuse(method: str, path: str, body: bytes) -> Answer:
        if method == "DELETE":
            return Answer(503)
        return REFUSED if method == "PUT" and len(node.chunks) == 4 else original(method, path, body)

    node.answer = refuse  # type: ignore[method-assign]
    status, error = anchor(bench)
    assert status == 2 and "3001" in error and f"--resume {kept(bench)}" in error and len(node.chunks) == 4


def test_a_folder_is_gone_on_with_and_comes_back_as_it_was(bench: Bench, node: LyingNode) -> None:
    original, kilobyte = node.answer, bytes(range(256)) * 4
    wanted = {f"talk/{name}": kilobyte[number:] * 3 for number, name in enumerate(("a", "deep/b", "deep/er/c"))}
    for name, data in wanted.items():
        (bench.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (bench.folder / name).write_bytes(data)

    def away(method: str, path: str, body: bytes) -> Answer:
        return Answer(503) if len(node.chunks) == 4 else original(method, path, body)

    node.answer = away  # type: ignore[method-assign]
    words = ["anchor", "talk", "--config", "node.toml", "--owner", "owner.key", "--chunk-size", "1KiB"]
    assert main(words) == 2 and len(node.chunks) == 4
    session = kept(bench).removesuffix(".recording")
    node.answer = original  # type: ignore[method-assign]
    node.asked.clear()
    assert anchor(bench, "--resume", kept(bench), "--receipt", "r.json")[0] == 0
    assert methods(node).count("PUT") == 1 + len(node.chunks) - 4 > 4
    assert main(["fetch", session, "--config", "node.toml", "--owner", "owner.key", "--output", "out"]) == 0
    assert {name: (bench.folder / "out" / name).read_bytes() for name in wanted} == wanted


def test_a_lost_answer_to_the_anchor_gives_nothing_up_and_the_same_is_anchored(bench: Bench, node: LyingNode) -> None:
    node.answers["/anchor-session"] = Answer(502)
    assert anchor(bench)[0] == 2
    assert len(node.chunks) == 11 and "DELETE" not in methods(node)
    signed = read_journal(bench.folder / kept(bench)).manifest
    assert signed
    del node.answers["/anchor-session"]
    assert anchor(bench, "--resume", kept(bench), "--receipt", "r.json")[0] == 0
    assert json.loads((bench.folder / "r.json").read_text())["manifest"] == signed


def test_ctrl_c_keeps_what_was_done(bench: Bench, node: LyingNode, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = sealing.seal

    def interrupt(*arguments: object, **more: object) -> bytes:
        if arguments[2] == 4:
            raise KeyboardInterrupt
        return sent(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(recording_module, "seal", interrupt)
    status, error = anchor(bench)
    assert status == 130 and "interrupted" in error and f"--resume {kept(bench)}" in error
    monkeypatch.setattr(recording_module, "seal", sent)
    assert anchor(bench, "--resume", kept(bench))[0] == 0


def test_what_is_refused_for_good_is_given_up(bench: Bench, node: LyingNode) -> None:
    original = node.answer

    def refuse(method: str, path: str, body: bytes) -> Answer:
        return REFUSED if method == "PUT" and len(node.chunks) == 4 else original(method, path, body)

    node.answer = refuse  # type: ignore[method-assign]
    status, error = anchor(bench)
    assert status == 2 and "3001" in error and "--resume" not in error
    assert not node.chunks and not list(bench.folder.glob("*.recording"))


def test_what_is_gone_on_with_is_the_same(bench: Bench, node: LyingNode) -> None:
    node.answers["/anchor-session"] = Answer(502)
    assert anchor(bench)[0] == 2
    name = kept(bench)
    for wrong in (
        ["--resume", name, "f"],
        ["--resume", "none"],
        ["--resume", "owner.key"],
        ["--resume", "genesis.toml"],
    ):
        assert main(["anchor", *wrong, "--config", "node.toml", "--owner", "owner.key"]) == 2
    (bench.folder / "other.key").write_text("11" * 32)
    (bench.folder / "other.key").chmod(0o600)
    assert main(["anchor", "--resume", name, "--config", "node.toml", "--owner", "other.key"]) == 2
    assert "of the owner" in bench.capsys.readouterr().err
    (bench.folder / "f").write_bytes(b"other")
    assert "have changed" in anchor(bench, "--resume", name)[1]
    assert len(node.chunks) == 11 and "DELETE" not in methods(node), "it may have been anchored"
    with pytest.raises(BundleError):
        read_journal(Path("/dev/zero"))


def test_the_next_node_takes_the_same_session_when_one_goes_away(bench: Bench, node: LyingNode) -> None:
    with lying_node() as second:
        second.answer = Sane(second).answer  # type: ignore[method-assign]
        bench.config("second.toml", second.url)
        node.answers["/anchor-session"] = Answer(502)
        status, error = anchor(bench, "--config", "node.toml", "--config", "second.toml", "--receipt", "r.json")
        assert status == 0 and "next node" in error
        assert second.chunks == node.chunks and len(second.chunks) == 11, "the very same chunks"
    assert json.loads((bench.folder / "r.json").read_text())["session"]


def test_what_may_have_been_anchored_is_not_given_up_when_a_chunk_is_refused_later(
    bench: Bench, node: LyingNode
) -> None:
    node.answers["/anchor-session"] = Answer(502)
    assert anchor(bench)[0] == 2
    node.chunks.popitem()
    node.answers["PUT "] = REFUSED
    assert anchor(bench, "--resume", kept(bench))[0] == 2
    assert len(node.chunks) == 10 and "DELETE" not in methods(node) and kept(bench)


def test_files_that_changed_behind_their_times_are_noticed(bench: Bench, node: LyingNode) -> None:
    node.answers["/anchor-session"] = Answer(502)
    assert anchor(bench)[0] == 2
    file, before = bench.folder / "f", (bench.folder / "f").stat()
    file.write_bytes(bytes(before.st_size))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    del node.answers["/anchor-session"]
    status, error = anchor(bench, "--resume", kept(bench))
    assert status == 2 and "since the manifest was signed" in error
    assert methods(node).count("POST") == 1, "nothing but what was signed is anchored"
