"""Administrators of a real chain change its rules and its nodes by `lucid chain`: two of three sign."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import structs

from lucid.chain.document import print_genesis
from lucid.chain.ed25519 import ed25519_public_key
from lucid.chain.parameters import paced
from lucid.chain.versions import FIRST_RULES
from lucid.cli.main import main
from lucid.services.devnet import Devnet
from lucid.services.devnode import DevNode
from lucid.services.process.keyfile import write_key
from tests.networks import CHAIN, running
from tests.waiting import wait_until

PATIENCE_S = 120
ADMINISTRATORS = ("anna", "ben", "cleo")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """Two nodes of a chain that began with the first rules, a block every second, and epochs of three."""
    folder = tmp_path_factory.mktemp("decisions")
    parameters = structs.replace(paced(1_000), slot_duration_ms=3_000, epoch_slots=1)
    made = Devnet(folder, 2, 1_000, parameters=parameters, rules=FIRST_RULES)
    keys = tuple(ed25519_public_key(write_key(folder / f"{name}.key")) for name in ADMINISTRATORS)
    made.genesis = structs.replace(made.genesis, administrators=keys, threshold=2).check()
    (folder / "genesis.toml").write_text(print_genesis(made.genesis), encoding="utf-8")
    with running(made):
        wait_until(lambda: height(made.nodes[0]) > 0, "there are blocks")
        yield made


class Admin:
    """Runs `lucid chain`, and holds what it says."""

    def __init__(self, network: Devnet, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self._network = network
        self._capsys = capsys
        self.file = str(folder / "decision.json")
        self._settings = ("--config", str(network.nodes[0].settings))

    def does(self, *arguments: str, status: int = 0) -> str:
        """What it prints; or, where it fails, the one sentence that it says."""
        found = main(["chain", *arguments, *self._settings])
        said = self._capsys.readouterr()
        assert found == status, (arguments, said)
        if not said.err:
            return said.out
        assert said.err.count("\n") == 1 and said.err.startswith("lucid: "), said
        return said.err

    def key(self, name: str) -> tuple[str, str]:
        """The options that name an administrator's key."""
        return "--key", str(self._network.folder / f"{name}.key")

    def decides(self, *arguments: str) -> str:
        """Have a decision made, approved by two, and handed in; returns what it does."""
        Path(self.file).unlink(missing_ok=True)
        begun = self.does(*arguments, "--output", self.file)
        for name in ("cleo", "anna"):
            self.does("approve", self.file, *self.key(name))
        assert "it is final in block" in self.does("submit", self.file, "--wait", f"{PATIENCE_S}s")
        return begun


