"""The engine's routes for what the node's own data chain has it claim on the chain; the engine signs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from lucid.api.answers import Accepted
from lucid.chain.transactions import Payload
from lucid.services.chain.ownclaims import CopiesBrought, Declaring, Holding, OwnClaims, Showing
from lucid.services.web.admission import NODE
from lucid.services.web.web import Web


class ClaimRoutes:
    """Routes for those who have the node's token. `submit` hands a payload in and returns its transaction's id."""

    def __init__(self, claims: OwnClaims, submit: Callable[[Payload], Awaitable[bytes]]) -> None:
        self._claims = claims
        self._submit = submit

    def register(self, web: Web) -> None:
        """Add the routes to the engine's."""
        claims, route = self._claims, partial(web.route, "POST", gives=Accepted, status=202, access=NODE)

        @route("/node/holdings", "Say on the chain what this node holds of a session", takes=Holding)
        async def holding(body: Holding) -> Accepted:
            return await self._accepted(claims.holding(body))

        @route("/node/proofs", "Prove on the chain that this node holds what it said", takes=Showing)
        async def proof(body: Showing) -> Accepted:
            return await self._accepted(claims.proof(body))

        @route("/node/receipts", "Sign on the chain for what came from a session's relay", takes=CopiesBrought)
        async def receipt(body: CopiesBrought) -> Accepted:
            return await self._accepted(claims.receipt(body))

        @route("/node/capacity", "Declare on the chain what this node has room for", takes=Declaring)
        async def capacity(body: Declaring) -> Accepted:
            return await self._accepted(claims.capacity(body))

    async def _accepted(self, payload: Payload) -> Accepted:
        return Accepted((await self._submit(payload)).hex())
