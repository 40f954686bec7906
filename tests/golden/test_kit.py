"""The golden kit itself: what it refuses to read and what it checks while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid.machines.chain import BLOCK_TABLE, HEIGHT_TABLE, height_key
from lucid.machines.votelog import LATEST_KEY, VOTES_TABLE, new_log
from lucid.poot.crypto import Edwards25519
from sim.crypto import ModeledCrypto
from tests.golden.script import Player, ScriptError, duration_ms, parse, run


def play(script: str) -> Player:
    """Perform commands, one a line."""
    player = Player(ModeledCrypto())
    for line in script.splitlines():
        player.do(line)
    return player


@pytest.mark.parametrize(("text", "ms"), [("10s", 10_000), ("1ms", 1), ("-2m", -120_000), ("1h", 3_600_000)])
def test_reads_durations(text: str, ms: int) -> None:
    assert duration_ms(text) == ms


def test_a_script_is_passages_of_comments_commands_and_output() -> None:
    [first, last] = parse("# Why.\nnodes 1\n----\n1: entered v1\n\n\n# The end.\n")
    assert (first.source, first.commands, first.expected) == (["# Why.", "nodes 1"], ["nodes 1"], ["1: entered v1"])
    assert (last.commands, last.expected) == ([], [])


def test_output_that_differs_is_written_as_it_is_now(tmp_path: Path) -> None:
    path = tmp_path / "script.txt"
    path.write_text("# Alone.\nnodes 1\n----\nsomething else\n")
    assert run(path) == "# Alone.\nnodes 1\n----\n1: entered v1\n"


def test_commands_belong_to_a_passage() -> None:
    with pytest.raises(ScriptError):
        parse("nodes 1\n")


@pytest.mark.parametrize("line", ["dance", "drop everything"])
def test_what_is_no_command_is_an_error(line: str) -> None:
    with pytest.raises(ScriptError):
        play(f"nodes 1\n{line}")


def test_a_vote_that_is_not_in_the_log_is_caught() -> None:
    """The vote log's row vanishes behind the engine's back; what it says again is then no longer durable."""
    player = play("nodes 4\ntick 10s\ndeliver propose")
    disk = player.network.nodes["1"].engine_disk
    disk.safe.write([(VOTES_TABLE, LATEST_KEY, None)])
    with pytest.raises(AssertionError, match="not in its vote log"):
        player.do("tick 10s")


def test_signing_twice_is_caught() -> None:
    """The vote log is replaced by that of a key which never signed."""
    player = play("nodes 4\nmute notarize skip\ntick 15s\ncrash 1\nwipe votes 1")
    disk = player.network.nodes["1"].engine_disk
    disk.write((new_log(),))
    disk.sync()
    player.do("restart 1")
    with pytest.raises(AssertionError, match="signs twice"):
        player.do("tick 5s")


def test_a_final_block_that_is_gone_is_caught() -> None:
    player = play("nodes 4\nrun 20s")
    player.network.check_stores()
    disk = player.network.nodes["1"].manager_disk
    disk.safe.write([(BLOCK_TABLE, disk.safe.get(HEIGHT_TABLE, height_key(1)) or b"", None)])
    with pytest.raises(AssertionError, match="lost the block at 1"):
        player.network.check_stores()


def test_the_kit_runs_on_real_signatures() -> None:
    player = Player(Edwards25519())
    for line in ("nodes 4", "run 20s"):
        player.do(line)
    [line] = player.do("status")
    assert line.endswith("final: B2") and line.startswith("1 2 3 4: in v3")
