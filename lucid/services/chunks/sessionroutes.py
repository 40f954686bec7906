"""The routes of sessions at the data chain: which refer to chunks here, and what other nodes say of them."""

from __future__ import annotations

import uuid
from functools import partial

from quart import Response, request

from lucid.api.answers import Removed, SessionChunks, Sessions
from lucid.chain.errors import Code
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.releases import MAX_AHEAD_MS, release_message
from lucid.chain.transactions import SESSION_ID_BYTES
from lucid.machines.replicamessages import MAX_BYTES, decode_replica
from lucid.services.chunks.chunkroutes import removable
from lucid.services.chunks.listexchange import ListExchange, SessionMessage
from lucid.services.chunks.manifestcopies import ManifestCopies, ManifestMessage
from lucid.services.chunks.replication import Replication
from lucid.services.chunks.sessionreferences import SessionReferences
from lucid.services.process.driver import clock_ms
from lucid.services.web.admission import NODE, WRITE
from lucid.services.web.lasting import Lasting
from lucid.services.web.problems import Problem
from lucid.services.web.requested import (
    OWNED,
    hex_bytes,
    number_query,
    query_number,
    query_owner,
    read_body,
    session_id,
)
from lucid.services.web.route import Query
from lucid.services.web.web import Web, json_response

PAGE_SESSIONS = 1_000
PAGE = {
    "after": Query({"type": "string", "pattern": "^([0-9a-f]{32}|[0-9a-f]{96})$"}),
    "limit": number_query(1, PAGE_SESSIONS),
}
RELEASE = {
    "until_ms": number_query(0, 2**53),
    "signature": Query({"type": "string", "pattern": "^[0-9a-f]{128}$"}),
}


class SessionRoutes:
    """Lists sessions, takes their references away, and hands on what peers' data chains say."""

    def __init__(
        self,
        *,
        genesis: Genesis,
        crypto: Crypto,
        references: SessionReferences,
        lists: ListExchange,
        manifests: ManifestCopies,
        replication: Replication,
        lasting: Lasting,
    ) -> None:
        self._genesis = genesis
        self._crypto = crypto
        self._references = references
        self._lists = lists
        self._manifests = manifests
        self._replication = replication
        self._lasting = lasting

    def register(self, web: Web) -> None:
        """Add the routes to a service."""
        route = web.route

        @route("GET", "/sessions", "Sessions that refer to chunks here", query=PAGE, gives=Sessions, access=WRITE)
        async def sessions() -> Sessions:
            after = _identity(request.args["after"]) if "after" in request.args else b""
            limit = query_number("limit", 100, 1, PAGE_SESSIONS)
            page = await self._references.page(after, limit)
            listed = tuple(
                SessionChunks(
                    str(uuid.UUID(bytes=each.session[:SESSION_ID_BYTES])),
                    each.session[SESSION_ID_BYTES:].hex(),
                    each.chunks,
                    each.total_bytes,
                    each.since_ms,
                )
                for each in page
            )
            return Sessions(listed, page[-1].session.hex() if len(page) == limit else None)

        @route(
            "DELETE",
            "/sessions/<session>",
            "Take all references of a session away",
            query={**OWNED, **RELEASE},
            gives=Removed,
            access=WRITE,
        )
        async def remove(session: str) -> Removed:
            released = "signature" in request.args
            if released:
                self._check_release(session)
            named = await self._named(session)
            may = removable(web) if not released else lambda reference: True
            count = await self._lasting.carry_out(partial(self._references.remove, named, may))
            if not count:
                raise Problem(Code.NOT_YOURS, "this session was stored under another token")
            return Removed(str(uuid.UUID(bytes=named[:SESSION_ID_BYTES])), named[SESSION_ID_BYTES:].hex(), count)

        self._register_messages(web)

    def _register_messages(self, web: Web) -> None:
        """What other nodes say."""
        route = web.route

        @route("POST", "/node/replica-messages/<node>", "What a peer's data chain says", raw=bytes, access=NODE)
        async def said(node: str) -> Response:
            peer = hex_bytes(node, 32, "node")
            message = decode_replica(await read_body(MAX_BYTES))
            if isinstance(message, SessionMessage):
                await self._lists.handle(peer, message)
            elif isinstance(message, ManifestMessage):
                await self._manifests.handle(peer, message)
            else:
                await self._replication.handle(peer, message)
            return json_response({}, 202)

    def _check_release(self, session: str) -> None:
        """Whether the owner of a session signed that it may go. Raises `Problem`."""
        owner, signature = query_owner(), hex_bytes(request.args["signature"], 64, "signature")
        until_ms, now = query_number("until_ms", 0, 0, 2**53), clock_ms()
        message = release_message(self._genesis.chain_id, session_id(session), owner, until_ms)
        if not now <= until_ms <= now + MAX_AHEAD_MS:
            raise Problem(Code.MANIFEST_SIGNATURE, "until_ms must lie ahead, a day at most", status=403)
        if not owner or not self._crypto.verify(owner, message, signature):
            raise Problem(Code.MANIFEST_SIGNATURE, "it must be the owner's, over this session and until_ms", status=403)

    async def _named(self, text: str) -> bytes:
        """The session that a path and `owner` name, which refers to chunks here. Raises `Problem`."""
        session = session_id(text)
        held = await self._references.owners(session)
        if "owner" in request.args:
            held = [each for each in held if each == session + query_owner()]
        if not held:
            raise Problem(Code.NOT_FOUND, "chunk here that this session refers to")
        if len(held) > 1:
            owners = [each[SESSION_ID_BYTES:].hex() for each in held]
            raise Problem(Code.SESSION_OWNERS, "?owner=KEY, empty for that of none", {"owners": owners})
        return held[0]


def _identity(text: str) -> bytes:
    return hex_bytes(text, 48 if len(text) == 96 else SESSION_ID_BYTES, "after")
