"""What session anchoring answers: the same structs in the service that writes them and the client that reads them."""

from __future__ import annotations

import msgspec


class Anchored(msgspec.Struct, frozen=True):
    """The session is durable at the node, and will be on the chain under this transaction's id."""

    session: str
    transaction: str
    status: str


class SessionState(msgspec.Struct, frozen=True):
    """Where a session is: `pending`, `included` in a block, `final` at a height, or `failed` with a code. Time in ms
    since the Unix epoch; the owner's key in hexadecimal."""

    session: str
    status: str
    transaction: str | None
    height: int | None = None
    accepted_ms: int | None = None
    code: str | None = None
    message: str | None = None
    owner: str = ""
