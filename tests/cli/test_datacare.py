"""`lucid data verify`, `repair` and `prune`: what is asked for, and what is said of the outcome."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lucid.api.answers import Pruned
from lucid.cli.datachain import LOST
from tests.cli.datacommand import BEGAN_MS, ONE, SESSION, THREE, TWO, answer, data, holds
from tests.client.lying import LyingNode


def checked(node: LyingNode, action: str, **statuses: str) -> None:
    """What the node finds of chunks when it reads them."""
    for each, status in statuses.items():
        node.answers[f"POST /chunks/{each * 64}/{action}"] = answer({"id": each * 64, "status": status})


@pytest.mark.parametrize(("action", "fine"), [("verify", "verified"), ("repair", "sound")])
def test_named_chunks_are_read_and_what_is_wrong_is_named(
    node: LyingNode, tmp_path: Path, action: str, fine: str
) -> None:
    checked(node, action, a="verified", b="corrupted", c="missing")
    told = json.loads(data(node, tmp_path, action, ONE.upper(), TWO, THREE, "--json").out)
    wrong = [{"id": TWO, "status": "corrupted"}, {"id": THREE, "status": "missing"}]
    assert told == {fine: 1, "wrong": wrong}
    done = data(node, tmp_path, action, TWO)
    assert done.status == LOST and TWO in done.out and "corrupted" in done.out
    assert data(node, tmp_path, action, ONE).status == 0


def test_all_are_verified_and_what_is_lost_alone_repaired_unless_chunks_are_named(
    node: LyingNode, tmp_path: Path
) -> None:
    holds(node, a="stored", b="verified")
    checked(node, "verify", a="verified", b="verified")
    checked(node, "repair", a="verified", b="verified")
    assert data(node, tmp_path, "verify").status == 0
    assert [each for each in node.asked if each.startswith("POST")] == [
        f"POST /api/v1/chunks/{each}/verify" for each in (ONE, TWO)
    ]
    node.asked.clear()
    holds(node)
    assert data(node, tmp_path, "repair").status == 0
    assert {each.partition("&")[2] for each in node.asked} == {"status=missing", "status=corrupted"}
    node.asked.clear()
    holds(node, a="stored")
    assert data(node, tmp_path, "repair", "--session", SESSION).status == 0
    assert f"POST /api/v1/chunks/{ONE}/repair" in node.asked


def test_what_nobody_needs_goes_or_is_only_told(node: LyingNode, tmp_path: Path) -> None:
    node.answers["POST /prune"] = answer(Pruned(5, 5_000, 5, 2, 2_000, BEGAN_MS))
    done = data(node, tmp_path, "prune", "--dry-run")
    assert done.out.startswith("5 chunks, 5000 bytes, would go: no session needs them, for a day at least\n")
    assert done.out.endswith(
        "2 more, 2000 bytes, are kept until their day is over; the next is due at 2027-01-15T08:00:00+00:00\n"
    )
    assert data(node, tmp_path, "prune").out.startswith(
        "5 of 5 chunks that no session has referred to for a day are gone\n"
    )
    node.answers["POST /prune"] = answer(Pruned(5, 5_000, 3, 0, 0, 0))
    assert "are gone; the others wait until every node says that it does not need them\n0 more, 0 bytes, are kept" in (
        data(node, tmp_path, "prune").out
    )
    assert json.loads(data(node, tmp_path, "prune", "--dry-run", "--json").out)["dry_run"] is True
