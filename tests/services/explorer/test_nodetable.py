"""The nodes that a block manager shows."""

from __future__ import annotations

from lucid.services.devnet import Devnet
from tests.services.explorer.asked import ask


def test_a_node_of_its_own_holds_all_and_is_no_peer(lone: Devnet) -> None:
    node = lone.nodes[0]
    found = ask(node, "/nodes")
    [only] = found["nodes"]
    assert found["here"] == only["node"] == node.key.hex() and only["peer"] is None
    member = only["member"]
    assert (member["name"], member["validator"], member["retired"]) == ("node0", True, False)
    assert (member["double_votes"], member["evidence_until_epoch"]) == ([], 0)
    assert 1 <= ask(node, "/chain")["slot_views_left"] <= lone.genesis.parameters.slot_views
