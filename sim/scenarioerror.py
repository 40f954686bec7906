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
