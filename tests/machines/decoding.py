"""What bytes decode to, or why they are refused: for the tests of messages."""

from __future__ import annotations

from lucid.chain.errors import Code, Refusal
from lucid.machines.decodedmessages import decode_message
from lucid.machines.messages import Message


def verdict(data: bytes) -> Message | Code:
    """The message that bytes decode to, or the code they are refused with; anything else that is raised is a bug."""
    try:
        message = decode_message(data)
    except Refusal as refusal:
        return refusal.code
    return message
