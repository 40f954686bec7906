"""What begins a decision's file: looked at against the chain as a node tells it, before anyone is asked to sign."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from lucid.api.answers import ChainMember, ChainNode, ChainNodes, Deciders, RulesState, ScheduledRules, ValidatorRules
from lucid.chain.administrators import first_administrators
from lucid.chain.decision import Decision, parse_decision
from lucid.chain.document import print_genesis
from lucid.chain.ed25519 import ed25519_public_key
from lucid.chain.transactions import (
    Administrative,
    RegisterNode,
    RetireNode,
    ScheduleRules,
    SetAdministrators,
    SetReplication,
)
from lucid.services.chain.deciders import deciders
from tests.chain.test_decision import ADMINISTRATORS, CRYPTO, GENESIS, KEY, NODE
from tests.cli.command import Done, assert_refused, lucid
from tests.client.lying import Answer, LyingNode

SOONEST = 90 + 1 + GENESIS.parameters.epoch_views
OTHER = bytes([9]) * 32
TWO = (
    ValidatorRules(KEY.hex(), "pi0", 5, True),
    ValidatorRules(ed25519_public_key(OTHER).hex(), "pi\x1b[2J", 5, True),
)
RULES = RulesState(5, 6, 3, None, TWO, 2, 2, 90, next_decision=7)
PLANNED = ScheduledRules(6, SOONEST, 9, 0)


@pytest.fixture
def folder(node: LyingNode, tmp_path: Path) -> Path:
    """A folder of an administrator: the chain's document, key files, and settings that name the node."""
    (tmp_path / "genesis.toml").write_text(print_genesis(GENESIS))
    for name, secret in (("new", bytes([8]) * 32), ("old", NODE)):
        (tmp_path / f"{name}.key").write_text(secret.hex())
        (tmp_path / f"{name}.key").chmod(0o600)
    (tmp_path / "node.toml").write_text(f'genesis = "genesis.toml"\nmanager_url = "{node.url}"\n')
    return tmp_path


def begin(node: LyingNode, folder: Path, *words: object, rules: RulesState = RULES) -> Done:
    """Begin a decision there, of a chain that stands like this."""
    node.answers["GET /chain/rules"] = Answer(body=msgspec.json.encode(rules))
    members = [ChainNode(each.node, ChainMember(each.name, False, 900_000), None) for each in rules.validators]
    node.answers["GET /nodes"] = Answer(body=msgspec.json.encode(ChainNodes(KEY.hex(), tuple(members))))
    return lucid("chain", *words, "--output", "d.json", "--config", "node.toml", cwd=folder)


def begun(folder: Path) -> Decision:
    """What is in the file, checked."""
    decision = parse_decision((folder / "d.json").read_bytes())
    decision.check(GENESIS, CRYPTO)
    return decision


@pytest.mark.parametrize(
    ("words", "rules", "payload"),
    [
        (["schedule", 6, "--height", SOONEST + 1], RULES, ScheduleRules(6, SOONEST + 1, 7, ())),
        (["unschedule"], structs.replace(RULES, scheduled=PLANNED), ScheduleRules(0, 0, 7, ())),
        (["retire", "pi0"], RULES, RetireNode(KEY, 7, ())),
        (["retire", TWO[1].node.upper()], RULES, RetireNode(ed25519_public_key(OTHER), 7, ())),
        (["copies", 64], RULES, SetReplication(64, 7, ())),
        (["administrators", KEY.hex()], RULES, SetAdministrators((KEY,), 1, 7, (), ())),
    ],
    ids=["schedule", "unschedule", "retire", "retire by id", "copies", "administrators"],
)
def test_a_decision_is_begun_with_the_number_that_is_next(
    node: LyingNode, folder: Path, words: list[object], rules: RulesState, payload: Administrative
) -> None:
    done = begin(node, folder, *words, rules=rules)
    assert done.status == 0, done
    assert begun(folder) == Decision(GENESIS.chain_id, payload), "nobody signed it, and those of the document decide"
    assert f"decision 7 of chain {GENESIS.chain_id.hex()[:16]}: " in done.out
    assert "approved: 0 of 2 that are needed (3 may)" in done.out
    assert not any(each.startswith("POST") for each in node.asked)


def test_a_node_is_admitted_by_its_own_key(node: LyingNode, folder: Path) -> None:
    done = begin(node, folder, "register", "pi9", "--key", "new.key", "--pool", "attic")
    payload = begun(folder).payload
    assert isinstance(payload, RegisterNode)
    assert (payload.key, payload.name, payload.pool) == (ed25519_public_key(bytes([8]) * 32), "pi9", "attic")
    assert "from the epoch after it on blocks need 3 of 3 validators: have the new node run before" in done.out
    assert "WARNING: after it 3 validators are left" in done.err and "pi9 (new, and not connected" in done.err


