"""What a request is refused with: one exception, and the one shape in which every error is answered."""

from __future__ import annotations

from typing import Any

import msgspec

from lucid.chain.errors import Code, LucidError

RETRY_AFTER_S = 1
"""When a caller that was refused for want of room or rate may ask again."""


class Problem(LucidError):
    """A request that is answered with an error: HTTP `status`, code, details for programs, and headers of its own."""

    def __init__(
        self,
        status: int,
        code: Code,
        detail: str = "",
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.status = status
        self.details = details or {}
        self.headers = headers or {}


class ErrorBody(msgspec.Struct, frozen=True):
    """What went wrong: a stable code, a sentence, details for programs, and whom to ask about which request."""

    code: str
    message: str
    details: dict[str, Any]
    request_id: str
    service: str


class ErrorEnvelope(msgspec.Struct, frozen=True):
    """The one shape of every error."""

    error: ErrorBody


def envelope(problem: Problem, request_id: str, service: str) -> bytes:
    """A problem as the JSON that answers it."""
    message = problem.code.sentence + (f" ({problem.detail})" if problem.detail else "")
    body = ErrorBody(problem.code.code, message, problem.details, request_id, service)
    return msgspec.json.encode(ErrorEnvelope(body))
