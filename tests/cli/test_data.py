"""`lucid data` on whatever a node answers: what is held and lost, what is asked for, and who may not ask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lucid.api.answers import DataStatus, Pruned, ReplicationStatus, ScrubStatus
from lucid.cli.data import LOST
from tests.cli.command import Done, assert_refused, lucid
from tests.client.lying import Answer, LyingNode

SESSION = "713582cd-70cf-44d3-a17f-bbc50069b142"
ONE, TWO, THREE = ("a" * 64, "b" * 64, "c" * 64)
DAY_MS = 86_400_000
BEGAN_MS = 1_800_000_000_000
SCRUB = ScrubStatus("reading", 30 * DAY_MS, BEGAN_MS, False, 0, 0, 12, 34_000, 1, 2)
COPIES = ReplicationStatus(3, 4, 2, 5, 0, 0, 6, 7)
STATUS = DataStatus(9, 90_000, 0, 0, 0, SCRUB, COPIES, 1_000_000)


def answer(document: Any) -> Answer:
    """An answer in JSON."""
    return Answer(body=msgspec.json.encode(document))


def data(node: LyingNode, folder: Path, *words: object, **settings: str) -> Done:
    """Run `lucid data` with a token of the node."""
    given = {"data_url": node.url, "token": "of the node", **settings}
    (folder / "node.toml").write_text("".join(f'{key} = "{value}"\n' for key, value in given.items()))
    return lucid("data", *words, "--config", "node.toml", cwd=folder)


def holds(node: LyingNode, **statuses: str) -> None:
    """Have the node hold chunks of these states, two a page."""
    rows = [{"id": each * 64, "size": 1_024, "status": status, "references": 1} for each, status in statuses.items()]
    pages = [rows[at : at + 2] for at in range(0, max(len(rows), 1), 2)]
    node.answers["GET /chunks"] = [
        answer({"chunks": page, "after": f"{number + 1:064x}" if number + 1 < len(pages) else None})
        for number, page in enumerate(pages)
    ]


# -- what is held ------------------------------------------------------------------------------------------------------


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


def test_a_scrubber_says_what_it_waits_for_and_whether_it_is_late(node: LyingNode, tmp_path: Path) -> None:
    changed = msgspec.structs.replace(
        SCRUB, state="paused", paused_until_ms=BEGAN_MS, run_left_percent=40, late=True, all_read_since_ms=0
    )
    node.answers["GET /status"] = answer(msgspec.structs.replace(STATUS, scrub=changed))
    said = data(node, tmp_path, "status").out
    assert "scrub: paused until 2027-01-15T08:00:00+00:00, 40 % of the run are left; a period" in said
    assert "after it began (no round is over) (late)\n" in said and "1970" not in said


def test_chunks_are_listed_page_by_page(node: LyingNode, tmp_path: Path) -> None:
    holds(node, a="stored", b="replicated", c="verified")
    done = data(node, tmp_path, "ls", "--session", SESSION, "--status", "stored")
    assert done.status == 0
    assert [line.split()[0] for line in done.out.splitlines()] == [ONE, TWO, THREE]
    assert done.out.splitlines()[1] == f"{TWO}      1024  replicated  1 references"
    assert all(f"status=stored&session={SESSION}" in each for each in node.asked) and len(node.asked) == 2
    holds(node, a="stored", b="missing")
    assert data(node, tmp_path, "ls", "--json").status == LOST


# -- what is done ------------------------------------------------------------------------------------------------------


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


def test_the_scrubber_is_told_for_how_long_and_of_what_age(node: LyingNode, tmp_path: Path) -> None:
    ordered: list[Any] = []
    answered = node.answer

    def noted(method: str, path: str, body: bytes) -> Answer:
        if method == "POST":
            ordered.append(json.loads(body))
        return answered(method, path, body)

    node.answer = noted  # type: ignore[method-assign]
    try:
        node.answers["GET /status"], node.answers["POST /scrub"] = answer(STATUS), answer(SCRUB)
        assert data(node, tmp_path, "scrub", "start", "--max-duration", "2m", "--max-age", "1d").status == 0
        assert data(node, tmp_path, "scrub", "pause", "--json").status == 0
        assert data(node, tmp_path, "scrub", "status").out.startswith("scrub: reading")
    finally:
        del node.answer
    assert ordered == [
        {"action": "start", "max_duration_ms": 120_000, "max_age_ms": DAY_MS},
        {"action": "pause", "max_duration_ms": 0, "max_age_ms": 0},
    ]


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


# -- who asks, and wrong input -----------------------------------------------------------------------------------------


def test_the_operators_token_goes_before_the_nodes(node: LyingNode, tmp_path: Path) -> None:
    node.answers["GET /status"] = answer(STATUS)
    for settings, token in (({}, "of the node"), ({"operator_token": "mine"}, "mine")):
        node.headers.clear()
        assert data(node, tmp_path, "status", **settings).status == 0
        assert {each["Authorization"] for each in node.headers} == {f"Bearer {token}"}


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


def test_a_node_that_is_away_is_one_sentence(node: LyingNode, tmp_path: Path) -> None:
    for words in (("status",), ("ls",), ("verify", ONE), ("prune",), ("scrub", "start")):
        assert_refused(data(node, tmp_path, *words, data_url="http://127.0.0.1:9"), "127.0.0.1:9")
