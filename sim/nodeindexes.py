"""The nodes that a key of a scenario names: each is there, and none comes twice."""

from __future__ import annotations

from sim.scenarioerror import ScenarioError


def check_nodes(key: str, indexes: list[int], nodes: int) -> None:
    """Raise `ScenarioError` unless each index is a node's and none comes twice."""
    for index in indexes:
        if not 0 <= index < nodes:
            raise ScenarioError(f"there is no node {index} among {nodes}", key)
    if len(set(indexes)) != len(indexes):
        raise ScenarioError("names a node twice", key)
