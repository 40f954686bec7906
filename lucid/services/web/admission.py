"""Admission: which requests a service lets in, by who sends them."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from werkzeug.datastructures import Headers

from lucid.chain.errors import Code
from lucid.services.peer.callernetwork import network
from lucid.services.web.limits import RateLimits, SharedLimits
from lucid.services.web.problems import Problem
from lucid.services.web.tokens import Tokens, bearer, same_token
from lucid.services.web.websites import host_name, is_loopback, is_public, same_site

READ, WRITE, OPERATOR, NODE = "read", "write", "operator", "node"
"""Who may use a route: anyone; holders of a token, or anyone on this machine where no API token is set; of these, where
there is an operator's token, who shows that one or the node's; the node's own services."""
SAFE = ("GET", "HEAD", "OPTIONS")
PROBES = ("/health", "/ready")
"""Counted apart, and answered whatever the Host: who watches a service must not lose sight of it in a flood."""


class Caller(NamedTuple):
    """Who asks: a name to count by, and what the request's token proves."""

    name: str
    holder: bytes = b""
    """Who stores under a token: its digest. Empty without a token that is known."""
    node: bool = False
    operator: bool = False

    @property
    def trusted(self) -> bool:
        """Whether it is the node itself or its operator."""
        return self.node or self.operator


class AdmissionRules:
    """The rules of one service."""

    def __init__(self, loopback: bool, tokens: Tokens, per_second: int) -> None:
        self._tokens = tokens
        self._open = loopback and not tokens.api
        """Whether anyone on this machine may write, as far as this is not a web page's doing."""
        self._limits = RateLimits(per_second)
        self.shared: SharedLimits | None = None
        """Asked in place of this instance's own, where several count together."""

    def caller(self, headers: Headers, address: str) -> Caller:
        """Who sends a request with these headers."""
        given = bearer(headers.get("Authorization", ""))
        node, operator = same_token(given, self._tokens.node), same_token(given, self._tokens.operator)
        known = [same_token(given, token) for token in self._tokens.api]
        if not (node or operator or any(known)):
            return Caller(network(address))
        holder = hashlib.blake2b(given.encode(), digest_size=16, person=b"lucid holder").digest()
        return Caller(f"token {holder.hex()}", holder, node, operator)

    def is_node(self, token: str) -> bool:
        """Whether a token is that of the node's own services."""
        return same_token(token, self._tokens.node)

    async def count(self, caller: Caller, path: str) -> None:
        """Count one request. Raises `Problem` (429) when it is one too many."""
        name = f"probe {caller.name}" if path in PROBES else caller.name
        took = self._limits.take(name) if self.shared is None else await self.shared.take(name)
        if not took:
            raise Problem(Code.TOO_MANY)

    def permit(self, caller: Caller, access: str, method: str, path: str, headers: Headers) -> None:
        """Raises `Problem` (401, 403) unless the caller may."""
        if method not in SAFE and not same_site(headers):
            raise Problem(Code.FOREIGN, "its Origin is not this service")
        if access == NODE and not caller.node:
            raise Problem(Code.TOKEN, "the node's own token")
        if access == OPERATOR and not caller.trusted and (self._tokens.operator or not self._open):
            raise Problem(Code.TOKEN, "the operator's token")
        if caller.holder:
            return
        if access == WRITE and not self._open:
            raise Problem(Code.TOKEN)
        if self._open and path not in PROBES:
            host = host_name(headers.get("Host", ""))
            if not is_loopback(host) and (access != READ or is_public(host)):
                raise Problem(Code.FOREIGN, "its Host is not this machine")
