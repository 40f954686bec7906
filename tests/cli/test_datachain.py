"""The data chain that a command asks: with which token, and how one that is away is said."""

from __future__ import annotations

from pathlib import Path

from tests.cli.command import assert_refused
from tests.cli.datacommand import ONE, STATUS, answer, data
from tests.client.lying import LyingNode


def test_the_operators_token_goes_before_the_nodes(node: LyingNode, tmp_path: Path) -> None:
    node.answers["GET /status"] = answer(STATUS)
    for settings, token in (({}, "of the node"), ({"operator_token": "mine"}, "mine")):
        node.headers.clear()
        assert data(node, tmp_path, "status", **settings).status == 0
        assert {each["Authorization"] for each in node.headers} == {f"Bearer {token}"}


def test_a_node_that_is_away_is_one_sentence(node: LyingNode, tmp_path: Path) -> None:
    for words in (("status",), ("ls",), ("verify", ONE), ("prune",), ("scrub", "start")):
        assert_refused(data(node, tmp_path, *words, data_url="http://127.0.0.1:9"), "127.0.0.1:9")