def test_what_a_set_is_left_with_is_said_before_anyone_signs(node: LyingNode, folder: Path) -> None:
    done = begin(node, folder, "retire", "pi0", "--json")
    told = json.loads(done.out)
    assert (told["approvals"], told["needed"], told["number"]) == ([], 2, 7)
    assert "WARNING: after it 1 validators are left, of which blocks need 1" in done.err and "\x1b" not in done.err
    assert done.err.endswith("The chain may make no blocks any more\n")


def test_administrators_of_today_are_named_where_they_are_not_the_documents(node: LyingNode, folder: Path) -> None:
    today, documents = Deciders((KEY.hex(),), 1), deciders(first_administrators(GENESIS))
    for administrators, count in (
        (today, "0 of 1 that are needed (1 may)"),
        (documents, "0 of 2 that are needed (3 may)"),
        (None, "0 of 2 that are needed (3 may)"),
    ):
        done = begin(node, folder, "copies", 3, rules=structs.replace(RULES, administrators=administrators))
        assert f"approved: {count}" in done.out
        assert (begun(folder).administrators is None) is (administrators is not today), "older releases read that too"
        (folder / "d.json").unlink()


def test_who_takes_over_has_to_accept_and_who_decides_soon_is_said(node: LyingNode, folder: Path) -> None:
    rules = structs.replace(RULES, next_administrators=Deciders((KEY.hex(),), 1))
    ids = [ed25519_public_key(secret).hex() for secret in ADMINISTRATORS]
    done = begin(node, folder, "administrators", *ids, "--threshold", 2, rules=rules)
    assert "accepted: 0 of 2 that are needed (3 may)" in done.out
    assert done.out.endswith("those who take over sign too (lucid chain approve), as many as will decide\n")
    assert done.err == "lucid: others decide from the next epoch on: what is not final by then is void\n"


@pytest.mark.parametrize(
    ("words", "changes", "says"),
    [
        (["schedule", 7, "--height", 9_999], {}, "this node knows rules up to 6: upgrade the nodes"),
        (["schedule", 5, "--height", 9_999], {}, "rules 5 are in force: name a version above that"),
        (["schedule", 6, "--height", SOONEST], {}, f"--height {SOONEST} is too soon: above {SOONEST}"),
        (["unschedule"], {}, "nothing is scheduled"),
        (["register", "pi0", "--key", "old.key"], {}, f"node {KEY.hex()} is registered already"),
        (["register", "", "--key", "new.key"], {}, "bytes of text"),
        (["register", "x" * 65, "--key", "new.key"], {}, "bytes of text"),
        (["register", "pi9", "--key", "none.key"], {}, "none.key"),
        (["retire", "pi7"], {}, "no node of the id or name 'pi7' is registered; there are pi0, "),
        (
            ["retire", "pi0"],
            {"validators": (TWO[0], structs.replace(TWO[1], name="pi0"))},
            "2 nodes have the name 'pi0'",
        ),
        (["retire", "pi0"], {"validators": TWO[:1]}, "the last node cannot be retired: register another one first"),
        (["copies", 0], {}, "N must be within 1..64, is 0"),
        (["copies", 65], {}, "N must be within 1..64, is 65"),
        (["copies", 3], {"version": 1}, "this needs rules 2, and rules 1 are in force"),
        (["copies", 3], {"next_decision": None}, "does not tell the number of the next decision: upgrade it"),
        (["administrators", KEY.hex()], {"version": 4}, "this needs rules 5, and rules 4 are in force"),
        (["administrators", KEY.hex(), "--threshold", 2], {}, "threshold"),
        (["administrators", KEY.hex(), KEY.hex()], {}, "an administrator is named twice"),
        (["administrators", "pi0"], {}, "ID: 'pi0' must be 64 hexadecimal digits"),
    ],
)
def test_what_the_chain_would_refuse_is_one_sentence_and_no_file(
    node: LyingNode, folder: Path, words: list[object], changes: dict[str, object], says: str
) -> None:
    assert_refused(begin(node, folder, *words, rules=structs.replace(RULES, **changes)), says)
    assert not (folder / "d.json").exists()


def test_no_file_is_written_over(node: LyingNode, folder: Path) -> None:
    (folder / "d.json").write_text("mine")
    assert_refused(begin(node, folder, "copies", 3), "d.json exists already")
    assert (folder / "d.json").read_text() == "mine"


def test_a_chain_without_administrators_stays_as_it_is(node: LyingNode, folder: Path) -> None:
    plain = structs.replace(GENESIS, administrators=(), threshold=0)
    (folder / "genesis.toml").write_text(print_genesis(plain))
    assert_refused(begin(node, folder, "copies", 3), "the genesis document names no administrators")
