"""Each invariant is seen to trip: something is broken on purpose, the run ends as diverged and says how to repeat it.

Most breaks are in the product, put there by a monkeypatch, and the run is otherwise an ordinary one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.invariants import ANCHOR_BLOCKS, RELAYS, WEIGHTS, Invariants
from harness.reference.chain import NaiveChain
from harness.reference.provenhistory import ProvenHistory
from harness.reference.rules import NaiveRules
from harness.reference.state import NaiveState
from harness.reference.weights import NaiveWeights
from harness.run import EXIT_STATUS
from harness.verdict import RunVerdict
from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.transactions import SessionAnchor
from lucid.chain.validators import ValidatorSet
from lucid.chain.versions import CAPACITY_RULES, RELAY_RULES
from lucid.chain.votes import PROPOSE
from lucid.cli.main import main
from lucid.ledger import weights
from lucid.ledger.execution import Execution, read
from lucid.ledger.rows import CapacityEntry, anchored_key
from lucid.ledger.rules import Rules
from lucid.ledger.state import Ledger
from lucid.machines.effects import BlockFinal, Effects, Fact, Observe, Signed
from lucid.machines.engine import Engine
from lucid.machines.engine.mempool import Mempool
from lucid.machines.manager.book import CertificateBook
from lucid.machines.manager.leading import Leading
from lucid.machines.votelog import LATEST_KEY, VOTES_TABLE, VoteLog, new_log
from sim.faults.fault import Fault
from sim.faults.withhold import PROPOSAL_KIND
from sim.node import Node
from sim.scenario import Scenario
from sim.scenariofile import dump
from sim.workload import Workload
from sim.world import World
from tests.runs import FAST, Run, passed, run, scenario

Patch = pytest.MonkeyPatch


def fast(duration: str = "40s", **values: Any) -> Scenario:
    """Four nodes, a block a second and several anchors in each."""
    return scenario(nodes=4, duration=duration, parameters=FAST, anchor_every_ms=200, **values)


def assert_diverged(done: Run, invariant: str, says: str = "") -> None:
    """The run ended early, for this reason only."""
    document = done.document
    assert document["verdict"] == RunVerdict.DIVERGED and EXIT_STATUS[RunVerdict(document["verdict"])] == 20
    assert document["reason"].startswith(f"{invariant}: ") and says in document["reason"], document["reason"]
    assert [each["name"] for each in document["invariants"] if each["broken"]] == [invariant]
    assert "\n" not in document["reason"]
    assert document["duration_ms"] <= done.world.scenario.duration_ms


def around(monkeypatch: Patch, owner: Any, name: str, other: Callable[..., Any]) -> None:
    """Put `other(original, self, *arguments)` in a method's place."""
    original = getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda self, *arguments: other(original, self, *arguments))


# -- nothing broken ----------------------------------------------------------------------------------------------


def test_an_ordinary_run_checks_every_invariant_and_breaks_none() -> None:
    done = passed(fast())
    assert len(done.document["invariants"]) == 10
    for each in done.document["invariants"]:
        blame = each["name"] == "only the guilty are blamed"
        assert (each["checks"] > 0) is not blame and each["broken"] == 0, each["name"]
        assert each["unbound"] == []
    checks = {each["name"]: each["checks"] for each in done.document["invariants"]}
    final = done.document["blocks"]["final"]
    assert checks["agreement"] == 4 * final
    assert checks["validity by a naive validator"] == final
    assert checks["no double vote"] == len(done.facts(Signed))


# -- agreement ---------------------------------------------------------------------------------------------------

SPLIT = [{"kind": "partition", "groups": [[0, 1], [2, 3]], "at": "10s"}]


def half_is_enough(monkeypatch: Patch) -> None:
    """Two of four are a quorum."""

    def weaken(original: Callable[..., None], self: ValidatorSet, keys: tuple[bytes, ...]) -> None:
        original(self, keys)
        self.quorum = len(keys) // 2

    around(monkeypatch, ValidatorSet, "__init__", weaken)


def test_a_quorum_of_half_forks_in_a_split(monkeypatch: Patch) -> None:
    half_is_enough(monkeypatch)
    assert_diverged(run(fast(fault=SPLIT)), "agreement", "others")


