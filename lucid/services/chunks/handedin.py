"""What this node handed in for the chain, of which session and when: what does not come there is handed in again."""

from __future__ import annotations

import logging

SAID_BLOCKS = 24
"""What is not on the chain after so many blocks is handed in again."""

_log = logging.getLogger("lucid.relaying")


class HandedIn:
    """What was said of the relays of sessions, and at which height."""

    def __init__(self) -> None:
        self._sent: dict[bytes, int] = {}

    def due(self, session: bytes, height: int) -> bool:
        """Whether something is to be handed in, the first time or again."""
        return height >= self._sent.get(session, -SAID_BLOCKS) + SAID_BLOCKS

    def note(self, session: bytes, height: int, status: int, answer: object) -> bool:
        """Note whether the engine took something."""
        if status == 202:
            self._sent[session] = height
        else:
            _log.info("what is said of the relay of session %s is not taken: %s", session.hex()[:32], answer)
        return status == 202

    def forget(self, session: bytes) -> None:
        """Nothing more is to be said of a session."""
        self._sent.pop(session, None)
