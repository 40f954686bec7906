"""`lucid credits`: where a score comes from, at a real node and of whatever a node may answer."""

from __future__ import annotations

import json

import msgspec
import pytest

from lucid.api.answers import Credits, MemberCredits, StorageCredits
from lucid.cli import credits as command
from lucid.cli.main import main
from lucid.poot.credits import live_score, uptime_ppm
from lucid.services.devnet import Devnet


def test_the_command_says_where_a_score_comes_from(
    lone: Devnet, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = lone.nodes[0]
    monkeypatch.setenv("LUCID_ENGINE_URL", node.url("engine"))
    assert main(["credits", "--json"]) == 0
    found = msgspec.json.decode(capsys.readouterr().out, type=Credits)
    [one] = found.members
    assert (one.uptime_ppm, one.retired) == (uptime_ppm(one.beacons, one.held), False)
    assert one.live_score == live_score(one.credits, one.uptime_ppm, one.penalty_ppm)
    assert found.vote_credits == 1 and found.window_slots > 1
    for named in (one.name, one.node, one.node[:7].upper()):
        assert main(["credits", named]) == 0
        told = capsys.readouterr().out
        assert one.node in told and "heartbeats in" in told and "= live score" in told
    assert main(["credits"]) == 0 and one.name in capsys.readouterr().out
    assert main(["credits", "nobody"]) == 2 and "nobody" in capsys.readouterr().err
    monkeypatch.setenv("LUCID_ENGINE_URL", "http://127.0.0.1:9")
    assert main(["credits"]) == 2 and "Traceback" not in capsys.readouterr().err


def test_evidence_retirement_and_pools_are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = MemberCredits("aa" * 32, "good", 300, 500_000, 75, "north", 5, 10, 500_000)
    twice = MemberCredits("ab" * 32, "twice\x1b[2J", 40, 1_000_000, 0, evidence_until=9, retired=True)
    found = Credits((twice, good), epoch=3, slot=2_170, vote_credits=2, window_slots=5_040)
    monkeypatch.setattr("lucid.client.http.Client.send", lambda client, call: found)
    assert main(["credits"]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert "epoch 3" in head and first.startswith("good") and "uptime 50.00 %" in first
    assert second.endswith("retired, under evidence") and "\x1b" not in second
    assert main(["credits", "good"]) == 0
    told = capsys.readouterr().out
    assert "of the pool north" in told and "for 150 votes" in told and "5 of 10 slots" in told
    assert main(["credits", "abab"]) == 0
    told = capsys.readouterr().out
    assert "until epoch 9" in told and "retired" in told and "\x1b" not in told
    proving = msgspec.structs.replace(twice, name="proving", storage=StorageCredits(3, 1_200, 5_368_709_120, 2_450))
    monkeypatch.setattr(
        "lucid.client.http.Client.send", lambda client, call: msgspec.structs.replace(found, members=(proving, good))
    )
    assert main(["credits", "proving"]) == 0
    told = capsys.readouterr().out
    assert "2450 for storage proofs of this epoch so far: 1200 chunks, 5,368,709,120 bytes" in told
    assert "of 3 sessions" in told and "voted twice or proved falsely" in told and "for 20 votes" not in told
    assert main(["credits", "a"]) == 2, "it may be either"
    assert main(["credits", "good", "--json"]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)["members"]] == ["good"]
    assert command._percent(1_000_000) == "100.00 %"