def test_a_block_made_final_before_its_parent(monkeypatch: Patch) -> None:
    def hide_the_third(original: Callable[..., Effects], self: CertificateBook, *arguments: Any) -> Effects:
        def third(effect: object) -> bool:
            return isinstance(effect, Observe) and isinstance(effect.fact, BlockFinal) and effect.fact.height == 3

        return [effect for effect in original(self, *arguments) if not third(effect)]

    around(monkeypatch, CertificateBook, "_make_final", hide_the_third)
    assert_diverged(run(fast()), "agreement", "finalized height 4 before anyone its parent")


def test_a_node_that_tells_another_hash(monkeypatch: Patch) -> None:
    told: list[BlockFinal] = []

    def lie(original: Callable[..., None], self: World, node: Node, fact: Fact) -> None:
        if isinstance(fact, BlockFinal) and fact.height == 5:
            told.append(fact)
            if len(told) == 2:
                fact = BlockFinal(fact.epoch, fact.view, fact.height, bytes(32))
        original(self, node, fact)

    around(monkeypatch, World, "observed", lie)
    assert_diverged(run(fast()), "agreement", "height 5")


# -- validity, anchors, tally, state ---------------------------------------------------------------------------------


def same_session_again(monkeypatch: Patch) -> None:
    """Clients come with a session that is anchored already, every now and then."""
    made: list[SessionAnchor] = []

    def repeat(original: Callable[..., SessionAnchor], self: Workload) -> SessionAnchor:
        made.append(original(self))
        return made[0] if len(made) % 40 == 39 else made[-1]

    around(monkeypatch, Workload, "_anchor", repeat)


def no_duplicate(original: Callable[..., None], self: Rules, block: Execution, anchor: SessionAnchor) -> None:
    """The ledger's rule for anchors without its last line of defense."""
    if read(block, anchored_key(anchor.session, anchor.owner)) is None:
        original(self, block, anchor)


def test_a_rule_that_every_machine_skips(monkeypatch: Patch) -> None:
    same_session_again(monkeypatch)
    around(monkeypatch, Rules, "_session_anchor", no_duplicate)
    assert_diverged(run(fast()), "validity by a naive validator", Code.SESSION_DUPLICATE.code)


def test_a_session_anchored_twice_though_both_validators_let_it_pass(monkeypatch: Patch) -> None:
    def naive_no_duplicate(original: Callable[..., None], self: NaiveRules, state: Any, anchor: SessionAnchor) -> None:
        if anchored_key(anchor.session, anchor.owner) not in state.forever:
            original(self, state, anchor)

    same_session_again(monkeypatch)
    around(monkeypatch, Rules, "_session_anchor", no_duplicate)
    around(monkeypatch, NaiveRules, "_session_anchor", naive_no_duplicate)
    assert_diverged(run(fast()), "one anchor per session")


def twice(original: Callable[..., None], *arguments: Any) -> None:
    """Do something twice."""
    original(*arguments)
    original(*arguments)


def test_credits_counted_twice_by_the_product(monkeypatch: Patch) -> None:
    around(monkeypatch, Execution, "_credit", twice)
    assert_diverged(run(fast()), "state root from scratch")


def test_credits_counted_twice_by_both_validators(monkeypatch: Patch) -> None:
    around(monkeypatch, Execution, "_credit", twice)
    around(monkeypatch, NaiveChain, "_credit", twice)
    assert_diverged(run(fast()), "tally equals its recount")


def test_relays_that_make_credits(monkeypatch: Patch) -> None:
    """Earned before the window begins, so that the tally does not show it."""

    def more(original: Callable[..., Any], self: ProvenHistory, relays: bool = True) -> Any:
        found = original(self, relays)
        found[-1, b"relay"] += relays
        return found

    around(monkeypatch, ProvenHistory, "earned", more)
    assert_diverged(run(fast(rules={"version": RELAY_RULES}, relays_every_ms=2_000)), RELAYS, "credits in place of")


