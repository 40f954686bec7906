"""The anchoring machine: accepted is durable, repeated is harmless, and every session is settled once."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from lucid.chain.errors import Code
from lucid.chain.transactions import SessionAnchor, Transaction
from lucid.ledger.memory import MemoryStore
from lucid.machines import anchoring
from lucid.machines.anchoring import MAX_HANDED, PENDING_TABLE, RETRY_MS, Anchoring, Status
from lucid.machines.effects import (
    SUBMIT_TIMER,
    AnchorAnswered,
    AnchorAsked,
    AnchoringEvent,
    BlockSettled,
    Effects,
    ManifestCame,
    Respond,
    SessionSettled,
    Started,
    Store,
    Submit,
    TimerFired,
)


def anchor(number: int, content: int = 0) -> SessionAnchor:
    """An anchor of a session; nobody here looks at its signature."""
    session = number.to_bytes(16, "big")
    return SessionAnchor(session, bytes(32), 1, 2, bytes([content]) * 32, bytes(32), 1, 1024, b"", bytes(64))


def identity(of: SessionAnchor) -> bytes:
    """The id of an anchor's transaction."""
    return Transaction(of, b"", 0, b"").id


class Bench:
    """A machine on a store, as a driver runs it."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        self.machine = Anchoring(self.store)
        self.now = 0

    def tell(self, event: AnchoringEvent) -> Effects:
        """Handle an event; its writes are seen at once."""
        effects = self.machine.handle(self.now, event)
        for effect in effects:
            if isinstance(effect, Store):
                self.store.write(effect.writes)
        return effects

    def submitted(self, event: AnchoringEvent) -> list[Submit]:
        """What is handed to the engine after an event."""
        return [effect for effect in self.tell(event) if isinstance(effect, Submit)]

    def status(self, number: int) -> Status | None:
        """Where a session is."""
        row = self.machine.row(anchor(number).identity)
        return None if row is None else row.status


def test_it_is_durable_before_it_is_answered_and_handed_in() -> None:
    kinds = [type(effect) for effect in Bench().tell(AnchorAsked(7, b"{}", anchor(1)))]
    assert kinds == [Store, Respond, Submit]


def test_the_same_again_is_answered_the_same_and_other_content_is_refused() -> None:
    bench = Bench()
    bench.tell(AnchorAsked(1, b"{}", anchor(1)))
    assert bench.tell(AnchorAsked(2, b"{}", anchor(1))) == [Respond(2, identity(anchor(1)), None)]
    other = bench.tell(AnchorAsked(3, b"{}", anchor(1, 9)))
    assert other == [Respond(3, identity(anchor(1)), Code.SESSION_CONFLICT)]


def test_the_same_id_of_another_owner_is_another_session() -> None:
    bench = Bench()
    stranger = replace(anchor(1, 9), owner=bytes([1]) * 32)
    bench.tell(AnchorAsked(1, b"{1}", stranger))
    assert bench.tell(AnchorAsked(2, b"{2}", anchor(1)))[1] == Respond(2, identity(anchor(1)), None)
    bench.tell(BlockSettled(1, (identity(stranger),)))
    assert bench.status(1) is Status.PENDING, "the stranger's is final, the owner's is not"
    assert bench.machine.manifest(anchor(1).identity) == b"{2}"
    bench.tell(BlockSettled(2, (identity(anchor(1)),)))
    assert bench.status(1) is Status.FINAL


def test_what_is_not_final_is_handed_in_again_after_a_while_and_after_a_crash() -> None:
    bench = Bench()
    bench.tell(AnchorAsked(1, b"{}", anchor(1)))
    bench.tell(AnchorAnswered(anchor(1).identity, None))
    bench.now = RETRY_MS - 1
    assert not bench.submitted(TimerFired(SUBMIT_TIMER))
    bench.now = RETRY_MS
    assert bench.submitted(TimerFired(SUBMIT_TIMER)) == [Submit(anchor(1), True)]
    assert not bench.submitted(TimerFired(SUBMIT_TIMER))
    bench.tell(AnchorAnswered(anchor(1).identity, Code.MEMPOOL_KNOWN))
    again = Bench(bench.store)
    assert again.submitted(Started()) == [Submit(anchor(1), True)]
    bench.now = 5
    assert bench.submitted(TimerFired(SUBMIT_TIMER)), "a clock that was put back holds nothing up"


def ask_many(bench: Bench, count: int) -> list[Submit]:
    """Accept sessions 0, 1, ...; returns what was handed in."""
    return [each for number in range(count) for each in bench.submitted(AnchorAsked(number, b"{}", anchor(number)))]


def test_only_so_many_are_handed_in_at_once_and_each_answer_makes_room_for_the_next() -> None:
    bench = Bench()
    handed = ask_many(bench, MAX_HANDED + 2)
    assert handed == [Submit(anchor(number), False) for number in range(MAX_HANDED)]
    assert not bench.submitted(TimerFired(SUBMIT_TIMER)), "the engine has not answered yet"
    [third] = bench.submitted(AnchorAnswered(anchor(5).identity, None))
    assert third == Submit(anchor(MAX_HANDED), False)
    [fourth] = bench.submitted(SessionSettled(anchor(0).identity, identity(anchor(0)), 1))
    assert fourth == Submit(anchor(MAX_HANDED + 1), False)


def test_a_final_block_makes_no_room_before_the_answer_is_there() -> None:
    bench = Bench()
    ask_many(bench, MAX_HANDED + 1)
    assert not bench.submitted(BlockSettled(1, (identity(anchor(3)),)))
    assert len(bench.submitted(AnchorAnswered(anchor(3).identity, None))) == 1
    assert bench.status(3) is Status.FINAL


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.MEMPOOL_FULL, Code.MEMPOOL_CLOSED, Code.RULES_UNKNOWN])
def test_an_engine_that_takes_nothing_is_asked_once_a_tick_until_it_does(code: Code) -> None:
    bench = Bench()
    ask_many(bench, MAX_HANDED + 2)
    for number in range(MAX_HANDED):
        assert not bench.submitted(AnchorAnswered(anchor(number).identity, code))
    for number in (MAX_HANDED, MAX_HANDED + 1, 0):
        [probe] = bench.submitted(TimerFired(SUBMIT_TIMER))
        assert probe == Submit(anchor(number), number == 0), "each in its turn; the first was handed in before"
        assert not bench.submitted(TimerFired(SUBMIT_TIMER)), "it has not been answered yet"
        assert not bench.submitted(AnchorAnswered(anchor(number).identity, code))
    [probe] = bench.submitted(TimerFired(SUBMIT_TIMER))
    opened = bench.submitted(AnchorAnswered(probe.anchor.identity, None))
    assert len(opened) == MAX_HANDED and len(bench.machine.pending) == MAX_HANDED + 2
    assert all(bench.status(number) is Status.PENDING for number in range(MAX_HANDED + 2)), "none was lost"


def test_a_session_too_many_is_refused_by_code_and_the_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchoring, "MAX_PENDING", 3)
    bench = Bench()
    ask_many(bench, 3)
    assert bench.tell(AnchorAsked(9, b"{}", anchor(3))) == [Respond(9, identity(anchor(3)), Code.TOO_MANY)]
    assert bench.status(3) is None and len(bench.machine.pending) == 3
    bench.tell(BlockSettled(1, (identity(anchor(1)),)))
    bench.tell(AnchorAsked(10, b"{}", anchor(3)))
    assert bench.status(3) is Status.PENDING


def test_a_final_block_settles_its_sessions_and_is_remembered() -> None:
    bench = Bench()
    for number in (1, 2):
        bench.tell(AnchorAsked(number, b"{}", anchor(number)))
    bench.tell(BlockSettled(5, (identity(anchor(1)), bytes(32))))
    assert (bench.status(1), bench.status(2)) == (Status.FINAL, Status.PENDING)
    assert Bench(bench.store).machine.followed == 5 and set(Bench(bench.store).machine.pending) == {anchor(2).identity}


def test_a_session_that_the_chain_holds_with_other_content_fails() -> None:
    bench = Bench()
    bench.tell(AnchorAsked(1, b"{}", anchor(1)))
    bench.tell(SessionSettled(anchor(1).identity, identity(anchor(1, 9)), 3))
    row = bench.machine.row(anchor(1).identity)
    assert row is not None and (row.status, row.failure) == (Status.FAILED, Code.SESSION_DUPLICATE)


def test_passing_refusals_of_the_engine_leave_it_waiting_and_others_fail_it() -> None:
    bench = Bench()
    bench.tell(AnchorAsked(1, b"{}", anchor(1)))
    for code in (None, Code.MEMPOOL_FULL, Code.MEMPOOL_KNOWN, Code.MEMPOOL_CLOSED):
        bench.tell(AnchorAnswered(anchor(1).identity, code))
        assert bench.status(1) is Status.PENDING
    bench.tell(AnchorAnswered(anchor(1).identity, Code.TX_FIELD))
    assert bench.status(1) is Status.FAILED
    assert not bench.tell(AnchorAnswered(anchor(1).identity, Code.TX_FIELD)), "it is settled once"


class Life(RuleBasedStateMachine):
    """Anything may come in any order, crashes included: what was accepted stays, and what is settled stays settled."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.accepted: dict[int, Status] = {}
        self.height = 0

    @rule(number=st.integers(0, 5), content=st.integers(0, 1))
    def ask(self, number: int, content: int) -> None:
        """A client asks."""
        effects = self.bench.tell(AnchorAsked(1, b"{}", anchor(number, content)))
        if any(isinstance(effect, Respond) and effect.refusal is None for effect in effects):
            self.accepted.setdefault(number, Status.PENDING)

    @rule(numbers=st.lists(st.integers(0, 5), max_size=3), content=st.integers(0, 1))
    def block(self, numbers: list[int], content: int) -> None:
        """A block becomes final."""
        self.height += 1
        self.bench.tell(BlockSettled(self.height, tuple(identity(anchor(each, content)) for each in numbers)))

    @rule(number=st.integers(0, 5), code=st.sampled_from([None, *Code]))
    def answer(self, number: int, code: Code | None) -> None:
        """The engine answers, to something or nothing."""
        self.bench.tell(AnchorAnswered(anchor(number).identity, code))

    @rule(number=st.integers(0, 5), content=st.integers(0, 1))
    def settle(self, number: int, content: int) -> None:
        """The chain is said to hold a session."""
        self.bench.tell(SessionSettled(anchor(number).identity, identity(anchor(number, content)), 1))

    @rule(pause=st.integers(-RETRY_MS, 2 * RETRY_MS))
    def tick(self, pause: int) -> None:
        """Time goes by, or back."""
        self.bench.now += pause
        self.bench.tell(TimerFired(SUBMIT_TIMER))

    @rule()
    def crash(self) -> None:
        """The process begins again from its store."""
        self.bench = Bench(self.bench.store)
        assert len(self.bench.submitted(Started())) == len(self.bench.machine.pending)

    @invariant()
    def nothing_is_lost(self) -> None:
        """Every accepted session is known, and settled at most once."""
        for number, before in self.accepted.items():
            status = self.bench.status(number)
            assert status is not None and before in (Status.PENDING, status)
            self.accepted[number] = status
        waiting = {session for session, _ in self.bench.store.scan(PENDING_TABLE)}
        assert waiting == set(self.bench.machine.pending)

    def teardown(self) -> None:
        """An engine that takes everything is handed all that waits, within a retry."""
        handed: set[bytes] = set()
        for number in range(6):
            self.bench.tell(AnchorAnswered(anchor(number).identity, None))
        for _ in range(2):
            self.bench.now += RETRY_MS
            new = self.bench.submitted(TimerFired(SUBMIT_TIMER))
            while new:
                handed |= {each.anchor.identity for each in new}
                new = [
                    follows
                    for each in new
                    for follows in self.bench.submitted(AnchorAnswered(each.anchor.identity, None))
                ]
        assert handed == set(self.bench.machine.pending)


TestLife = Life.TestCase
pytest.mark.slow(TestLife)
TestLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_a_manifest_that_another_node_gave_is_kept_and_nothing_is_handed_in() -> None:
    bench = Bench()
    effects = bench.tell(ManifestCame(b"{}", anchor(1), 7))
    assert [type(effect) for effect in effects] == [Store]
    row = bench.machine.row(anchor(1).identity)
    assert row is not None and (row.status, row.height, row.transaction) == (Status.FINAL, 7, identity(anchor(1)))
    assert bench.machine.manifest(anchor(1).identity) == b"{}" and not bench.machine.pending
    assert not Anchoring(bench.store).pending, "nor after a restart"
    assert not bench.submitted(TimerFired(SUBMIT_TIMER))


def test_what_was_taken_here_is_not_changed_by_what_another_node_gives() -> None:
    bench = Bench()
    bench.tell(AnchorAsked(1, b"{}", anchor(1)))
    assert not bench.tell(ManifestCame(b"other", anchor(1, 9), 7))
    assert bench.status(1) is Status.PENDING and bench.machine.manifest(anchor(1).identity) == b"{}"
