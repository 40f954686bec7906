"""Exploration: small scopes are closed, known defects are found unaided, and what was seen is kept."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from harness.explore.brokenrule import BrokenRule
from harness.explore.fingerprint import fingerprint
from harness.explore.freezer import Freezer
from harness.explore.moves import IN_TIME
from harness.explore.post import Post
from harness.explore.replica import Replica, SentMessage
from harness.explore.scope import SILENT, ExploreScope
from harness.explore.search import Result, Search
from harness.explore.setting import Setting
from harness.hunt.ablation import without
from lucid.chain.transactions import Equivocation, Transaction
from lucid.chain.votes import FINALIZE, NOTARIZE, Vote, vote_message
from lucid.cli.main import main
from lucid.machines.messages import Transactions, VoteMessage, encode_message
from tests.interrupting import interrupt

THREE = ExploreScope(nodes=3, views=1, byzantine=SILENT)
TWO = ExploreScope(nodes=2, views=1, byzantine=SILENT)


def explored(scope: ExploreScope, ablation: str = "") -> Result:
    if not ablation:
        return Search(scope).go_on()
    with without(ablation):
        return Search(scope).go_on()


def test_four_with_one_traitor_are_closed_for_a_view() -> None:
    found = explored(ExploreScope(views=1, crashes=0))
    assert found.closed and found.broken is None and found.states > 10_000, found
    assert found.stands < found.states / 10, "a state is looked up, not run"


def test_three_that_crash_once_each_are_closed_and_come_back() -> None:
    found = explored(THREE)
    assert found.closed and found.broken is None and found.quiet > 10, found


def test_own_votes_that_are_not_counted_after_a_restart_are_found() -> None:
    """Defect 1: all of a bare quorum sign skip, crash before any certificate, and never reach one."""
    found = explored(TWO, "own-votes")
    assert found.broken is not None and found.broken.rule == "the chain comes back"
    assert sum(step.outcome.cut is not None for step in found.trail) == 2, "both crash"


def test_a_refused_proposal_whose_skips_are_held_is_found() -> None:
    """Defect 12: some left the view before by a notarization, and refuse a leader that left it by a skip."""
    found = explored(ExploreScope(nodes=3, views=2, crashes=0, byzantine=SILENT), "older-parent")
    assert found.broken is not None and found.broken.rule == IN_TIME
    assert found.trail[-1].outcome.happening.timer == "view"


@pytest.mark.parametrize("ablation", ["vote-durable", "one-vote-a-kind"])
def test_promises_that_are_not_kept_over_a_crash_are_found(ablation: str) -> None:
    found = explored(ExploreScope(nodes=4, views=1), ablation)
    assert found.broken is not None and found.broken.rule in ("no double vote", "only the guilty are blamed")


def test_a_search_that_was_kept_goes_on_to_the_same_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "kept"
    command = ["sim", "explore", "--nodes", "3", "--views", "1", "--byzantine", "none", "--json"]
    assert main([*command, "--states", "2000", "--out", str(path)]) == 10
    first = json.loads(capsys.readouterr().out)
    assert not first["closed"] and 2_000 <= first["states"] < 3_000 and first["waiting"]
    assert main([*command, "--out", str(path)]) == 0
    second = json.loads(capsys.readouterr().out)
    assert main(command) == 0
    whole = json.loads(capsys.readouterr().out)
    for key in ("states", "depth", "steps", "stands", "letters", "quiet", "closed"):
        assert second[key] == whole[key]
    assert second["states_now"] == second["states"] - first["states"]
    assert main([*command, "--crashes", "0", "--out", str(path)]) == 2
    assert "is of another scope" in capsys.readouterr().err


def test_sigterm_keeps_what_was_seen(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    # Before the command listens a signal would end it unheard; the search itself is not over for hours.
    status, printed, said = interrupt(["sim", "explore", "--out", str(path)], signal.SIGTERM, _listens)
    assert status == 130, said
    assert "keeps what was seen, run again to go on" in said and "not closed: " in printed and path.stat().st_size


def _listens(pid: int) -> bool:
    """Whether a process has a handler for SIGTERM."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


# -- what states are told apart by -----------------------------------------------------------------------------------


def test_a_node_that_is_thawed_is_the_same_and_does_the_same() -> None:
    setting = Setting(THREE)
    freezer = Freezer(setting)
    one = Replica(setting, 0)
    other = freezer.thaw(freezer.freeze(one))
    assert other.setting is setting and fingerprint(other) == fingerprint(one)
    for replica in (one, other):
        replica.fire("view")
    assert one.sent and one.sent == other.sent and fingerprint(other) == fingerprint(one)


def test_nodes_that_stand_otherwise_have_other_fingerprints() -> None:
    setting = Setting(THREE)
    replicas = [Replica(setting, place) for place in setting.honest]
    marks = {fingerprint(replica) for replica in replicas}
    for replica in replicas:
        replica.fire("view")
        marks.add(fingerprint(replica))
        replica.crash()
        marks.add(fingerprint(replica))
    assert len(marks) == 9


def test_votes_of_a_quorum_come_to_the_same_in_any_order() -> None:
    """What lets them be heard as one."""
    setting = Setting(ExploreScope(nodes=4, views=1, byzantine=SILENT))
    voters = [Replica(setting, place) for place in (1, 2)]
    votes: list[tuple[bytes, bytes]] = []
    for voter in voters:
        voter.fire("view")
        votes += [(setting.keys[voter.place], sent.data) for sent in voter.sent]
    marks = set()
    for order in (votes, votes[::-1]):
        replica = Replica(setting, 3)
        replica.fire("view")
        replica.hear(order)
        assert replica.engine.view == (0, 2)
        marks.add(fingerprint(replica))
    assert len(marks) == 1


# -- what must hold --------------------------------------------------------------------------------------------------


def signed(setting: Setting, place: int, view: int, kind: int, block: bytes) -> Vote:
    message = vote_message(setting.genesis.chain_id, 0, view, kind, block)
    signature = setting.crypto.sign(setting.secrets[place], message)
    return Vote(0, view, kind, block, setting.keys[place], signature)


def test_a_double_vote_is_seen_and_a_traitors_is_not() -> None:
    setting = Setting(ExploreScope())
    post = Post(setting)
    for place in (0, 1):
        sent = 0
        for block in (b"a" * 32, b"b" * 32):
            vote = signed(setting, place, 1, NOTARIZE, block)
            sent |= post.put(place, SentMessage(None, encode_message(VoteMessage(vote))))
        if place == setting.scope.byzantine:
            post.check(sent)
        else:
            with pytest.raises(BrokenRule, match="no double vote: n1 signed both"):
                post.check(sent)


def test_evidence_against_an_honest_node_is_seen() -> None:
    setting = Setting(ExploreScope())
    votes = [signed(setting, 1, 1, FINALIZE, each * 32) for each in (b"a", b"b")]
    transaction = Transaction(Equivocation(*votes), setting.keys[2], 9, bytes(64))
    with pytest.raises(BrokenRule, match="n1 is honest, and accused"):
        Post(setting).put(2, SentMessage(None, encode_message(Transactions((transaction,)))))
