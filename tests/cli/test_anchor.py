"""`lucid anchor` as people type it: what is said of what was proven, and no secret."""

from __future__ import annotations

import json
import stat
from uuid import UUID

import pytest

from harness.notary import OWNER
from lucid.chain.receipts import print_receipt
from lucid.cli.main import main
from lucid.client.sealing import session_key
from tests.cli.command import assert_refused, lucid
from tests.client.bench import NET, Anchored, Bench, bench
from tests.client.lying import Answer

__all__ = ["bench"]


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


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["anchor", "--owner", "owner.key"], "name files to anchor, or an interrupted recording"),
        (["anchor", "f.txt", "--resume", "x.recording", "--owner", "owner.key"], "not both"),
        (["anchor", "f.txt"], "--owner"),
        (["anchor", "f.txt", "--owner", "none.key"], "none.key"),
        (["anchor", "none.txt", "--owner", "owner.key"], "none.txt"),
        (["anchor", "f.txt", "--owner", "owner.key", "--chunk-size", "1"], "must be a size within 1KiB..16MiB"),
        (["anchor", "f.txt", "--owner", "owner.key", "--chunk-size", "17MiB"], "must be a size within"),
        (["anchor", "f.txt", "--owner", "owner.key", "--chunk-size", "4 MiB"], "must be a size within"),
        (["anchor", "f.txt", "--owner", "owner.key", "--wait", "soon"], "--wait"),
        (["anchor", "--resume", "f.txt", "--owner", "owner.key"], "f.txt"),
    ],
)
def test_wrong_input_is_one_sentence_before_any_node_is_asked(bench: Bench, words: list[str], says: str) -> None:
    (bench.folder / "f.txt").write_text("hello")
    done = lucid(*words, "--config", "node.toml", cwd=bench.folder)
    assert_refused(done, says)
    assert not bench.node.asked and not list(bench.folder.glob("*.recording"))


def test_what_of_a_folder_is_not_anchored_is_named(bench: Bench) -> None:
    anchored = Anchored(bench)
    assert "not anchored" not in anchored.run("--wait", "0s")[2]
    talk = bench.folder / "talk"
    talk.mkdir()
    (talk / "a").write_text("a")
    for name in ("b", "c", "d", "e\n"):
        (talk / name).symlink_to(bench.folder / "f.txt")
    main(["anchor", str(talk), "--config", "node.toml", "--owner", "owner.key", "--wait", "0s", "--json"])
    said = bench.capsys.readouterr().err
    assert "not anchored, as links and what is no file are left out (4)" in said
    assert f"{talk}/b, {talk}/c, {talk}/d, ...\n" in said


@pytest.mark.parametrize("option", ["--receipt", "--session-key"])
def test_where_something_is_to_be_written_is_looked_at_first(bench: Bench, option: str) -> None:
    (bench.folder / "f").write_bytes(bytes(3_000))
    words = ["anchor", "f", "--config", "node.toml", "--owner", "owner.key", option, "none/x"]
    assert_refused(lucid(*words, cwd=bench.folder), f"{option}: none/x: there is no folder none")
    assert not bench.node.asked and not list(bench.folder.glob("**/*.recording"))
