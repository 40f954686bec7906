"""Members' entities: who leads for them."""

from __future__ import annotations

from lucid.poot.members import Member

KEY = bytes(range(32))


def test_a_node_leads_for_its_pool_or_for_itself() -> None:
    assert Member(KEY, "alpha", "", 0, False).entity == KEY
    assert Member(KEY, "alpha", "attic", 0, False).entity == b"pool:attic"
    assert Member(KEY, "alpha", "ß", 0, False).entity == b"pool:\xc3\x9f"
    assert Member(KEY, "alpha", "attic", 0, True).entity == b"pool:attic"
