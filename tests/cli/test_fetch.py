"""`lucid fetch` as people type it: which files came, and what is no way to ask for them."""

from __future__ import annotations

import json

import pytest

from harness.notary import CRYPTO, OWNER, SESSION
from tests.cli.command import assert_refused, lucid
from tests.client.bench import Bench, bench

__all__ = ["bench"]


def test_programs_are_told_which_files_came(bench: Bench) -> None:
    bench.hold({"a": b"1", "d/b": b"2"})
    status, out, err = bench.fetch("--json")
    owner = CRYPTO.public_key(OWNER).hex()
    assert (status, err) == (0, "")
    assert json.loads(out) == {"session": str(SESSION), "owner": owner, "files": ["out/a", "out/d/b"]}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["mine", "--owner", "owner.key"], "'mine' is not a session id"),
        ([str(SESSION)], "--owner"),
        ([str(SESSION), "--owner", "owner.key", "--session-key", "00" * 32], "not allowed with"),
        ([str(SESSION), "--owner", "owner.key", "--owner-key", "00" * 32], "goes with --session-key"),
        ([str(SESSION), "--session-key", "none"], "none"),
        ([str(SESSION), "--session-key", "00" * 32, "--owner-key", "x"], "--owner-key: 'x'"),
        ([str(SESSION), "--owner", "owner.key", "--checkpoint", "x"], "--checkpoint: 'x'"),
    ],
)
def test_wrong_input_is_one_sentence_before_any_node_is_asked(bench: Bench, words: list[str], says: str) -> None:
    assert_refused(lucid("fetch", *words, "--config", "node.toml", cwd=bench.folder), says)
    assert not bench.node.asked


def test_files_that_are_there_are_to_be_moved_away_before_it_goes_on(bench: Bench) -> None:
    bench.hold({"a": b"1"})
    assert bench.fetch()[0] == 0
    status, out, err = bench.fetch()
    assert (status, out) == (2, "") and "exists already" in err
    assert "once that is moved away, the same command goes on" in err
    (bench.folder / "out" / "a").unlink()
    assert bench.fetch()[0] == 0
