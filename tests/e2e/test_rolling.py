"""Nodes that are upgraded one after the other, as real processes, while a chain of rules 4 comes to rules 5."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from lucid.chain.document import print_genesis
from lucid.chain.ed25519 import ed25519_public_key
from lucid.chain.genesis import Activation, GenesisOfRules
from lucid.chain.parameters import paced
from lucid.chain.versions import ADMINISTRATOR_RULES, PROOF_RULES
from lucid.services.devnet import Devnet
from lucid.services.process.keyfile import write_key
from tests.e2e.test_decisions import ADMINISTRATORS, Admin
from tests.e2e.test_upgrade import ask, height, start, stop
from tests.waiting import wait_until


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Devnet]:
    """Four nodes of a release that knows rules 4, which their chain has; epochs of six views, three administrators."""
    folder = tmp_path / "network"
    made = Devnet(folder, 4, 1_000, parameters=structs.replace(paced(1_000), slot_duration_ms=3_000, epoch_slots=2))
    keys = tuple(ed25519_public_key(write_key(folder / f"{name}.key")) for name in ADMINISTRATORS)
    plain, rules = made.genesis, Activation(PROOF_RULES)
    fields = plain.genesis_time_ms, plain.nodes, keys, 2, plain.parameters
    made.genesis = GenesisOfRules(*fields, rules=rules).check()
    (folder / "genesis.toml").write_text(print_genesis(made.genesis), encoding="utf-8")
    try:
        for node in made.nodes:
            start(node, PROOF_RULES)
        yield made
    finally:
        made.stop()


def test_a_chain_of_rules_4_comes_to_rules_5_while_its_nodes_are_upgraded_one_by_one(
    network: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    *early, late = network.nodes
    wait_until(lambda: height(early[0]) > 1, "the old nodes make blocks")
    for node in early:
        before = height(node)
        stop(node)
        start(node)
        wait_until(lambda node=node, before=before: height(node) > before + 2, "it goes on")  # type: ignore[misc]
    wait_until(lambda: (ask(early[0], "/chain/rules") or {}).get("known", 0) > PROOF_RULES, "it knows more")
    assert ask(early[0], "/chain/rules")["version"] == PROOF_RULES
    at = height(early[0]) + 20
    Admin(network, capsys, tmp_path).decides("schedule", str(ADMINISTRATOR_RULES), "--height", str(at))
    for node in early:
        wait_until(
            lambda node=node: (ask(node, "/chain/rules") or {}).get("version") == ADMINISTRATOR_RULES,  # type: ignore[misc]
            "rules 5 are in force",
        )
    wait_until(lambda: height(early[0]) > at + 12, "three of four are a quorum")
    conditions = wait_until(
        lambda: [each for each in (ask(late, "/health") or {}).get("conditions", []) if each["state"] == "too old"],
        "the one that was not upgraded says so",
    )
    last = height(late)
    assert [each["sentence"] for each in conditions] == [
        f"this node is too old for blocks from height {last + 1}: upgrade"
    ]
    assert ask(late, f"/blocks/{last}")["state_root"] == ask(early[0], f"/blocks/{last}")["state_root"]
    stop(late)
    start(late)
    wait_until(lambda: height(late) > last + 12, "it catches up")
    top = height(late)
    wait_until(lambda: height(early[0]) >= top, "the others are as far")
    assert ask(late, f"/blocks/{top}")["hash"] == ask(early[0], f"/blocks/{top}")["hash"]
    assert ask(late, "/chain/rules")["version"] == ADMINISTRATOR_RULES
