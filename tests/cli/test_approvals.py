"""`lucid chain show`, `approve` and `submit` on a decision's file, with a node that answers as a test says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lucid.api.answers import ChainMember, ChainNode, ChainNodes, ChainPeer, RulesState
from lucid.chain.codec import encode
from lucid.chain.decision import Decision, parse_decision
from lucid.chain.document import print_genesis
from lucid.chain.hashing import transaction_digest
from lucid.chain.transactions import Administrative, RetireNode, SetReplication
from tests.chain.test_decision import ADMINISTRATORS, CRYPTO, GENESIS, KEY, NODE
from tests.cli.command import Done, assert_refused, lucid
from tests.client.lying import Answer, LyingNode

COPIES = SetReplication(3, 4, ())
RULES = RulesState(4, 4, 2, None, (), 1, 1, 90, next_decision=4)
AWAY = 'manager_url = "http://127.0.0.1:9"\n'


@pytest.fixture
def folder(node: LyingNode, tmp_path: Path) -> Path:
    """A folder of an administrator: the chain's document, keys, and settings that name the node."""
    (tmp_path / "genesis.toml").write_text(print_genesis(GENESIS))
    for name, secret in zip(("anna", "ben", "cleo", "node"), (*ADMINISTRATORS, NODE), strict=True):
        (tmp_path / f"{name}.key").write_text(secret.hex())
        (tmp_path / f"{name}.key").chmod(0o600)
    (tmp_path / "node.toml").write_text(f'genesis = "genesis.toml"\nmanager_url = "{node.url}"\n')
    (tmp_path / "away.toml").write_text(f'genesis = "genesis.toml"\n{AWAY}')
    return tmp_path


def decided(folder: Path, payload: Administrative = COPIES, approvals: int = 0) -> Decision:
    """Put a decision into its file, with the approvals of the first administrators."""
    decision = Decision(GENESIS.chain_id, payload)
    for place in range(approvals):
        decision = decision.approved(place, ADMINISTRATORS[place], CRYPTO)
    (folder / "d.json").write_bytes(decision.print())
    return decision


def chain(folder: Path, action: str, *words: object, config: str = "node.toml") -> Done:
    """Run `lucid chain` on that file."""
    return lucid("chain", action, "d.json", "--config", config, *words, cwd=folder)


def held(folder: Path) -> list[int]:
    """The administrators who approved what is in the file."""
    return [place for place, _ in parse_decision((folder / "d.json").read_bytes()).payload.approvals]


def answers(node: LyingNode, decision: Decision, *states: Answer, rules: RulesState = RULES) -> None:
    """What the node says of a decision, one after the other, and of the chain."""
    identity = transaction_digest(encode(decision.payload)).hex()
    node.answers[f"GET /decisions/{identity}"] = list(states)
    node.answers["GET /chain/rules"] = Answer(body=msgspec.json.encode(rules))
    node.answers["POST /chain/decisions"] = Answer(202, json.dumps({"id": identity}).encode())


def state(status: str, height: int | None = None) -> Answer:
    """Where a transaction is."""
    return Answer(body=json.dumps({"id": "00", "status": status, "height": height}).encode())


UNKNOWN = Answer(404, b'{"error":{"code":"LUCID_ERR_3002","message":"no"}}')


# -- show and approve ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("approvals", "status"), [(0, 20), (1, 20), (2, 0), (3, 0)])
def test_the_status_says_whether_it_has_its_approvals(folder: Path, approvals: int, status: int) -> None:
    decided(folder, approvals=approvals)
    done = chain(folder, "show")
    assert (done.status, done.err) == (status, "") and f"{approvals} of 2 that are needed" in done.out
    told = json.loads(chain(folder, "show", "--json").out)
    assert (told["approvals"], told["needed"], told["number"]) == ([*range(approvals)], 2, 4)


def test_an_approval_is_added_and_the_file_is_replaced_as_a_whole(folder: Path) -> None:
    decided(folder)
    done = chain(folder, "approve", "--key", "cleo.key")
    assert done.status == 0 and "approved by administrator 2: 1 of 2" in done.out
    assert chain(folder, "approve", "--key", "anna.key", "--json").status == 0
    assert held(folder) == [0, 2] and not (folder / "d.json.part").exists()


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("node.key", "node.key is not the key of an administrator of this chain"),
        ("anna.key", "anna.key approved it already"),
        ("none.key", "none.key"),
    ],
)
def test_who_may_not_sign_changes_nothing(folder: Path, key: str, says: str) -> None:
    decided(folder, approvals=1)
    assert_refused(chain(folder, "approve", "--key", key), says)
    assert held(folder) == [0]


def nodes(*connected: bool) -> Answer:
    """The nodes of the chain as one sees them: the first is the one that answers."""
    made = tuple(
        ChainNode(
            (KEY if not place else bytes([place]) * 32).hex(),
            ChainMember(f"pi{place}", False, 900_000),
            ChainPeer(there, 0) if place else None,
        )
        for place, there in enumerate(connected)
    )
    return Answer(body=msgspec.json.encode(ChainNodes(KEY.hex(), made)))


