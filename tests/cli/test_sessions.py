"""`lucid sessions`: where each session of a node is, and how one is removed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from harness.notary import CRYPTO, OWNER, Notary
from lucid.chain.document import print_genesis
from lucid.chain.releases import MAX_AHEAD_MS, release_message
from tests.cli.command import Done, assert_refused, lucid
from tests.client.lying import Answer, LyingNode

SESSION = "713582cd-70cf-44d3-a17f-bbc50069b142"
OTHER = "00000000-0000-4000-8000-000000000001"
NET = Notary()
MINE = CRYPTO.public_key(OWNER)
ROW = {"session": SESSION, "owner": MINE.hex(), "chunks": 3, "total_bytes": 4_096, "since_ms": 1_800_000_000_000}
REMOVED = {"session": SESSION, "owner": MINE.hex(), "references": 3}


def answered(document: Any, status: int = 200) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(document).encode())


def refusal(status: int, code: str) -> Answer:
    """A refusal in the envelope of the services."""
    return answered({"error": {"code": f"LUCID_ERR_{code}", "message": "no"}}, status)


@pytest.fixture
def folder(node: LyingNode, tmp_path: Path) -> Path:
    """A folder of someone who asks the node."""
    (tmp_path / "genesis.toml").write_text(print_genesis(NET.genesis))
    urls = f'anchoring_url = "{node.url}"\ndata_url = "{node.url}"\n'
    (tmp_path / "node.toml").write_text(f'genesis = "genesis.toml"\n{urls}')
    (tmp_path / "owner.key").write_text(OWNER.hex())
    (tmp_path / "owner.key").chmod(0o600)
    return tmp_path


def sessions(folder: Path, *words: object) -> Done:
    """Run `lucid sessions` with these words there."""
    return lucid("sessions", *words, "--config", "node.toml", cwd=folder)


def listing(node: LyingNode, *rows: dict[str, Any], state: Answer | None = None) -> None:
    """Have the node hold these sessions, and say that of each."""
    node.answers["GET /sessions"] = answered({"sessions": rows, "after": None})
    if state is not None:
        node.answers[f"GET /sessions/{SESSION}"] = state


STATES = {
    "pending": answered({"session": SESSION, "status": "pending", "transaction": None}),
    "final": answered({"session": SESSION, "status": "final", "transaction": None, "copies": 2, "copies_wanted": 3}),
    "replicated": answered(
        {"session": SESSION, "status": "final", "transaction": None, "copies": 3, "copies_wanted": 3}
    ),
    "not anchored": refusal(404, "3002"),
    "several": refusal(409, "3001"),
    "unknown": refusal(500, "1101"),
}


@pytest.mark.parametrize("status", STATES)
def test_where_each_session_is_is_one_word(node: LyingNode, folder: Path, status: str) -> None:
    listing(node, ROW, state=STATES[status])
    done = sessions(folder, "list")
    assert (done.status, done.err) == (0, "")
    assert done.out.split("  ")[2].strip() == status
    assert done.out.startswith(f"{SESSION}  {MINE.hex()[:16]}") and "2027-01-15T08:00:00+00:00" in done.out
    [row] = json.loads(sessions(folder, "list", "--json").out)["sessions"]
    assert row == {"node": node.url, **ROW, "status": status}


def test_what_nobody_said_is_not_made_up(node: LyingNode, folder: Path) -> None:
    """A store of an older version knows neither owner nor time."""
    listing(node, ROW | {"owner": "", "since_ms": 0}, state=STATES["pending"])
    done = sessions(folder, "list")
    assert done.out.split("  ")[1].strip() == "-" and done.out.endswith("unknown\n") and "1970" not in done.out


def test_no_sessions_are_no_lines(node: LyingNode, folder: Path) -> None:
    listing(node)
    assert sessions(folder, "list") == (0, "", "")
    assert json.loads(sessions(folder, "list", "--json").out) == {"sessions": []}


def test_a_node_that_is_away_is_one_sentence(folder: Path) -> None:
    (folder / "node.toml").write_text('genesis = "genesis.toml"\ndata_url = "http://127.0.0.1:9"\n')
    for words in (("list",), ("remove", SESSION)):
        assert_refused(sessions(folder, *words), "127.0.0.1:9")


def test_a_session_is_removed_and_what_went_is_told(node: LyingNode, folder: Path) -> None:
    node.answers[f"DELETE /sessions/{SESSION}"] = answered(REMOVED)
    assert sessions(folder, "remove", SESSION) == (0, f"3 references of session {SESSION} to chunks are gone\n", "")
    found = json.loads(sessions(folder, "remove", SESSION, "--json").out)
    assert found == {"session": SESSION, "references": 3}
    assert node.asked == [f"DELETE /api/v1/sessions/{SESSION}"] * 2


def test_the_owners_key_signs_for_this_chain_and_for_a_while(node: LyingNode, folder: Path) -> None:
    node.answers[f"DELETE /sessions/{SESSION}"] = answered(REMOVED)
    assert sessions(folder, "remove", SESSION, "--owner", "owner.key").status == 0
    query = {name: each[0] for name, each in parse_qs(urlsplit(node.asked[-1]).query).items()}
    until_ms = int(query["until_ms"])
    assert query["owner"] == MINE.hex() and 0 < until_ms - time.time() * 1_000 <= MAX_AHEAD_MS
    message = release_message(NET.genesis.chain_id, UUID(SESSION).bytes, MINE, until_ms)
    assert CRYPTO.verify(MINE, message, bytes.fromhex(query["signature"]))
    assert sessions(folder, "remove", SESSION, "--owner-key", MINE.hex()).status == 0
    assert node.asked[-1].endswith(f"?owner={MINE.hex()}"), "who only names the owner signs nothing"


def test_of_several_nodes_one_has_to_have_it(node: LyingNode, folder: Path) -> None:
    node.answers[f"DELETE /sessions/{SESSION}"] = [refusal(404, "3002"), answered(REMOVED), refusal(404, "3002")]
    (folder / "other.toml").write_text((folder / "node.toml").read_text())
    done = sessions(folder, "remove", SESSION, "--config", "other.toml")
    assert done.status == 0 and done.out.startswith("3 references")
    assert_refused(sessions(folder, "remove", SESSION, "--config", "other.toml"), "LUCID_ERR_3002")


def test_another_refusal_ends_it(node: LyingNode, folder: Path) -> None:
    node.answers[f"DELETE /sessions/{SESSION}"] = refusal(403, "3012")
    assert_refused(sessions(folder, "remove", SESSION), "LUCID_ERR_3012")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["remove", "mine"], "'mine' is not a session id"),
        (["remove"], "SESSION"),
        (["remove", OTHER, "--owner-key", "ab"], "--owner-key: 'ab' must be 64 hexadecimal digits"),
        (["remove", OTHER, "--owner", "owner.key", "--owner-key", "ab"], "not allowed with"),
        (["remove", OTHER, "--owner", "none.key"], "none.key"),
        ([], "ACTION"),
    ],
)
def test_wrong_input_is_one_sentence_and_nothing_is_asked(
    node: LyingNode, folder: Path, words: list[str], says: str
) -> None:
    done = sessions(folder, *words) if words else lucid("sessions", cwd=folder)
    assert_refused(done, says)
    assert not node.asked
