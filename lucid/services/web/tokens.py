"""The tokens that a service takes for proof of who asks."""

from __future__ import annotations

import hmac
from typing import NamedTuple


class Tokens(NamedTuple):
    """What a service takes for proof: the node's own token, the operator's, and those of who may write."""

    node: str = ""
    operator: str = ""
    api: tuple[str, ...] = ()


def same_token(one: str, other: str) -> bool:
    """Compare tokens in a time that does not tell where they differ; nothing is not a token."""
    return hmac.compare_digest(one.encode(), other.encode()) and bool(other)


def bearer(authorization: str) -> str:
    """The token in an Authorization header, or nothing."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
