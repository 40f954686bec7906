"""A decision in its file: read whole and checked, told to people and programs, and refused in one sentence."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

import pytest
from msgspec import structs

from lucid.chain.decision import MAX_DECISION_BYTES, Decision
from lucid.cli.decisionfile import lacking_approvals, read_decision, tell_decision
from lucid.cli.failure import Failure
from tests.chain.test_decision import ADMINISTRATORS, CRYPTO, GENESIS, KEY, PAYLOADS, begun

FIRST = begun(PAYLOADS[1])
BOTH = FIRST.approved(2, ADMINISTRATORS[2], CRYPTO).approved(0, ADMINISTRATORS[0], CRYPTO)


@pytest.mark.parametrize("decision", [FIRST, BOTH])
def test_what_was_written_is_read(tmp_path: Path, decision: Decision) -> None:
    (tmp_path / "decision").write_bytes(decision.print())
    assert read_decision(tmp_path / "decision", GENESIS) == decision


def test_what_it_lacks_is_counted_down_to_nothing() -> None:
    chain = structs.replace(GENESIS, threshold=1)
    assert [lacking_approvals(GENESIS, each) for each in (FIRST, BOTH)] == [2, 0]
    assert lacking_approvals(chain, BOTH) == 0, "more than are needed are not fewer than none"


def test_what_it_does_and_how_far_it_is_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    tell_decision(Namespace(json=False), Path("d"), GENESIS, BOTH)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"decision 0 of chain {GENESIS.chain_id.hex()[:16]}: retire node {KEY.hex()}")
    assert second == "approved by administrator 0, 2: 2 of 2 that are needed (3 may)"
    tell_decision(Namespace(json=False), Path("d"), GENESIS, FIRST)
    assert capsys.readouterr().out.endswith("approved: 0 of 2 that are needed (3 may)\n")
    tell_decision(Namespace(json=True), Path("d"), GENESIS, BOTH)
    told = json.loads(capsys.readouterr().out)
    assert (told["file"], told["approvals"], told["needed"], told["number"]) == ("d", [0, 2], 2, 0)


def test_what_is_no_decision_is_named(tmp_path: Path) -> None:
    path = tmp_path / "decision"
    for data in (b"", b"{}", b"\xff", FIRST.print()[:-9], b"[" * 9_999):
        path.write_bytes(data)
        with pytest.raises(Failure, match="is not a decision: ") as refused:
            read_decision(path, GENESIS)
        assert "\n" not in str(refused.value)
    path.write_bytes(bytes(MAX_DECISION_BYTES + 1))
    with pytest.raises(Failure, match="more than it can have"):
        read_decision(path, GENESIS)


def test_one_that_somebody_changed_or_of_another_chain_does_not_hold(tmp_path: Path) -> None:
    path = tmp_path / "decision"
    path.write_bytes(BOTH._replace(payload=structs.replace(BOTH.payload, sequence=9)).print())
    with pytest.raises(Failure, match="does not hold: "):
        read_decision(path, GENESIS)
    path.write_bytes(FIRST.print())
    with pytest.raises(Failure, match="does not hold: "):
        read_decision(path, structs.replace(GENESIS, genesis_time_ms=GENESIS.genesis_time_ms + 1))
