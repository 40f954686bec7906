"""What the pure rooms say of a node's store."""

from __future__ import annotations

from lucid.chain.errors import Code
from lucid.ledger.memory import MemoryStore
from lucid.ledger.rowstore import Reader, RowLost


def test_a_store_in_memory_is_one_to_read_from() -> None:
    store: Reader = MemoryStore()
    assert store.get("row", b"a") is None and [*store.scan("row", b"a")] == []


def test_what_is_lost_says_where_it_should_be() -> None:
    lost = RowLost("tree", b"\x01\xff")
    assert (lost.table, lost.key, lost.code) == ("tree", b"\x01\xff", Code.STORE_DAMAGED)
    assert "no row in the table tree at the key 01ff" in str(lost)
    assert "another block in the table block" in str(RowLost("block", b"", "another block"))