def test_nobody_signs_a_chain_still_unawares(node: LyingNode, folder: Path) -> None:
    decided(folder, RetireNode(bytes([1]) * 32, 4, ()))
    node.answers["GET /nodes"] = nodes(True, True, False, False)
    assert_refused(chain(folder, "approve", "--key", "anna.key"), "pi2 (not connected", "--anyway", status=20)
    assert held(folder) == []
    assert chain(folder, "approve", "--key", "anna.key", "--anyway").status == 0
    node.answers["GET /nodes"] = nodes(True, True, True, True)
    assert chain(folder, "approve", "--key", "ben.key").status == 0
    assert held(folder) == [0, 1]


def test_without_a_node_it_is_signed_and_said_that_nobody_looked(folder: Path) -> None:
    decided(folder, RetireNode(bytes([1]) * 32, 4, ()))
    done = chain(folder, "approve", "--key", "anna.key", config="away.toml")
    assert done.status == 0 and done.err.startswith("lucid: no node answers, so who is left") and held(folder) == [0]


# -- submit ----------------------------------------------------------------------------------------------------------


def test_it_is_handed_in_and_waited_for(node: LyingNode, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lucid.cli.approvals.ASK_S", 0.0)
    decision = decided(folder, approvals=2)
    answers(node, decision, UNKNOWN, state("pending"), state("included", 91), state("final", 91))
    assert chain(folder, "submit") == (0, "it is final in block 91\n", "")
    assert [each for each in node.asked if each.startswith("POST")] == ["POST /api/v1/chain/decisions"]
    answers(node, decision, state("final", 91))
    node.asked.clear()
    told = json.loads(chain(folder, "submit", "--json").out)
    assert told == {"transaction": transaction_digest(encode(decision.payload)).hex(), "height": 91}
    assert not any(each.startswith("POST") for each in node.asked), "what the node has is not handed in again"


def test_what_is_not_final_in_time_has_a_status_of_its_own(node: LyingNode, folder: Path) -> None:
    answers(node, decided(folder, approvals=2), UNKNOWN, state("pending"))
    assert chain(folder, "submit", "--wait", "0s") == (10, "it is accepted, and not final yet\n", "")


def test_what_was_handed_in_by_another_meanwhile_is_waited_for_too(node: LyingNode, folder: Path) -> None:
    answers(node, decided(folder, approvals=2), UNKNOWN, state("final", 5))
    known = {"error": {"code": "LUCID_ERR_5021", "message": "known"}}
    node.answers["POST /chain/decisions"] = Answer(409, json.dumps(known).encode())
    assert chain(folder, "submit").out == "it is final in block 5\n"


@pytest.mark.parametrize(
    ("following", "says"),
    [(5, "the chain has taken another one of that number: begin it anew"), (3, "decision 3 has to come before it")],
)
def test_its_turn_is_looked_at_before_it_is_handed_in(node: LyingNode, folder: Path, following: int, says: str) -> None:
    rules = msgspec.structs.replace(RULES, next_decision=following)
    answers(node, decided(folder, approvals=2), UNKNOWN, rules=rules)
    assert_refused(chain(folder, "submit"), says)
    assert not any(each.startswith("POST") for each in node.asked)


def test_what_the_chain_refused_is_not_waited_for(node: LyingNode, folder: Path) -> None:
    answers(node, decided(folder, approvals=2), UNKNOWN, UNKNOWN)
    assert_refused(chain(folder, "submit"), "the chain refused it: it does not hold there any more")


def test_a_node_of_another_chain_is_called_that(node: LyingNode, folder: Path) -> None:
    answers(node, decided(folder, approvals=2), UNKNOWN)
    wrong: dict[str, Any] = {"error": {"code": "LUCID_ERR_5004", "message": "signature"}}
    node.answers["POST /chain/decisions"] = Answer(400, json.dumps(wrong).encode())
    assert_refused(chain(folder, "submit"), "the node is of another chain than the genesis document here")


def test_what_lacks_approvals_reaches_no_node(node: LyingNode, folder: Path) -> None:
    decided(folder, approvals=1)
    assert_refused(chain(folder, "submit"), "it lacks 1 approvals: lucid chain approve d.json", status=20)
    assert not node.asked


@pytest.mark.parametrize("action", ["show", "approve", "submit"])
def test_a_file_that_is_not_there_or_no_decision_is_one_sentence(folder: Path, action: str) -> None:
    words = ("--key", "anna.key") if action == "approve" else ()
    assert_refused(chain(folder, action, *words), "d.json: No such file")
    (folder / "d.json").write_text("yes")
    assert_refused(chain(folder, action, *words), "d.json is not a decision")