def test_a_weight_that_no_proof_bears_out(monkeypatch: Patch) -> None:
    """All machines, and the second implementation, take a node at its word."""

    def taken(original: Callable[..., int], entry: CapacityEntry, *arguments: Any) -> int:
        return entry.declared

    def open_all(original: Callable[..., None], state: NaiveState, epoch: int) -> None:
        if b"o" in state.forever:
            found = NaiveWeights.entries(state, len(state.members))
            after = [[each[0], each[1], each[0], each[3] if each[0] == each[2] else epoch] for each in found]
            state.remember(b"o", encode((after,)))

    around(monkeypatch, weights, "_judged", taken)
    around(monkeypatch, NaiveWeights, "open", open_all)
    rules, short = {"version": CAPACITY_RULES}, FAST | {"epoch_slots": 2}
    taken_at_its_word = scenario(nodes=4, duration="60s", parameters=short, rules=rules, capacities=[4, 4, 4, 4])
    assert_diverged(run(taken_at_its_word), WEIGHTS, "by the blocks")


def test_a_state_root_that_all_machines_get_wrong_between_two_checkpoints(monkeypatch: Patch) -> None:
    def stray(original: Callable[..., None], self: Ledger, *arguments: Any) -> None:
        original(self, *arguments)
        if self.core.head.height >= 9:
            self.root = self.root[::-1]

    around(monkeypatch, Ledger, "__init__", stray)
    done = run(fast("9500ms"))
    assert done.document["blocks"]["height"] == 9, "the tenth block would be a checkpoint"
    assert_diverged(done, "state root from scratch", "height 9")
    assert_diverged(run(fast()), "state root from scratch", "height 10")


# -- votes -------------------------------------------------------------------------------------------------------


class Amnesia:
    """Crashes the first leader soon after it proposed, while nobody heard it, and takes its vote log from the disk."""

    def __init__(self, wipe: Callable[[Node], None]) -> None:
        self.wipe = wipe
        self.victim: Node | None = None

    def __call__(self, world: World) -> None:
        """Take a place in a world."""
        self.world = world
        world.network.on_send = (lambda _, sending: () if sending.data[1] == PROPOSAL_KIND else (sending,),)
        world.watchers.append(self)

    def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
        """See `Watcher`."""
        if self.victim is None and isinstance(fact, Signed) and fact.vote.kind == PROPOSE:
            self.victim = node
            self.world.clock.after(400_000, self._crash)

    def on_accepted(self, now_us: int, node: Node, transaction: bytes) -> None:
        """See `Watcher`."""

    def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
        """See `Watcher`."""

    def _crash(self, _: object) -> None:
        assert self.victim is not None
        self.victim.crash()
        self.wipe(self.victim)
        self.victim.start()


def fresh(node: Node) -> None:
    """The log of a key that never signed: what an operator does who restores a backup or copies a disk image."""
    node.engine_disk.write([new_log()])
    node.engine_disk.sync()


def lost(node: Node) -> None:
    """No log at all."""
    node.engine_disk.write([(VOTES_TABLE, LATEST_KEY, None)])
    node.engine_disk.sync()


def test_a_vote_log_that_was_rolled_back() -> None:
    assert_diverged(run(fast("9s"), Amnesia(fresh)), "no double vote", "signed both")


def test_a_lost_vote_log_without_the_bar(monkeypatch: Patch) -> None:
    def forgive(original: object, self: VoteLog, *_: object) -> bool:
        self.missing = False
        return False

    around(monkeypatch, VoteLog, "open_epoch", forgive)
    assert_diverged(run(fast("9s"), Amnesia(lost)), "no double vote", "signed both")


def test_a_lost_vote_log_with_the_bar_is_no_double_vote() -> None:
    done = run(fast("9s"), Amnesia(lost))
    assert done.document["verdict"] != RunVerdict.DIVERGED, done.document["reason"]


def test_a_vote_in_a_view_long_left(monkeypatch: Patch) -> None:
    def late(original: Callable[..., None], self: World, node: Node, fact: Fact) -> None:
        original(self, node, fact)
        if isinstance(fact, Signed) and fact.vote.view == 1:
            self.clock.after(75_000_000, lambda _: original(self, node, fact))

    around(monkeypatch, World, "observed", late)
    assert_diverged(run(fast("90s")), "no double vote", "long left")


# -- accepted anchors --------------------------------------------------------------------------------------------


def forget_anchors(monkeypatch: Patch) -> None:
    """Leaders never take an anchor into a block."""

    def without(original: Callable[..., tuple[Any, ...]], self: Mempool, *arguments: Any) -> tuple[Any, ...]:
        return tuple(each for each in original(self, *arguments) if not isinstance(each.payload, SessionAnchor))

    around(monkeypatch, Mempool, "candidates", without)


