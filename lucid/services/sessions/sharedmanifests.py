"""Manifests of final sessions that other nodes took: this node's data chain brings those whose chunks it holds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from quart import Response

from lucid.chain.errors import Code
from lucid.chain.manifests import MAX_MANIFEST_BYTES, CheckedManifest
from lucid.chain.transactions import Transaction
from lucid.machines.anchoring import Anchoring
from lucid.machines.effects import ManifestCame
from lucid.machines.replicamessages import SESSION_BYTES
from lucid.services.chain.ownclaims import SessionName
from lucid.services.process.driver import Driver
from lucid.services.sessions.anchored import AnchoredSessions
from lucid.services.web.admission import NODE
from lucid.services.web.problems import Problem
from lucid.services.web.requested import hex_bytes, read_body
from lucid.services.web.web import Web, json_response
from lucid.storage.durable import DurableStore

MAX_ASKED = 64
"""Sessions in one question."""


class SessionNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sessions: ids and owners, in hexadecimal."""

    sessions: tuple[SessionName, ...]


class SharedManifests:
    """Takes them. `check` verifies one (`Problem` or `Refusal` where it is none), `driver` runs the machine."""

    def __init__(
        self,
        *,
        store: DurableStore,
        machine: Anchoring,
        anchored: AnchoredSessions,
        check: Callable[[bytes], Awaitable[CheckedManifest]],
        driver: Callable[[], Driver],
    ) -> None:
        self._store = store
        self._machine = machine
        self._anchored = anchored
        self._check = check
        self._driver = driver

    def register(self, web: Web) -> None:
        """Add the routes to a service."""
        route = web.route

        @route(
            "POST",
            "/node/manifests/lacking",
            "Which of these sessions have no manifest here",
            takes=SessionNames,
            access=NODE,
        )
        async def lacking(body: SessionNames) -> Response:
            names = [hex_bytes(each, SESSION_BYTES, "session") for each in body.sessions[:MAX_ASKED]]
            found = await self._store.read(lambda: [each for each in names if self._machine.row(each) is None])
            return json_response({"sessions": [each.hex() for each in found]})

        @route("POST", "/node/manifests", "Keep the manifest of a final session", raw=bytes, access=NODE)
        async def keep() -> Response:
            await self._keep(await self._check(await read_body(MAX_MANIFEST_BYTES)))
            return json_response({})

    async def _keep(self, checked: CheckedManifest) -> None:
        """Keep one whose anchor the chain holds. Raises `Problem` (404, 409) where it does not."""
        anchor = checked.anchor
        settled = await self._anchored.settled(anchor)
        if settled is None:
            raise Problem(Code.SESSION_UNKNOWN)
        if settled.transaction != Transaction(anchor, b"", 0, b"").id:
            raise Problem(Code.SESSION_CONFLICT, "the chain holds another anchor of this session")
        await self._driver().deliver(ManifestCame(checked.canonical, anchor, settled.height))
        await self._store.drained()
