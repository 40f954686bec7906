"""What a request is refused with: one exception, and the one shape in which every error is answered."""

from __future__ import annotations

from typing import Any

import msgspec

from lucid.api.errors import ErrorBody, ErrorEnvelope, status_of
from lucid.chain.errors import Code, LucidError

RETRY_AFTER_S = 1
"""When a caller that was refused for want of room or rate may ask again."""


class Problem(LucidError):
    """A request that is answered with an error: code, details for programs, headers of its own, and HTTP's `status`,
    which is the code's (`lucid.api.errors`) unless another one is named."""

    def __init__(
        self,
        code: Code,
        detail: str = "",
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        *,
        status: int | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.status = status_of(code) if status is None else status
        self.details = details or {}
        self.headers = headers or {}


def envelope(problem: Problem, request_id: str, service: str) -> bytes:
    """A problem as the JSON that answers it."""
    message = problem.code.sentence + (f" ({problem.detail})" if problem.detail else "")
    body = ErrorBody(problem.code.code, message, problem.details, request_id, service)
    return msgspec.json.encode(ErrorEnvelope(body))
