"""The golden kit itself: what it refuses to read, what it checks while it runs, and cases that a script can't express."""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid.poot.crypto import Edwards25519
from sim.crypto import ModelledCrypto
from tests.golden.script import Player, ScriptError, duration_ms, parse, run


def play(script: str) -> Player:
    """Perform commands, one a line."""
    player = Player(ModelledCrypto())
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


@pytest.mark.parametrize("script", ["nodes 1\n", "nodes 1\n\n----\n"])
def test_commands_belong_to_a_passage(script: str) -> None:
    with pytest.raises(ScriptError):
        parse(script)


@pytest.mark.parametrize("line", ["dance", "drop everything"])
def test_what_is_no_command_is_an_error(line: str) -> None:
    with pytest.raises(ScriptError):
        play(f"nodes 1\n{line}")


def test_a_vote_that_is_not_in_the_log_is_caught() -> None:
    """The vote log's row vanishes behind the engine's back; what it says again is then no longer durable."""
    player = play("nodes 4\ntick 10s\ndeliver propose")
    disk = player.network.nodes["1"].engine_disk
    disk.safe.write([("vote", b"latest", None)])
    with pytest.raises(AssertionError, match="not in its vote log"):
        player.do("tick 10s")


def test_two_machines_with_one_key_would_be_caught_signing_twice_if_they_were_one() -> None:
    player = play("nodes 4\ntick 10s\ndeliver propose\ncrash 1")
    player.network.nodes["1"].engine_disk = player.network.nodes["2"].engine_disk.copy()
    player.network.nodes["1"].engine_disk.safe.write([("vote", b"latest", b"\x92\x92\x00\x00\x90")])
    player.network.nodes["1"].engine_disk.crash()
    with pytest.raises(AssertionError, match="signs twice"):
        for line in ("restart 1", "drop", "tick 1s", "mute ->1", "restart 3"):
            player.do(line) if line != "restart 3" else player.do("run 20s")


def test_the_kit_runs_on_real_signatures() -> None:
    player = Player(Edwards25519())
    for line in ("nodes 4", "run 20s"):
        player.do(line)
    [line] = player.do("status")
    assert line.endswith("final: B2") and line.startswith("1 2 3 4: in v3")