def test_an_accepted_anchor_that_never_becomes_final(monkeypatch: Patch) -> None:
    forget_anchors(monkeypatch)
    done = run(fast())
    assert_diverged(done, "accepted anchors final in time", "accepted by n0")
    assert done.document["blocks"]["height"] == ANCHOR_BLOCKS, "the next one was too late"


@pytest.mark.parametrize("node", range(4))  # the one that accepted the oldest anchor is among them
def test_the_anchors_of_the_others_are_watched_while_a_node_is_down_for_good(monkeypatch: Patch, node: int) -> None:
    forget_anchors(monkeypatch)
    fault = [{"kind": "crash", "node": node, "at": "2s"}]
    assert_diverged(run(fast("60s", fault=fault)), "accepted anchors final in time", "accepted by n0")


def behind(duration: str) -> Scenario:
    """A node whose core is done, after 150 s, with what it was given, and then a quarter of a minute behind."""
    fault = [{"kind": "slow_cpu", "node": 1, "times": 10_000, "at": "5s", "until": "8s"}]
    limits = {"page_blocks": 2, "snapshot_gap": 1_000}
    return fast(duration, seed=1, profile="constant", disk_us=100_000, limits=limits, fault=fault)


def test_a_node_that_catches_up_is_absent_until_it_is_level() -> None:
    # Hunt seed 9019 of `crash`: its core was 1,135 s behind, and what it had accepted before could not be final yet.
    done = run(behind("300s"))
    assert done.document["verdict"] == RunVerdict.PASS, done.document["reason"]


def test_the_anchors_of_a_node_that_has_caught_up_are_watched(monkeypatch: Patch) -> None:
    forget_anchors(monkeypatch)
    around(monkeypatch, Invariants, "_present", lambda original, self, *arguments: original(self, *arguments) & {1})
    assert_diverged(run(behind("400s")), "accepted anchors final in time", "accepted by n01")


@pytest.mark.parametrize(
    ("code", "says"), [(Code.SESSION_CONFLICT, "gave up"), (Code.SESSION_DUPLICATE, "not final at")]
)
def test_an_accepted_anchor_that_its_node_gives_up(monkeypatch: Patch, code: Code, says: str) -> None:
    """A duplicate may be its own, final already: one that is not is overdue in time."""

    def refuse(original: object, self: Rules, block: Execution, anchor: SessionAnchor) -> None:
        raise Refusal(code)

    around(monkeypatch, Rules, "_session_anchor", refuse)
    assert_diverged(run(fast()), "accepted anchors final in time", says)


# -- progress, and machines that fail ----------------------------------------------------------------------------


def test_a_chain_that_stands_still_though_a_quorum_is_up(monkeypatch: Patch) -> None:
    around(monkeypatch, Engine, "_votes_here", lambda original, self, kind: self.genesis is None)
    document = run(fast("5m")).document
    assert (document["verdict"], EXIT_STATUS[RunVerdict(document["verdict"])]) == (RunVerdict.NO_PROGRESS, 10)
    assert document["reason"].startswith("no new final block for ")
    assert document["duration_ms"] < 60_000, "it does not wait for the end"
    assert [each["name"] for each in document["invariants"] if each["broken"]] == ["progress"]


def test_a_split_that_never_heals_is_no_progress_in_the_end() -> None:
    document = run(fast("60s", fault=SPLIT)).document
    assert document["verdict"] == RunVerdict.NO_PROGRESS
    assert document["duration_ms"] == 60_000, "no quorum was connected, so it might have healed"
    [progress] = [each for each in document["invariants"] if each["name"] == "progress"]
    why = "at most 2 of 4 honest validators can talk, quorum is 3"
    assert progress["unbound"] == [{"why": why, "ms": 50_000}] and document["reason"].endswith(why)


@pytest.mark.parametrize("percent", [0.00001, 0.0001, 1.0])
def test_a_little_loss_lets_no_standstill_pass(percent: float) -> None:
    mute = [{"kind": "withhold", "node": node, "at": "20s", "until": "9m"} for node in range(4)]
    document = run(fast("10m", fault=[*mute, {"kind": "loss", "percent": percent}])).document
    assert document["verdict"] == RunVerdict.NO_PROGRESS and document["duration_ms"] < 500_000


