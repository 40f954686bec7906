"""How commands fail: one sentence and an exit status."""

from __future__ import annotations

BAD_USAGE = 2
INVALID = 20
"""What was to be verified does not hold."""
INTERRUPTED = 130


class Failure(Exception):
    """A command cannot do what it was asked; its text is one sentence, `status` the exit status."""

    def __init__(self, sentence: str, status: int = BAD_USAGE) -> None:
        super().__init__(sentence)
        self.status = status
