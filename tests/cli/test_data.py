"""`lucid data` on whatever a node answers: what is held and lost, and what is no input."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from lucid.api.answers import DataStatus
from lucid.cli.datachain import LOST
from tests.cli.command import assert_refused, lucid
from tests.cli.datacommand import COPIES, ONE, SESSION, STATUS, THREE, TWO, answer, data, holds
from tests.client.lying import LyingNode


def test_what_is_held_is_told_in_lines(node: LyingNode, tmp_path: Path) -> None:
    node.answers["GET /status"] = answer(STATUS)
    done = data(node, tmp_path, "status")
    assert (done.status, done.err) == (0, "") and done.out.splitlines() == [
        "9 chunks, 90000 bytes; there is room for 1000000 more",
        "0 missing, 0 corrupted, 0 files in quarantine",
        "copies: 3 of each chunk on 4 nodes, 2 others connected",
        "0 chunks lack one; 5 wait to be fetched here",
        "since its start it fetched 6 and repaired 7",
        "scrub: reading; a period has 30.0 days",
        "every chunk was read, or stored, after 2027-01-15T08:00:00+00:00",
        "so far it read 12 chunks, 34000 bytes, and found 1 corrupted and 2 missing",
    ]
    assert msgspec.json.decode(data(node, tmp_path, "status", "--json").out, type=DataStatus) == STATUS


@pytest.mark.parametrize(("missing", "corrupted", "status"), [(0, 0, 0), (1, 0, LOST), (0, 1, LOST)])
def test_the_status_says_whether_something_is_lost(
    node: LyingNode, tmp_path: Path, missing: int, corrupted: int, status: int
) -> None:
    node.answers["GET /status"] = answer(msgspec.structs.replace(STATUS, missing=missing, corrupted=corrupted))
    assert data(node, tmp_path, "status").status == data(node, tmp_path, "scrub", "status").status == status


def test_what_lacks_copies_is_said_with_for_how_long_and_a_lone_node_has_none(node: LyingNode, tmp_path: Path) -> None:
    lacking = msgspec.structs.replace(COPIES, lacking=2, lacking_s=77)
    node.answers["GET /status"] = answer(msgspec.structs.replace(STATUS, replication=lacking))
    assert "2 chunks lack one, for 77 s; " in data(node, tmp_path, "status").out
    alone = msgspec.structs.replace(COPIES, copies=1)
    node.answers["GET /status"] = answer(msgspec.structs.replace(STATUS, replication=alone))
    assert "copies: NONE. This chain has one node: what its disk loses is lost\n" in data(node, tmp_path, "status").out
    unknown = msgspec.structs.replace(COPIES, copies=0)
    node.answers["GET /status"] = answer(msgspec.structs.replace(STATUS, replication=unknown))
    assert "copies: not known yet: the manager" in data(node, tmp_path, "status").out


def test_chunks_are_listed_page_by_page(node: LyingNode, tmp_path: Path) -> None:
    holds(node, a="stored", b="replicated", c="verified")
    done = data(node, tmp_path, "ls", "--session", SESSION, "--status", "stored")
    assert done.status == 0
    assert [line.split()[0] for line in done.out.splitlines()] == [ONE, TWO, THREE]
    assert done.out.splitlines()[1] == f"{TWO}      1024  replicated  1 references"
    assert all(f"status=stored&session={SESSION}" in each for each in node.asked) and len(node.asked) == 2
    holds(node, a="stored", b="missing")
    assert data(node, tmp_path, "ls", "--json").status == LOST


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "ACTION"),
        (["ls", "--session", "mine"], "'mine' is not a session id"),
        (["ls", "--status", "fine"], "invalid choice: 'fine'"),
        (["verify", "ab"], "'ab' is not a chunk id: 64 hexadecimal digits"),
        (["verify", ONE, "--session", SESSION], "name chunks or a --session, not both"),
        (["repair", ONE, "--session", SESSION], "name chunks or a --session, not both"),
        (["scrub", "status", "--max-duration", "1m"], "--max-duration goes with start or pause"),
        (["scrub", "pause", "--max-age", "1d"], "--max-age goes with start"),
        (["scrub", "start", "--max-age", "7"], "'7' needs a unit"),
    ],
)
def test_wrong_input_is_one_sentence_and_nothing_is_asked(
    node: LyingNode, tmp_path: Path, words: list[str], says: str
) -> None:
    assert_refused(data(node, tmp_path, *words) if words else lucid("data"), says)
    assert not node.asked