@pytest.fixture
def admin(network: Devnet, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Admin:
    return Admin(network, capsys, tmp_path)


def ask(node: DevNode, path: str) -> Any:
    """What a manager answers; None while it does not."""
    try:
        return httpx.get(f"{node.url('manager')}{path}", timeout=10.0).json()
    except (httpx.HTTPError, json.JSONDecodeError):
        return None


def height(node: DevNode) -> int:
    answer = ask(node, "/chain") or {}
    return int(answer.get("height", 0))


def connected(node: DevNode, peer: DevNode) -> bool:
    """Whether a node says that a peer is connected."""
    found = {each["node"]: each["peer"] for each in (ask(node, "/nodes") or {}).get("nodes", ())}
    return bool((found.get(peer.key.hex()) or {}).get("connected"))


def test_two_of_three_administrators_change_the_rules(network: Devnet, admin: Admin) -> None:
    node = network.nodes[0]
    assert "needs rules 2" in admin.does("copies", "2", "--output", admin.file, status=2)
    far = height(node) + 1_000
    assert "too soon" in admin.does("schedule", "2", "--height", str(height(node)), "--output", "x", status=2)
    assert f"height {far} or above" in admin.decides("schedule", "2", "--height", str(far))
    assert ask(node, "/chain/rules")["scheduled"]["height"] == far
    assert "call off" in admin.decides("unschedule")
    assert ask(node, "/chain/rules")["scheduled"] is None
    assert "nothing is scheduled" in admin.does("unschedule", "--output", admin.file, status=2)


def test_a_node_is_retired_and_registered_again(network: Devnet, admin: Admin) -> None:
    stays, goes = network.nodes
    said = admin.decides("retire", goes.name)
    assert f"retire node {goes.key.hex()}" in said and "blocks need 1 of 1 validators" in said
    # Until the next epoch it still votes: of two, both have to.
    wait_until(lambda: (ask(stays, "/chain") or {}).get("validators") == [stays.key.hex()], "it is out of the set")
    for process in goes.processes.values():
        process.terminate()
    at = height(stays)
    wait_until(lambda: height(stays) > at + 3, "the chain goes on without it")
    assert "last node" in admin.does("retire", stays.name, "--output", "x", status=2)
    assert "is registered" in admin.does("retire", goes.name, "--output", "x", status=2)

    key = ("--key", str(goes.folder / "node.key"))
    for service in CHAIN:
        goes.processes[service].wait(30)
    wait_until(lambda: not connected(stays, goes), "it is gone")
    # It would count from the next epoch on, and with it the chain would need two of two.
    Path(admin.file).unlink()
    said = admin.does("register", "back", *key, "--output", admin.file)
    assert "WARNING" in said and "back (new, and not connected to this node)" in said
    said = admin.does("approve", admin.file, *admin.key("anna"), status=20)
    assert "back (new, and not connected to this node)" in said and "--anyway" in said
    assert "0 of 2" in admin.does("show", admin.file, status=20), "it was not signed"
    assert "1 of 2" in admin.does("approve", admin.file, *admin.key("anna"), "--anyway")
    for service in CHAIN:
        goes.start(service)
    wait_until(lambda: connected(stays, goes), "it runs")
    said = admin.decides("register", "back", *key, "--pool", "attic")
    assert f"register node {goes.key.hex()} as back of the pool attic" in said
    assert "blocks need 2 of 2 validators: have the new node run" in said
    wait_until(lambda: len((ask(stays, "/chain") or {}).get("validators", ())) == 2, "it is a validator again")
    at = height(stays)
    wait_until(lambda: height(stays) > at + 3, "both make blocks: it needs two")
    assert "registered already" in admin.does("register", "back", *key, "--output", "x", status=2)


def test_what_is_wrong_is_one_sentence(network: Devnet, admin: Admin, tmp_path: Path) -> None:
    node = network.nodes[0]
    begin = ("retire", node.key.hex(), "--output", admin.file)
    assert "0 of 2 that are needed (3 may)" in admin.does(*begin)
    assert "exists already" in admin.does(*begin, status=2)
    assert "lacks 2 approvals" in admin.does("submit", admin.file, status=20)
    assert "not the key of an administrator" in admin.does(
        "approve", admin.file, "--key", str(node.folder / "node.key"), status=2
    )
    assert "1 of 2" in admin.does("approve", admin.file, *admin.key("ben"))
    assert "approved it already" in admin.does("approve", admin.file, *admin.key("ben"), status=2)
    assert "by administrator 1" in admin.does("show", admin.file, status=20)
    told = json.loads(admin.does("show", admin.file, "--json", status=20))
    assert (told["approvals"], told["needed"]) == ([1], 2)
    no_node = ("retire", "nobody", "--output", "x")
    assert "no node of the id or name 'nobody'" in admin.does(*no_node, status=2)
    assert "knows rules up to" in admin.does("schedule", "99", "--height", "9999", "--output", "x", status=2)
    assert "within 1..64" in admin.does("copies", "65", "--output", "x", status=2)
    assert "NAME must be" in admin.does("register", "", *admin.key("ben"), "--output", "x", status=2)

    fields = json.loads(Path(admin.file).read_text())
    for change, named in (
        ({"number": fields["number"] + 1}, "does not hold"),
        ({"chain": "00" * 32}, "another chain"),
        ({"decision": {}}, "is not a decision"),
    ):
        changed = tmp_path / "changed.json"
        changed.write_text(json.dumps(fields | change))
        assert named in admin.does("show", str(changed), status=2)
    # Another one is taken meanwhile.
    admin.does("approve", admin.file, *admin.key("anna"))
    kept, admin.file = admin.file, str(tmp_path / "other.json")
    admin.decides("schedule", "2", "--height", str(height(node) + 1_000))
    assert "another one of that number" in admin.does("submit", kept, status=2)
    assert "it is final in block" in admin.does("submit", admin.file), "once more is harmless"


def test_rules_come_into_force_and_then_copies_are_set(network: Devnet, admin: Admin) -> None:
    """The tests before are of rules 1."""
    node = network.nodes[0]
    at = height(node) + 30
    admin.decides("schedule", "5", "--height", str(at))
    wait_until(lambda: (ask(node, "/chain/rules") or {}).get("version") == 5, "rules 5 are in force")
    assert height(node) >= at - 1
    before = copies(node)
    wanted = 1 if before != 1 else 2
    assert f"{wanted}" in admin.decides("copies", str(wanted))
    wait_until(lambda: [copies(each) for each in network.nodes] == [wanted, wanted], "both know of it")


def test_administrators_hand_on(network: Devnet, admin: Admin) -> None:
    """Anna stays, and Dora comes: both sign for that, and Cleo, who goes."""
    node, anna = network.nodes[0], network.genesis.administrators[0].hex()
    dora = ed25519_public_key(write_key(network.folder / "dora.key")).hex()
    begin = ("administrators", anna, dora, "--output", admin.file)
    assert "named twice" in admin.does("administrators", anna, anna, "--output", "x", status=2)
    assert "within 1..2" in admin.does(*begin, "--threshold", "3", status=2)
    assert f"2 of 2 administrators decide: {anna}, {dora}" in admin.does(*begin)
    admin.does("approve", admin.file, *admin.key("cleo"))
    said = admin.does("approve", admin.file, *admin.key("anna"))
    assert "approved by administrator 0, 2: 2 of 2" in said and "accepted by new administrator 0: 1 of 2" in said
    assert "lacks 1 approvals" in admin.does("submit", admin.file, status=20)
    told = json.loads(admin.does("approve", admin.file, *admin.key("dora"), "--json"))
    assert (told["acceptances"], told["acceptances_needed"]) == ([0, 1], 2)
    assert "it is final in block" in admin.does("submit", admin.file, "--wait", f"{PATIENCE_S}s")

    def deciding() -> list[str]:
        return list((ask(node, "/chain/rules") or {"administrators": {"keys": ()}})["administrators"]["keys"])

    wait_until(lambda: deciding() == [anna, dora], "the next epoch has begun")
    assert f"2 of 2 administrators decide: {anna[:16]}, {dora[:16]}" in admin.does("rules")
    Path(admin.file).unlink()
    admin.does("copies", "3", "--output", admin.file)
    assert "not the key of an administrator" in admin.does("approve", admin.file, *admin.key("cleo"), status=2)
    for name in ("dora", "anna"):
        admin.does("approve", admin.file, *admin.key(name))
    assert "it is final in block" in admin.does("submit", admin.file, "--wait", f"{PATIENCE_S}s")
    wait_until(lambda: [copies(each) for each in network.nodes] == [3, 3], "both know of it")


def copies(node: DevNode) -> int:
    """How many nodes are to hold each chunk, as a node knows."""
    answer = httpx.get(
        f"{node.url('manager')}/node/members", headers={"Authorization": f"Bearer {node.token}"}, timeout=10.0
    )
    return int(answer.json()["replication_factor"])
