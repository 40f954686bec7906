"""`lucid chain rules`: who is ready for the rules of a chain, told to people, to programs and by the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from lucid.api.answers import LAST_MS, Deciders, RulesState, ScheduledRules, ValidatorRules
from lucid.cli.chain import NOT_READY
from tests.cli.command import Done, assert_refused, lucid
from tests.client.lying import Answer, LyingNode

READY = tuple(ValidatorRules(f"{number:x}a" * 32, f"pi{number}", 5, True) for number in range(3))
AWAY = ValidatorRules("ff" * 32, "att\x1b[2Jic", None, False)
STATE = RulesState(4, 5, 3, None, (*READY, AWAY), 3, 3, 90)
SCHEDULED = ScheduledRules(5, 400, 310, 1_800_000_000_000)


def rules(node: LyingNode, folder: Path, state: RulesState, *words: str) -> Done:
    """What the command says of a node that answers this."""
    node.answers["GET /chain/rules"] = Answer(body=msgspec.json.encode(state))
    (folder / "node.toml").write_text(f'manager_url = "{node.url}"\n')
    return lucid("chain", "rules", "--config", "node.toml", *words, cwd=folder)


def test_each_validator_is_a_line(node: LyingNode, tmp_path: Path) -> None:
    done = rules(node, tmp_path, STATE)
    assert (done.status, done.err) == (0, "") and node.asked == ["GET /api/v1/chain/rules"]
    head, nothing, ready, *lines = done.out.splitlines()
    assert head == "rules 4 are in force after height 90; 3 copies of a chunk" and nothing == "nothing is scheduled"
    assert ready == "3 of 4 validators know rules 4; blocks need 3"
    assert lines[0] == f"ready      {READY[0].node[:16]}  pi0: knows rules up to 5" and len(lines) == 4
    assert lines[3].startswith("NOT READY  ffffffffffffffff  att") and lines[3].endswith(": not connected to this node")
    assert "\x1b" not in done.out


@pytest.mark.parametrize(
    ("when_ms", "said"), [(1_800_000_000_000, "2027-01-15T08:00:00+00:00"), (LAST_MS, "9999-12-31")]
)
def test_what_is_scheduled_is_what_has_to_be_known(node: LyingNode, tmp_path: Path, when_ms: int, said: str) -> None:
    due = msgspec.structs.replace(SCHEDULED, earliest_ms=when_ms)
    done = rules(node, tmp_path, msgspec.structs.replace(STATE, scheduled=due))
    assert f"rules 5 from the first epoch on that opens at height 400 or above, not before {said}" in done.out
    assert "3 of 4 validators know rules 5; blocks need 3" in done.out and done.status == 0


@pytest.mark.parametrize(
    ("ready", "known", "scheduled", "status"),
    [
        (3, 5, SCHEDULED, 0),
        (2, 5, SCHEDULED, NOT_READY),
        (2, 5, None, NOT_READY),
        (3, 4, None, 0),
        (3, 4, SCHEDULED, NOT_READY),
        (4, 3, None, NOT_READY),
    ],
)
def test_the_status_says_whether_blocks_go_on(
    node: LyingNode, tmp_path: Path, ready: int, known: int, scheduled: ScheduledRules | None, status: int
) -> None:
    state = msgspec.structs.replace(STATE, ready=ready, known=known, scheduled=scheduled)
    done = rules(node, tmp_path, state)
    needed = 4 if scheduled is None else 5
    assert done.status == status
    assert (f"THIS NODE IS TOO OLD for rules {needed}: it knows rules up to {known}" in done.out) is (known < needed)


def test_who_decides_now_and_then_is_told(node: LyingNode, tmp_path: Path) -> None:
    keys = tuple(f"{number:x}0" * 32 for number in range(3))
    state = msgspec.structs.replace(STATE, administrators=Deciders(keys, 2), next_administrators=Deciders(keys[:1], 1))
    out = rules(node, tmp_path, state).out
    assert f"2 of 3 administrators decide: {', '.join(key[:16] for key in keys)}\n" in out
    assert f"1 of 1 administrators will decide from the next epoch on: {keys[0][:16]}\n" in out
    for none in (None, Deciders((), 0)):
        assert "administrators" not in rules(node, tmp_path, msgspec.structs.replace(STATE, administrators=none)).out


def test_programs_get_all_of_it(node: LyingNode, tmp_path: Path) -> None:
    done = rules(node, tmp_path, msgspec.structs.replace(STATE, ready=2), "--json")
    assert done.status == NOT_READY
    assert msgspec.json.decode(done.out, type=RulesState) == msgspec.structs.replace(STATE, ready=2)
    assert json.loads(done.out)["validators"][3]["name"] == AWAY.name, "as the chain has it: JSON escapes it"


def test_a_node_that_is_away_and_an_action_that_is_none_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text('manager_url = "http://127.0.0.1:9"\n')
    assert_refused(lucid("chain", "rules", "--config", "node.toml", cwd=tmp_path), "127.0.0.1:9")
    assert_refused(lucid("chain", "rules", "--config", "none.toml", cwd=tmp_path), "none.toml")
    assert_refused(lucid("chain", cwd=tmp_path), "ACTION")
    assert_refused(lucid("chain", "rule", cwd=tmp_path), "invalid choice: 'rule'")
