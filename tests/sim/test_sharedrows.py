"""Disks that share rows behave as if each had its own, and hold once what they all hold."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sim.disk import Damaged, Disk
from sim.sharedrows import KEPT_ROWS, SharedRows

DISKS = 3
TABLES = ("one", "spooled")
KEYS = (b"", b"a", b"b")

which = st.integers(0, DISKS - 1)
writes = st.lists(
    st.tuples(st.sampled_from(TABLES), st.sampled_from(KEYS), st.one_of(st.none(), st.sampled_from((b"", b"x", b"y")))),
    max_size=4,
)


class SharedDisks(RuleBasedStateMachine):
    """Each disk beside one that shares nothing, and is told the same."""

    def __init__(self) -> None:
        super().__init__()
        rows = SharedRows(frozenset(("spooled",)))
        self.pairs = [(Disk(rows), Disk()) for _ in range(DISKS)]

    @rule(index=which, batch=writes)
    def write(self, index: int, batch: list[tuple[str, bytes, bytes | None]]) -> None:
        for disk in self.pairs[index]:
            disk.write(batch)

    @rule(batch=writes)
    def write_all(self, batch: list[tuple[str, bytes, bytes | None]]) -> None:
        for index in range(DISKS):
            self.write(index, batch)

    @rule(index=which)
    def crash(self, index: int) -> None:
        for disk in self.pairs[index]:
            disk.crash()

    @rule(index=which)
    def sync(self, index: int) -> None:
        for disk in self.pairs[index]:
            disk.sync_all()

    @invariant()
    def agree(self) -> None:
        for shared, alone in self.pairs:
            assert shared.tables() == alone.tables()
            for table in TABLES:
                assert list(shared.scan(table)) == list(alone.scan(table))
                assert shared.keys(table) == alone.keys(table)
                assert [shared.get(table, key) for key in KEYS] == [alone.get(table, key) for key in KEYS]


TestSharedDisks = SharedDisks.TestCase
TestSharedDisks.settings = settings(max_examples=60, stateful_step_count=30)


def test_disks_hold_once_what_they_all_hold() -> None:
    rows = SharedRows()
    disks = [Disk(rows), Disk(rows)]
    for disk in disks:
        disk.write([("one", bytes([1]) * 40, bytes([2]) * 4_000)])
    [(key, value)], [(again, other)] = [list(disk.scan("one")) for disk in disks]
    assert key is again and value is other
    assert not rows.tables["one"].holders


def test_what_all_have_held_a_while_is_in_the_spool_and_can_be_read_changed_and_brought_back() -> None:
    rows = SharedRows(frozenset(("spooled",)))
    disks = [Disk(rows), Disk(rows)]
    for number in range(KEPT_ROWS + 10):
        for disk in disks:
            disk.write([("spooled", number.to_bytes(4, "big"), b"value of %d" % number)])
            disk.sync()
    first = bytes(4)
    assert isinstance(rows.tables["spooled"].values[first], int)
    assert [disk.get("spooled", first) for disk in disks] == [b"value of 0"] * 2
    assert next(iter(disks[0].scan("spooled"))) == (first, b"value of 0")
    disks[0].write([("spooled", first, b"another")])
    assert [disk.get("spooled", first) for disk in disks] == [b"another", b"value of 0"]
    disks[0].crash()
    assert [disk.get("spooled", first) for disk in disks] == [b"value of 0"] * 2


def test_damage_and_rows_that_went_astray_are_those_of_one_disk() -> None:
    rows = SharedRows()
    disks = [Disk(rows), Disk(rows)]
    for disk in disks:
        disk.write([("one", b"a", b"old"), ("one", b"b", b"other")])
        disk.sync()
    for disk in disks:
        disk.write([("one", b"a", b"new")])
    disks[0].misdirect(("one", b"a"), ("one", b"b"))
    assert (disks[0].get("one", b"a"), disks[0].peek("one", b"a")) == (b"old", b"new")
    assert (disks[1].get("one", b"a"), disks[1].get("one", b"b")) == (b"new", b"other")
    try:
        disks[0].get("one", b"b")
    except Damaged:
        return
    raise AssertionError("a damaged row was read")
