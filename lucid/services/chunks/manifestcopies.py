"""Copies of manifests at the nodes that hold chunks of their sessions (protocol section 8).

Without a manifest nobody can say what a session's chunks are and under which key they open: were it at the node that
took the session alone, the session would be lost with that node's card, however many copies its chunks have. What comes
is handed to this node's session anchoring, which keeps what the chain holds the anchor of.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import trio

from lucid.chain.errors import Code
from lucid.chain.transactions import SESSION_ID_BYTES
from lucid.chain.versions import HOLDING_RULES
from lucid.machines.quota import SECOND_MS, Quota
from lucid.machines.replicamessages import (
    MANIFEST_PART_BYTES,
    ManifestPart,
    ManifestRequest,
    ReplicaMessage,
)
from lucid.services.chunks.belonging import ChunkPlaces
from lucid.services.chunks.chaincopies import ChainCopies, OnChain
from lucid.services.chunks.looking import PAGE, look_through
from lucid.services.chunks.storedlists import StoredLists
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged, StoreError

MAX_COPIED = 4 << 20
"""A longer manifest is not copied: that of some 35 000 chunks, days of recording."""
PLAIN_BYTES, CHUNK_BYTES = 64 << 10, 512
"""Nor is one that is longer than so much, and so much for each chunk that its anchor names, which is five times of what
it needs: an owner must not fill the disks of others with what is no recording."""
PARTS_A_SECOND = 4
"""That a peer is sent. Each costs a question to session anchoring."""
PART_S = 0.3
"""Between two questions to peers, who answer so many a second."""
ANSWER_S = 10.0
SILENT_S = 60.0
"""How long a peer that did not answer is not asked: one of an earlier release knows no such question."""
LOOK_S = 600.0
"""After looking through all sessions, until that begins anew."""
SOON_S = 5.0
TRIES = 12
"""How often a manifest is looked for soon, before it waits for the next look through all."""
MAX_SOON = 1_024
RETRY_S = 5.0

ManifestMessage = ManifestRequest | ManifestPart

_log = logging.getLogger("lucid.manifests")


class _Lacking(msgspec.Struct, frozen=True):
    sessions: tuple[str, ...]


class ManifestCopies:
    """Those of one node. `copied` counts what came since the start."""

    def __init__(
        self,
        *,
        places: ChunkPlaces,
        store: DurableStore,
        lists: StoredLists,
        copies: ChainCopies,
        anchoring: Sibling,
        send: Callable[[bytes, ReplicaMessage], Awaitable[bool]],
    ) -> None:
        self.copied = 0
        self._places = places
        self._store = store
        self._lists = lists
        self._copies = copies
        self._anchoring = anchoring
        self._send = send
        self._served = Quota(PARTS_A_SECOND, SECOND_MS)
        self._last = b"", b""
        """The manifest that was served last, after the name of its session: its next part will be asked for."""
        self._soon: dict[bytes, int] = {}
        self._kick = trio.Event()
        self._fetching = trio.Lock()  # one manifest in memory at a time
        self._request = 0
        self._answers: dict[int, tuple[bytes, trio.Event, list[ManifestPart]]] = {}
        self._silent: dict[bytes, float] = {}

    def note(self, session: bytes) -> None:
        """Look for a session's manifest soon: the list of its chunks has come."""
        if len(self._soon) < MAX_SOON:
            self._soon[session] = TRIES
            self._kick.set()

    async def handle(self, peer: bytes, message: ManifestMessage) -> None:
        """Take in what a peer's data chain says. Raises `Problem`."""
        match message:
            case ManifestRequest():
                if self._served.spend(int(trio.current_time() * SECOND_MS), peer):
                    manifest = await self._here(message.session)
                    part = manifest[message.first : message.first + MANIFEST_PART_BYTES]
                    answer = ManifestPart(message.request, message.session, message.first, len(manifest), part)
                    await self._send(peer, answer)
            case ManifestPart():
                waiting = self._answers.get(message.request)
                if waiting is not None and waiting[0] == peer:
                    waiting[2].append(message)
                    waiting[1].set()

    async def _here(self, session: bytes) -> bytes:
        """The manifest that session anchoring has; none if there is none, or it is too long. Raises `Problem`."""
        if self._last[0] != session:
            status, data = await self._anchoring.fetch(_path(session))
            if status not in (200, 404):
                raise Problem(Code.UNAVAILABLE, f"session anchoring answers {status}")
            if status != 200 or len(data) > MAX_COPIED:
                return b""
            self._last = session, data
        return self._last[1]

    # -- what runs -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Get what this node lacks, forever."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._look_soon)
                await trio.sleep(RETRY_S)  # the first round needs peers that are connected
                await look_through(
                    self._get,
                    rules=self._places,
                    since=HOLDING_RULES,
                    store=self._store,
                    lists=self._lists,
                    pause_s=LOOK_S,
                    retry_s=RETRY_S,
                )
        except* StoreDamaged:
            pass  # the store has logged it and says so

    async def _look_soon(self) -> None:
        """Look for the manifests of sessions that are new here."""
        while True:
            await self._kick.wait()
            self._kick = trio.Event()
            while self._soon:
                names = list(self._soon)[:PAGE]
                lacking = names
                try:
                    lacking = await self._get(names)
                except (Problem, StoreError) as error:
                    _log.info("manifests are looked for later: %s", error)
                self._looked(names, lacking)
                await trio.sleep(SOON_S)

    def _looked(self, names: Sequence[bytes], lacking: Sequence[bytes]) -> None:
        """Strike off what is here, and what was looked for so often; the rest waits behind the others."""
        for session in names:
            tries = self._soon.pop(session, 0)
            if session in lacking and tries > 1:
                self._soon[session] = tries - 1

    # -- from peers ------------------------------------------------------------------------------------------------

    async def _get(self, sessions: Sequence[bytes]) -> list[bytes]:
        """Get the manifests that session anchoring lacks; returns the sessions whose manifests did not come. Raises
        `Problem`."""
        if not sessions or self._places.rules < HOLDING_RULES:
            return []
        async with self._fetching:
            asked = {"sessions": [each.hex() for each in sessions]}
            status, found = await self._anchoring.ask("POST", "/node/manifests/lacking", asked)
            if status != 200:
                raise Problem(Code.UNAVAILABLE, f"session anchoring answers {status}")
            with self._anchoring.understood():
                names = [bytes.fromhex(each) for each in msgspec.convert(found, _Lacking).sessions]
            on_chain = await self._copies.on_chain(names)
            return [
                session
                for session, anchored in zip(names, on_chain, strict=True)
                if anchored is None or not await self._from_others(session, anchored)
            ]

    async def _from_others(self, session: bytes, anchored: OnChain) -> bool:
        """Get a manifest from one of the nodes that said that they hold chunks of its session. Raises `Problem`."""
        now = trio.current_time()
        self._silent = {peer: until for peer, until in self._silent.items() if until > now}
        holders = {bytes.fromhex(each.node) for each in anchored.holders}
        limit = min(MAX_COPIED, PLAIN_BYTES + CHUNK_BYTES * anchored.chunks)
        for peer in sorted((holders & self._places.connected) - self._silent.keys()):
            manifest = await self._fetch(peer, session, limit)
            if not manifest:
                continue
            status = await self._anchoring.post("/node/manifests", manifest)
            if status == 200:
                self.copied += 1
                return True
            if status >= 500:
                raise Problem(Code.UNAVAILABLE, f"session anchoring answers {status}")
            _log.warning("node %s gave a false manifest of session %s", peer.hex()[:16], session.hex()[:32])
        return False

    async def _fetch(self, peer: bytes, session: bytes, limit: int) -> bytes:
        """A manifest as a peer says it; nothing where it has none, says no more or says too much."""
        manifest = bytearray()
        while True:
            part = await self._part(peer, session, len(manifest))
            await trio.sleep(PART_S)
            if part is None or not part.data or not len(manifest) < part.size <= limit:
                return b""
            manifest += part.data
            if len(manifest) >= part.size:
                return bytes(manifest) if len(manifest) == part.size else b""

    async def _part(self, peer: bytes, session: bytes, first: int) -> ManifestPart | None:
        self._request += 1
        number, answered, answers = self._request, trio.Event(), list[ManifestPart]()
        self._answers[number] = peer, answered, answers
        try:
            if await self._send(peer, ManifestRequest(number, session, first)):
                with trio.move_on_after(ANSWER_S):
                    await answered.wait()
        finally:
            del self._answers[number]
        if not answers:
            self._silent[peer] = trio.current_time() + SILENT_S
            return None
        return answers[0] if (answers[0].session, answers[0].first) == (session, first) else None


def _path(session: bytes) -> str:
    name, owner = session[:SESSION_ID_BYTES], session[SESSION_ID_BYTES:]
    return f"/sessions/{uuid.UUID(bytes=name)}/manifest?owner={owner.hex()}"
