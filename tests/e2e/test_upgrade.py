"""Nodes of an old and a new release as real processes, over a change of rules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import structs

from lucid.chain.document import print_genesis
from lucid.chain.genesis import Activation, GenesisOfRules
from lucid.chain.parameters import paced
from lucid.chain.versions import REPLICATION_RULES, RULES_KNOWN
from lucid.services.devnet import Devnet
from lucid.services.devnode import DevNode
from lucid.services.process.children import tied
from lucid.services.process.config import load_config
from tests.waiting import wait_until

HEIGHT = 7
"""Epochs have six views: the second one opens at this height where no view is skipped."""
OLD_RELEASE = Path(__file__).with_name("old_release.py")
SERVICES = ("manager", "engine")
"""What a chain needs; the others would only be in the way of a busy machine."""


def start(node: DevNode, rules: int | None = None) -> None:
    """Start a node's engine and manager; with `rules`, as a release that knows no newer ones."""
    for service in SERVICES:
        if rules is None:
            node.start(service)
            continue
        command = [sys.executable, str(OLD_RELEASE), str(rules), service, "--config", str(node.folder / "node.toml")]
        environment = {"LUCID_PORT": str(node.ports[service]), "PATH": os.environ["PATH"]}
        with (node.folder / f"{service}.log").open("ab") as log:
            node.processes[service] = subprocess.Popen(
                tied(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )


def stop(node: DevNode) -> None:
    """Stop a node's processes and wait for their end."""
    for process in node.processes.values():
        process.terminate()
    for process in node.processes.values():
        process.wait(60)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Devnet]:
    """Four nodes, the last one of an older release, and a genesis document that names rules it does not know."""
    made = Devnet(tmp_path, 4, 1_000, parameters=structs.replace(paced(1_000), slot_duration_ms=3_000, epoch_slots=2))
    plain = made.genesis
    rules = Activation(REPLICATION_RULES, HEIGHT)
    genesis = GenesisOfRules(plain.genesis_time_ms, plain.nodes, parameters=plain.parameters, rules=rules).check()
    (tmp_path / "genesis.toml").write_text(print_genesis(genesis), encoding="utf-8")
    try:
        for node in made.nodes[:3]:
            start(node)
        start(made.nodes[3], REPLICATION_RULES - 1)
        yield made
    finally:
        made.stop()


def ask(node: DevNode, path: str, service: str = "manager") -> Any:
    """What a service answers; None while it does not."""
    try:
        return httpx.get(f"{node.url(service)}{path}", timeout=30.0).json()
    except (httpx.HTTPError, json.JSONDecodeError):
        return None


def height(node: DevNode) -> int:
    answer = ask(node, "/chain") or {}
    return int(answer.get("height", 0))


def test_an_old_node_among_new_ones_stops_in_time_and_goes_on_when_it_is_upgraded(network: Devnet) -> None:
    *new, old = network.nodes
    wait_until(lambda: height(new[0]) > HEIGHT + 6, "the upgraded nodes go on under the new rules")
    # The last block of the rules that it knows closes the epoch before: which one, skipped views may tell.
    said = wait_until(
        lambda: [each for each in (ask(old, "/health") or {}).get("conditions", []) if each["state"] == "too old"],
        "the old node says that it is too old",
    )
    last = height(old)
    sentence = f"this node is too old for blocks from height {last + 1}: upgrade"
    assert [each["sentence"] for each in said] == [sentence]
    assert ask(old, f"/blocks/{last}")["hash"] == ask(new[0], f"/blocks/{last}")["hash"]
    assert ask(old, f"/blocks/{last}")["state_root"] == ask(new[0], f"/blocks/{last}")["state_root"]
    assert sentence in wait_until(lambda: ask(old, "/health", "engine"), "its engine answers")["reasons"]
    rules = ask(new[0], "/chain/rules")
    assert (rules["version"], rules["known"], rules["scheduled"]) == (REPLICATION_RULES, RULES_KNOWN, None)
    ready = {each["node"]: each["ready"] for each in rules["validators"]}
    assert ready == {node.key.hex(): node is not old for node in network.nodes}
    assert (rules["ready"], rules["quorum"]) == (3, 3)
    shown = subprocess.run(
        [sys.executable, "-m", "lucid", "chain", "rules", "--config", str(old.folder / "node.toml")],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert shown.returncode == 20 and "THIS NODE IS TOO OLD for rules 2" in shown.stdout, shown
    assert height(old) == last, "it stands still"

    stop(old)
    start(old)
    wait_until(lambda: height(old) > last + 3, "the upgraded node catches up")
    assert not [each for each in ask(old, "/health").get("conditions", []) if each["state"] == "too old"]
    wait_until(lambda: ask(new[0], "/chain/rules")["ready"] == 4, "all say that they know the rules")


def test_no_setting_tells_a_node_to_know_fewer_rules(tmp_path: Path) -> None:
    """What a node knows must not be changed by accident: it is not a setting, in a file or the environment."""
    assert not [name for name in load_config().__struct_fields__ if "rule" in name or "version" in name]