def test_all_loss_has_no_bound_and_says_so() -> None:
    document = run(
        fast("60s", transport="datagram", fault=[{"kind": "loss", "percent": 100.0, "at": "10s", "until": "40s"}])
    ).document
    assert document["verdict"] == "pass"
    unbound = {each["name"]: each["unbound"] for each in document["invariants"] if each["unbound"]}
    assert unbound["progress"] == [{"why": "loss: 100 % of messages", "ms": 30_000}]
    assert set(unbound) == {"progress", "accepted anchors final in time"}


@pytest.mark.parametrize("percent", [99.0, 100.0])
def test_a_chain_that_stood_still_to_the_end_made_no_progress_whatever_its_faults_allow(percent: float) -> None:
    document = run(fast("3m", transport="datagram", fault=[{"kind": "loss", "percent": percent, "at": "10s"}])).document
    assert document["verdict"] == RunVerdict.NO_PROGRESS and document["duration_ms"] == 180_000
    assert document["reason"].endswith(f" s: loss: {percent:g} % of messages") or percent < 100
    assert "loss" in document["reason"]


def test_a_halt_whose_cause_is_over_when_the_run_ends_says_what_it_was() -> None:
    down = [{"kind": "crash", "node": node, "at": "20s", "until": "89900ms"} for node in (1, 2)]
    document = run(fast("90s", fault=down)).document
    assert document["verdict"] == RunVerdict.NO_PROGRESS
    assert document["reason"].endswith("for 69.9 s of them 2 of 4 honest validators down, quorum is 3")


def test_a_standstill_within_bounds_names_the_faults_that_are_on() -> None:
    mute = [{"kind": "withhold", "node": node, "at": "20s"} for node in range(4)]
    document = run(fast("10m", fault=mute)).document
    assert document["verdict"] == RunVerdict.NO_PROGRESS
    assert document["reason"].endswith(", with withhold n00, withhold n01, withhold n02, withhold n03")


def test_a_fault_that_is_there_from_the_beginning_finds_nobody_down() -> None:
    document = run(fast("20s", fault=[{"kind": "loss", "percent": 0.001}])).document
    assert document["verdict"] == RunVerdict.PASS
    assert [each["unbound"] for each in document["invariants"] if each["unbound"]] == []


@pytest.mark.parametrize(
    ("keys", "at", "says"),
    [
        ({}, "61s", "would begin at 61 s, after the end: it never happened"),
        ({}, "60s", "begins at 60 s, where the run ends: it changed nothing"),
        ({"calm": "30s"}, "45500ms", "would begin at 45.5 s, in the calm: it never happened"),
    ],
)
def test_a_fault_that_never_happens_is_said(keys: dict[str, Any], at: str, says: str) -> None:
    document = run(fast("60s", fault=[{"kind": "crash", "node": 1, "at": at}], **keys)).document
    assert document["notes"] == [f"crash n01 {says}"]


def test_a_machine_that_fails_ends_the_run_as_diverged_and_says_where(monkeypatch: Patch) -> None:
    def fail(original: object, self: Leading, *_: object) -> Effects:
        raise AssertionError("planted")

    around(monkeypatch, Leading, "on_build", fail)
    document = run(fast()).document
    assert document["verdict"] == RunVerdict.DIVERGED
    assert "test_invariants.py, line " in document["reason"] and "planted" in document["reason"]


# -- as a user sees it -------------------------------------------------------------------------------------------


def test_a_diverged_run_exits_with_20_and_names_the_seed_and_the_command(
    monkeypatch: Patch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    half_is_enough(monkeypatch)
    file = tmp_path / "split.toml"
    file.write_text(dump(fast(fault=SPLIT)), "utf-8")
    folder = tmp_path / "run"
    assert main(["sim", "run", str(file), "--seed", "7", "--out", str(folder)]) == 20
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("lucid: agreement: height ")
    assert said[1] == f"lucid: seed 7; repeat with: lucid sim run {folder}"
    document = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert document["verdict"] == RunVerdict.DIVERGED and (folder / "report.html").exists()
    again = ["sim", "run", *said[1].split("lucid sim run ")[1].split(), "--out", str(tmp_path / "again"), "--json"]
    assert main(again) == 20, "the command repeats it"
    assert json.loads(capsys.readouterr().out)["trace_hash"] == document["trace_hash"]
