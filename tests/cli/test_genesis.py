"""`lucid genesis`: a chain's document is made once and shown, and each wrong value is named."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from lucid.chain.document import parse_genesis
from lucid.chain.genesis import Activation
from lucid.chain.versions import RULES_KNOWN
from lucid.cli.main import main
from tests.cli.command import Capture, failed, said


def test_a_file_that_is_not_there_is_named_first(tmp_path: Path, capsys: Capture) -> None:
    """The file, then what is wrong with it, no errno."""
    path = str(tmp_path / "none.toml")
    assert failed(capsys, "genesis", "show", path) == f"lucid: {path}: No such file or directory\n"
    assert failed(capsys, "genesis", "show", str(tmp_path)) == f"lucid: {tmp_path}: Is a directory\n"


def test_a_genesis_is_made_once_and_shown(tmp_path: Path, capsys: Capture) -> None:
    path, node, administrator = str(tmp_path / "genesis.toml"), "ab" * 32, "cd" * 32
    options = ["--node", f"pi=1={node}", "--administrator", administrator, "--block-interval", "1s", "--in", "1m"]
    assert main(["genesis", "new", path, *options]) == 0
    chain = said(capsys)
    assert main(["genesis", "show", path, "--json"]) == 0
    assert json.loads(said(capsys)) == {"genesis": path, "chain": chain}
    genesis = parse_genesis(Path(path).read_text())
    assert (genesis.nodes[0].name, genesis.nodes[0].key.hex(), genesis.threshold) == ("pi=1", node, 1)
    assert genesis.parameters.block_interval_ms == 1_000 and genesis.genesis_time_ms > time.time() * 1000
    assert "exists already" in failed(capsys, "genesis", "new", path, "--node", f"a={node}")


@pytest.mark.parametrize(("options", "version"), [((), RULES_KNOWN), (("--rules", "3"), 3), (("--rules", "1"), None)])
def test_a_new_chain_begins_with_the_newest_rules_or_those_asked_for(
    tmp_path: Path, options: tuple[str, ...], version: int | None
) -> None:
    path = tmp_path / "genesis.toml"
    assert main(["genesis", "new", str(path), "--node", f"a={'ab' * 32}", *options]) == 0
    assert parse_genesis(path.read_text()).rules == (None if version is None else Activation(version))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "nodes must name"),
        (("--node", "ab" * 32), "NAME=ID"),
        (("--node", "a=zz"), "hexadecimal"),
        (("--node", "a=" + "ab" * 32, "--block-interval", "10x"), "is not a duration"),
        (("--node", "a=" + "ab" * 32, "--block-interval", "1ms"), "block_interval_ms"),
        (("--node", "a=" + "ab" * 32, "--threshold", "1"), "threshold"),
        (("--node", "a=" + "ab" * 32, "--rules", "0"), "--rules 0 must be within 1.."),
        (("--node", "a=" + "ab" * 32, "--rules", str(RULES_KNOWN + 1)), "which this release knows"),
    ],
)
def test_a_wrong_genesis_is_named(tmp_path: Path, capsys: Capture, arguments: tuple[str, ...], named: str) -> None:
    assert named in failed(capsys, "genesis", "new", str(tmp_path / "genesis.toml"), *arguments)
    assert not (tmp_path / "genesis.toml").exists()
