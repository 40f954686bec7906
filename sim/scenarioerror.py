"""What is wrong with a scenario, in one sentence."""

from __future__ import annotations


class ScenarioError(Exception):
    """A scenario cannot be run; one sentence that names the file, the line where known, and the key.

    `key` is that key, such as `fault[1].node`, or empty where there is none.
    """

    def __init__(self, sentence: str, key: str = "") -> None:
        super().__init__(f"{key}: {sentence}" if key else sentence)
        self.sentence = sentence
        self.key = key


def check_nodes(key: str, indexes: list[int], nodes: int) -> None:
    """Raise `ScenarioError` unless each index is a node's and none comes twice."""
    for index in indexes:
        if not 0 <= index < nodes:
            raise ScenarioError(f"there is no node {index} among {nodes}", key)
    if len(set(indexes)) != len(indexes):
        raise ScenarioError("names a node twice", key)
