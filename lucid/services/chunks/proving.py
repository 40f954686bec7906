"""Storage proofs of this node: each epoch it shows the segments that the chain draws of what it holds (section 5).

The chain says what is asked, the lists of sessions which chunk that is, and the chunk's file has the bytes. An answer
is checked against the root that the chain has before the engine signs it: a false one would be evidence against it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import msgspec
import trio

from lucid.chain.challenges import Draw, SegmentAnswer
from lucid.chain.codec import encode
from lucid.chain.hashing import session_tree_digest
from lucid.chain.merkle import inclusion_proof
from lucid.chain.segments import segment_count
from lucid.chain.versions import PROOF_RULES
from lucid.services.chunks.chaincopies import RulesInForce, known_of
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.handedin import SAID_BLOCKS
from lucid.services.chunks.looking import LOOK_S, look_through
from lucid.services.chunks.storedchunk import ChunkDamaged
from lucid.services.chunks.storedlists import StoredLists
from lucid.services.process.sibling import Sibling
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged, StoreError

AwaitingReceipt = Callable[[Sequence[bytes]], Awaitable[set[bytes]]]

_log = logging.getLogger("lucid.proving")


class AskedProofs(msgspec.Struct, frozen=True):
    """What the chain asks of this node of a session in an epoch; `draws` are a chunk's place and a segment's lot each.
    The last final block has this height."""

    height: int
    epoch: int
    root: str
    chunks: int
    draws: tuple[tuple[int, int], ...]


class Sent(NamedTuple):
    """A proof that was handed in, in which epoch and at which height."""

    epoch: int
    height: int


class Proving:
    """Answers what the chain asks of one node."""

    def __init__(
        self, *, rules: RulesInForce, chunks: Chunks, lists: StoredLists, store: DurableStore, manager: Sibling,
        engine: Sibling, awaiting_receipt: AwaitingReceipt,
    ) -> None:  # fmt: skip
        """`awaiting_receipt` says which sessions are proven later: a receipt for whoever brought them comes first."""
        self.proven = 0
        """Proofs handed in since the start."""
        self._rules = rules
        self._chunks = chunks
        self._lists = lists
        self._store = store
        self._manager = manager
        self._engine = engine
        self._awaiting_receipt = awaiting_receipt
        self._sent: dict[bytes, Sent] = {}

    async def run(self) -> None:
        """Look through all sessions for what is asked, forever."""
        await look_through(
            self.look,
            rules=self._rules,
            since=PROOF_RULES,
            store=self._store,
            lists=self._lists,
            pause_s=LOOK_S,
        )

    async def look(self, sessions: Sequence[bytes]) -> None:
        """Prove those that are asked for and were not proven lately. Raises `Problem` and `StoreError`."""
        due: dict[bytes, AskedProofs] = {}
        for session, asked in await known_of(self._manager, "/node/challenges", sessions, AskedProofs):
            if asked is None:
                self._sent.pop(session, None)
                continue
            before = self._sent.get(session)
            if before is None or before.epoch != asked.epoch or asked.height >= before.height + SAID_BLOCKS:
                due[session] = asked
        waiting = await self._awaiting_receipt(tuple(due)) if due else set()
        for session, asked in due.items():
            if session in waiting:
                continue
            try:
                await self._prove(session, asked)
            except StoreDamaged:
                raise
            except StoreError as error:  # others come after it: one that takes too long keeps none back
                _log.info("session %s is proven later: %s", session.hex()[:32], error)

    async def _prove(self, session: bytes, asked: AskedProofs) -> None:
        """Hand a proof in, if all of it is here. Raises `Problem` and `StoreError`."""
        # Of a million chunks it takes longer than anybody would wait for an answer.
        ids = await self._store.read_when_there(self._lists.ids, session)
        answers = await shown_answers(self._chunks, ids, asked)
        if answers is None:
            _log.warning("session %s cannot be proven: not all that is drawn is here", session.hex()[:32])
            return
        body = {
            "session": session.hex(), "epoch": asked.epoch, "root": asked.root, "chunks": asked.chunks,
            "answers": encode(answers).hex(),
        }  # fmt: skip
        status, answer = await self._engine.ask("POST", "/node/proofs", body)
        if status == 202:
            self._sent[session] = Sent(asked.epoch, asked.height)
            self.proven += 1
        else:
            _log.info("the proof of session %s is not taken: %s", session.hex()[:32], answer)


async def shown_answers(chunks: Chunks, ids: Sequence[bytes], asked: AskedProofs) -> tuple[SegmentAnswer, ...] | None:
    """What shows the drawn segments of a session of these chunks; None where something is lacking or damaged. Raises
    `StoreError`."""
    found = []
    for draw in (Draw(*each) for each in asked.draws):
        answer = await _answer(chunks, ids, draw) if draw.place < len(ids) == asked.chunks else None
        if answer is None or not answer.leads_to(bytes.fromhex(asked.root), asked.chunks):
            return None
        found.append(answer)
    return tuple(found)


async def _answer(chunks: Chunks, ids: Sequence[bytes], draw: Draw) -> SegmentAnswer | None:
    chunk = ids[draw.place]
    try:
        shown = await chunks.reader.proof(chunk, lambda size: draw.segment(segment_count(size)))
    except ChunkDamaged:
        return None  # it is noted, and repaired
    if shown is None:
        return None
    return SegmentAnswer(
        place=draw.place,
        chunk=chunk,
        chunk_path=await trio.to_thread.run_sync(inclusion_proof, ids, draw.place, session_tree_digest),
        segments=segment_count(shown.size),
        segment=shown.number,
        data=shown.data,
        path=shown.path,
    )
