"""How decisions of administrators get in: through the block manager, as nobody but its node reaches an engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from lucid.api.answers import Accepted, TransactionState
from lucid.api.errors import BUSY, CONFLICT, read_code
from lucid.api.requests import DecisionSubmission
from lucid.chain.codec import decode
from lucid.chain.errors import Code, Refusal
from lucid.chain.transactions import Administrative
from lucid.services.process.config import Config
from lucid.services.process.sibling import Sibling
from lucid.services.web.admission import WRITE
from lucid.services.web.problems import Problem
from lucid.services.web.requested import hex_bytes
from lucid.services.web.web import Web


class Decisions:
    """The routes of it, which hand on to the node's engine."""

    def __init__(self, config: Config, web: Web) -> None:
        self._web = web
        self._engine = Sibling("engine", config.engine_url, config)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Within it the engine can be asked."""
        async with self._engine:
            yield

    def register(self) -> None:
        """Add the routes to the service."""
        route = self._web.route

        @route(
            "POST",
            "/chain/decisions",
            "Hand in a decision of the administrators",
            takes=DecisionSubmission,
            gives=Accepted,
            status=202,
            access=WRITE,
        )
        async def submit(body: DecisionSubmission) -> Accepted:
            try:
                decode(bytes.fromhex(body.payload), Administrative)  # type: ignore[arg-type]
            except (ValueError, Refusal):
                raise Problem(Code.REQUEST, "payload must be an encoded decision in hexadecimal") from None
            return await self._submit(body)

        @route("GET", "/chain/decisions/<identity>", "Where a decision is", gives=TransactionState)
        async def state(identity: str) -> TransactionState:
            key = hex_bytes(identity, 32, "id").hex()
            found = await self._engine.get(f"/transactions/{key}")
            if found is None:
                raise Problem(Code.NOT_FOUND, "decision")
            with self._engine.understood():
                return msgspec.convert(found, TransactionState)

    async def _submit(self, body: DecisionSubmission) -> Accepted:
        """What the engine says to it. Raises `Problem`."""
        status, answer = await self._engine.ask("POST", "/transactions", body)
        with self._engine.understood():
            if status == 202:
                return msgspec.convert(answer, Accepted)
            code = read_code(answer["error"]["code"])
        raise Problem(code, status=status if status in (400, CONFLICT) else BUSY)
