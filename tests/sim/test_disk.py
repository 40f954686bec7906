"""The disk against its promise: what was synced survives a crash, all else never happened; batches in their order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sim.disk import Disk

TABLES = ("one", "two")
KEYS = (b"", b"a", b"b", b"c")

writes = st.lists(
    st.tuples(st.sampled_from(TABLES), st.sampled_from(KEYS), st.one_of(st.none(), st.binary(max_size=2))), max_size=4
)

Rows = dict[tuple[str, bytes], bytes]


def applied(rows: Rows, batch: list[tuple[str, bytes, bytes | None]]) -> Rows:
    """The rows after a batch, by the plainest means."""
    after = dict(rows)
    for table, key, value in batch:
        after.pop((table, key), None)
        if value is not None:
            after[table, key] = value
    return after


class DiskMachine(RuleBasedStateMachine):
    """A disk beside a model: the rows that are safe, and what each batch after them leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = Disk()
        self.states: list[Rows] = [{}]

    @rule(batch=writes)
    def write(self, batch: list[tuple[str, bytes, bytes | None]]) -> None:
        self.disk.write(batch)
        self.states.append(applied(self.states[-1], batch))

    @precondition(lambda self: len(self.states) > 1)
    @rule()
    def sync(self) -> None:
        self.disk.sync()
        del self.states[0]

    @rule()
    def crash(self) -> None:
        self.disk.crash()
        del self.states[1:]

    @invariant()
    def holds_the_last_state(self) -> None:
        rows = self.states[-1]
        for table in TABLES:
            assert list(self.disk.scan(table)) == sorted((key, value) for (t, key), value in rows.items() if t == table)
            assert [self.disk.get(table, key) for key in KEYS] == [rows.get((table, key)) for key in KEYS]
        assert self.disk.tables() == sorted({table for table, _ in rows})


TestDisk = DiskMachine.TestCase
TestDisk.settings = settings(max_examples=40, stateful_step_count=30)


def test_a_crash_undoes_several_writes_to_one_key_newest_first() -> None:
    disk = Disk()
    disk.write([("t", b"k", b"safe")])
    disk.sync()
    disk.write([("t", b"k", b"x"), ("t", b"k", None), ("t", b"k", b"y")])
    disk.write([("t", b"k", b"z"), ("new", b"k", b"z")])
    assert disk.get("t", b"k") == b"z"
    disk.crash()
    assert disk.get("t", b"k") == b"safe"
    assert disk.tables() == ["t"]


def test_the_oldest_batch_is_safe_first() -> None:
    disk = Disk()
    disk.write([("t", b"1", b"first")])
    disk.write([("t", b"2", b"second")])
    disk.sync()
    disk.crash()
    assert list(disk.scan("t")) == [(b"1", b"first")]
