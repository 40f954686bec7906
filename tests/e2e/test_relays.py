"""Three real nodes under rules 6: who was handed sessions and brought them to the others is paid for these copies."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from lucid.chain.parameters import paced
from lucid.chain.versions import RELAY_RULES
from lucid.cli.main import main
from lucid.services.devnet import Devnet
from tests.e2e.conftest import MakeFleet

PATIENCE_S = 600


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Devnet:
    """An epoch of 48 views."""
    return make_fleet(RELAY_RULES, structs.replace(paced(1_000), slot_duration_ms=6_000, epoch_slots=8))


def test_the_node_that_an_owner_handed_sessions_to_is_paid_for_the_copies_that_it_brought(
    fleet: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A session is handed in again and again: a copy that is proven before its receipt is there pays nobody."""
    owner, file = tmp_path / "owner.key", tmp_path / "file"
    file.write_bytes(bytes(range(256)) * 1_000)
    assert main(["keys", "new", str(owner)]) == 0
    taker = fleet.nodes[0]
    config = ["--config", str(taker.folder / "node.toml")]
    anchor = ["anchor", str(file), "--owner", str(owner), *config, "--json", "--chunk-size", "64KiB"]

    def storage() -> dict[str, Any]:
        capsys.readouterr()
        assert main(["credits", "--json", *config]) == 0
        return {each["name"]: each["storage"] for each in json.loads(capsys.readouterr().out)["members"]}

    deadline, number, paid = time.monotonic() + PATIENCE_S, 0, dict[str, int]()
    while not paid:
        assert time.monotonic() < deadline, storage()
        receipt = ["--receipt", str(tmp_path / f"receipt{number}.json")]
        assert main([*anchor, "--wait", "replicated", "--wait", "8m", *receipt]) == 0
        number += 1
        for _ in range(20):
            paid = {name: found["relayed"] for name, found in storage().items() if found and found["relayed"]}
            if paid:
                break
            time.sleep(1)
    assert list(paid) == [taker.name], "the owner handed it the sessions, and the others fetched them there"
    assert paid[taker.name] <= number * 2 * 8, "four chunks, at two others"
    capsys.readouterr()
    assert main(["credits", taker.name, *config]) == 0
    assert "for copies that it brought" in capsys.readouterr().out
