"""`lucid credits` at a real node: its score is what its work, uptime and penalty make."""

from __future__ import annotations

import msgspec
import pytest

from lucid.api.answers import Credits
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
