"""How errors are answered: the one shape of them all, and which HTTP status goes with which code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from lucid.chain.errors import Code

MEANINGS: Mapping[int, str] = {
    400: "The request is wrong; `details.faults` names each fault of a body",
    401: "A token is needed",
    403: "It is another's, or the request comes from another site",
    404: "There is no such thing",
    405: "The method is not allowed here; `Allow` says which are",
    408: "The body did not arrive in time",
    409: "It contradicts what is there",
    413: "The body is too large",
    415: "The body's content type is not taken",
    416: "The range is not within it; `Content-Range` says how much there is",
    429: "Too many requests; `Retry-After` says when to come again",
    431: "The head of the request is too large",
    500: "The service failed: this is a defect",
    503: "The service cannot do this now; `Retry-After` says when to come again",
    507: "There is no room for it on the disk",
}
"""What each status says that a service answers an error with."""
BUSY = 503
"""Also the status of a code that has another one, where it is the service that cannot do this now."""
CONFLICT = 409
"""The status of what the chain refuses: bytes that are well formed, and contradict what is there."""
STATUS: Mapping[Code, int] = {
    Code.STORE_FAILED: BUSY,
    Code.STORE_FULL: 507,
    Code.STORE_OTHER: BUSY,
    Code.STORE_DAMAGED: BUSY,
    Code.REQUEST: 400,
    Code.NOT_FOUND: 404,
    Code.METHOD: 405,
    Code.TOO_LARGE: 413,
    Code.TOO_SLOW: 408,
    Code.TOKEN: 401,
    Code.TOO_MANY: 429,
    Code.UNAVAILABLE: BUSY,
    Code.INTERNAL: 500,
    Code.FOREIGN: 403,
    Code.MEDIA_TYPE: 415,
    Code.NOT_YOURS: 403,
    Code.RANGE: 416,
    Code.API_VERSION: 400,
    Code.MEMPOOL_FULL: BUSY,
    Code.RULES_UNKNOWN: BUSY,
    Code.SESSION_UNKNOWN: 404,
    Code.RECEIPT_CHECKPOINT: 404,
}
"""The status that goes with a code, where it is not `CONFLICT`."""


def status_of(code: Code) -> int:
    """The HTTP status that goes with a code, where no place knows better."""
    return STATUS.get(code, CONFLICT)


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


def read_code(name: Any) -> Code:
    """The code that an answer names (`LUCID_ERR_nnnn`). Raises `ValueError`, which `msgspec.ValidationError` is too."""
    if not isinstance(name, str):
        raise ValueError("a code is text")
    return msgspec.convert(int(name.removeprefix("LUCID_ERR_")), Code)
