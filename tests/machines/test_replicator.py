"""The machine of replication by hand: what it asks for, what it says, and when a chunk counts as held."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from lucid.chain.chunks import chunk_id
from lucid.chain.placement import PlacedNode, placement
from lucid.ledger.memory import MemoryStore
from lucid.machines.effects import (
    REPLICATE_TIMER,
    BeginFetch,
    ChunkStored,
    ChunkWanted,
    CopiesWished,
    Effects,
    EndFetch,
    FetchEnded,
    FetchOutcome,
    MembersKnown,
    PartCame,
    Provided,
    ReplicaSaid,
    Send,
    SetTimer,
    Started,
    Store,
    TakePart,
    TimerFired,
    Undelivered,
)
from lucid.machines.replicamessages import PART_BYTES, ChunkHolding, ChunkOffer, ChunkRequest, decode_replica
from lucid.machines.replication import Replicator, offering
from lucid.machines.replication.copies import COPY_TABLE
from lucid.machines.replication.fetching import TRIES
from lucid.machines.replication.machine import OFFERS_A_SECOND, PULLS
from lucid.machines.replication.offering import REST_MS
from lucid.machines.replication.pacing import Pacing

PACING = Pacing(bytes_per_s=PART_BYTES)
KEYS = tuple(bytes([number]) * 32 for number in range(1, 7))
ME, NAME = KEYS[0], bytes(range(16))
CHUNKS = [chunk_id(bytes([number]) * 2_000) for number in range(60)]
BEGIN_MS = 1_800_000_000_000


class Shelf:
    """Chunks at the node, in sets."""

    def __init__(self) -> None:
        self.held: set[bytes] = set()
        self.bad: set[bytes] = set()
        self.let_go: set[bytes] = set()
        self.pages = 0
        """How many pages of all chunks were asked for."""

    def kept(self, chunk: bytes) -> bool:
        """See `ChunkShelf`."""
        return chunk in self.held

    def sound(self, chunk: bytes) -> bool:
        """See `ChunkShelf`."""
        return chunk in self.held - self.bad

    def offered(self, chunk: bytes) -> bool:
        """See `ChunkShelf`."""
        return self.sound(chunk)

    def gone(self, chunk: bytes) -> bool:
        """See `ChunkShelf`."""
        return chunk in self.let_go

    def page(self, start: bytes, limit: int) -> tuple[list[bytes], bytes]:
        """See `ChunkShelf`."""
        self.pages += 1
        rows = [chunk for chunk in sorted(self.held) if chunk >= start][:limit]
        return list(filter(self.offered, rows)), rows[-1] + b"\x00" if len(rows) == limit else b""

    def faulty(self, after: bytes, limit: int) -> tuple[list[bytes], bytes]:
        """See `ChunkShelf`."""
        rows = [chunk for chunk in sorted(self.bad) if chunk > after][:limit]
        return rows, rows[-1] if len(rows) == limit else b""


class Hand:
    """One machine, its shelf, its clock, and what it wants done."""

    def __init__(self, members: tuple[bytes, ...] = KEYS) -> None:
        self.now = BEGIN_MS
        self.shelf = Shelf()
        self.store = MemoryStore()
        self.machine = Replicator(ME, NAME, self.store, self.shelf, PACING)
        self.timer_ms = 0
        self.tell(Started())
        self.tell(MembersKnown(members, members[1:], 3))

    def tell(self, event: Any) -> Effects:
        """Hand it an event; returns what is to be done but for writes and timers."""
        found: Effects = []
        for effect in self.machine.handle(self.now, event):
            if isinstance(effect, Store):
                self.store.write(effect.writes)
            elif isinstance(effect, SetTimer):
                assert effect.timer == REPLICATE_TIMER
                self.timer_ms = effect.at_ms
            else:
                found.append(effect)
        return found

    def until(self, at_ms: int) -> Effects:
        """Let time go by; its timer fires whenever it is due."""
        found: Effects = []
        for _ in range(1_000):
            if self.timer_ms > at_ms:
                break
            self.now = max(self.now, self.timer_ms)
            found += self.tell(TimerFired(REPLICATE_TIMER))
        else:
            raise AssertionError("it is never done")
        self.now = at_ms
        return found

    def part(self, asked: Send, size: int = 2_000, length: int | None = None) -> Effects:
        """The peer that was asked answers with the next part of a chunk of that size."""
        question = decode_replica(asked.data)
        assert isinstance(question, ChunkRequest)
        left = min(PART_BYTES, size - question.segment * 4_096)
        return self.tell(
            PartCame(
                peer=asked.peer,
                request=question.request,
                chunk=question.chunk,
                size=size,
                segment=question.segment,
                length=left if length is None else length,
                data=b"",
            )
        )


def said(effects: Effects) -> list[tuple[bytes, Any]]:
    """What is sent, and to whom."""
    return [(each.peer, decode_replica(each.data)) for each in effects if isinstance(each, Send)]


def asked(effects: Effects) -> Send:
    """The one question among what is to be done."""
    (found,) = [e for e in effects if isinstance(e, Send) and isinstance(decode_replica(e.data), ChunkRequest)]
    return found


def mine() -> bytes:
    """A chunk that belongs here."""
    return next(chunk for chunk in CHUNKS if ME in placement(chunk, [PlacedNode(key) for key in KEYS]))


def holding(chunk: bytes) -> ChunkHolding:
    """What a node says that holds a chunk in its first store."""
    return ChunkHolding(bytes(16), (chunk,), ())


def test_what_is_stored_is_offered_to_where_it_belongs_until_they_say_that_they_hold_it() -> None:
    hand = Hand()
    chunk = CHUNKS[0]
    others = [key for key in hand.machine.neighborhood.wanted(chunk) if key != ME]
    hand.until(hand.now + PACING.gather_ms)
    hand.shelf.held.add(chunk)
    assert not hand.tell(ChunkStored(chunk))
    assert said(hand.until(hand.now + PACING.gather_ms)) == [(key, ChunkOffer((chunk,))) for key in others]
    assert list(hand.machine.offering.lacking) == [chunk]
    assert said(hand.until(hand.now + PACING.soon_ms)) == [(key, ChunkOffer((chunk,))) for key in others], "again"
    for key in others:
        hand.tell(ReplicaSaid(key, holding(chunk)))
    assert not hand.machine.offering.lacking and hand.store.get(COPY_TABLE, chunk + others[0]) is not None
    assert not said(hand.until(hand.now + PACING.look_ms))


def test_a_chunk_is_said_to_be_held_only_once_its_driver_says_that_it_is() -> None:
    hand, chunk = Hand(), mine()
    offered = hand.tell(ReplicaSaid(KEYS[1], ChunkOffer((chunk,))))
    assert (KEYS[1], ChunkHolding(NAME, (), (chunk,))) in said(offered)
    whole = hand.part(asked(offered))
    begun, taken, ended = whole
    assert isinstance(begun, BeginFetch) and isinstance(taken, TakePart) and ended == EndFetch(begun.fetch, True)
    hand.shelf.held.add(chunk)
    told = said(hand.tell(FetchEnded(begun.fetch, FetchOutcome.KEPT)))
    assert all(message == ChunkHolding(NAME, (chunk,), ()) for _, message in told)
    assert KEYS[1] in [peer for peer, _ in told] and hand.machine.fetched == 1


def test_false_bytes_and_refusals_lead_to_the_next_source_and_no_claim() -> None:
    hand, chunk = Hand(), mine()
    question = asked(hand.tell(ReplicaSaid(KEYS[1], ChunkOffer((chunk,)))))
    seen = [question.peer]
    for way in ("false", "nothing", "short", "silent"):
        if way == "silent":
            for _ in range(TRIES):
                question = asked(hand.until(hand.now + PACING.answer_ms))
        else:
            size, length = (0, 0) if way == "nothing" else (2_000, 7 if way == "short" else None)
            effects = hand.part(question, size, length)
            if way == "false":
                effects = hand.tell(FetchEnded(effects[0].fetch, FetchOutcome.FALSE))  # type: ignore[union-attr]
            question = asked(effects)
        assert not any(isinstance(message, ChunkHolding) and message.has for _, message in said([question]))
        seen.append(question.peer)
    assert sorted(seen) == sorted(KEYS[1:]), "each node once"


def test_parts_come_no_faster_than_they_may_and_in_order() -> None:
    hand, chunk = Hand(), mine()
    size = 2 * PART_BYTES + 5
    question = asked(hand.tell(ReplicaSaid(KEYS[1], ChunkOffer((chunk,)))))
    assert [type(each) for each in hand.part(question, size)] == [BeginFetch, TakePart]
    assert not said(hand.until(hand.now + 999))
    question = asked(hand.until(hand.now + 1))
    assert [type(each) for each in hand.part(question, size)] == [TakePart]
    question = asked(hand.until(hand.now + 1_000))
    assert [type(each) for each in hand.part(question, size)] == [TakePart, EndFetch]


def test_so_many_are_pulled_at_once_and_what_does_not_belong_here_or_was_let_go_is_not() -> None:
    hand = Hand()
    own = [chunk for chunk in CHUNKS if ME in hand.machine.neighborhood.wanted(chunk)]
    hand.shelf.let_go.add(own[0])
    effects = hand.tell(ReplicaSaid(KEYS[1], ChunkOffer(tuple(CHUNKS))))
    requests = [message.chunk for _, message in said(effects) if isinstance(message, ChunkRequest)]
    assert requests == own[1 : 1 + PULLS] and hand.machine.wishes == len(own) - 1
    hand.tell(CopiesWished(KEYS[1], (own[0],)))
    assert hand.machine.wishes == len(own), "a node says that it needs it"
    assert set(hand.machine.wished()) == set(own)


def test_a_repair_goes_on_with_the_next_and_comes_again() -> None:
    hand = Hand()
    bad = sorted(CHUNKS[:2])
    hand.shelf.held |= set(bad)
    hand.shelf.bad |= set(bad)
    for chunk in bad:
        question = asked(hand.until(hand.now + 1))
        begun = hand.part(question)[0]
        assert isinstance(begun, BeginFetch) and begun.chunk == chunk
        hand.shelf.bad.discard(chunk)
        hand.tell(FetchEnded(begun.fetch, FetchOutcome.KEPT))
    assert hand.machine.repaired == 2 and not said(hand.until(hand.now + 1))
    hand.shelf.bad.add(bad[0])
    repairing = [
        message for _, message in said(hand.until(hand.now + PACING.repair_ms)) if type(message) is ChunkRequest
    ]
    assert [message.chunk for message in repairing] == [bad[0]]


@pytest.mark.parametrize("keep", [True, False])
def test_who_waits_is_answered_once_whoever_else_fetches_it(keep: bool) -> None:
    hand, chunk = Hand(), CHUNKS[5]
    question = asked(hand.tell(ChunkWanted(1, chunk, (KEYS[3],), keep)))
    assert question.peer == KEYS[3] and not said(hand.tell(ChunkWanted(2, chunk, (), keep)))
    begun = hand.part(question)[0]
    assert isinstance(begun, BeginFetch) and begun.keep == keep
    answers = [each for each in hand.tell(FetchEnded(begun.fetch, FetchOutcome.KEPT)) if isinstance(each, Provided)]
    assert answers == [Provided(1, True), Provided(2, True)]
    assert hand.machine.fetched == keep and not hand.machine.wishes


def test_who_waits_is_told_when_nobody_is_in_reach_or_the_disk_takes_nothing() -> None:
    hand = Hand()
    begun = hand.part(asked(hand.tell(ChunkWanted(1, CHUNKS[0], (), True))))[0]
    assert hand.tell(FetchEnded(begun.fetch, FetchOutcome.FAILED)) == [Provided(1, False)]  # type: ignore[union-attr]
    hand.tell(MembersKnown(KEYS, (), 3))
    assert hand.tell(ChunkWanted(2, CHUNKS[0], (), True)) == [Provided(2, False)]


def test_who_could_not_be_reached_is_asked_and_greeted_again() -> None:
    hand = Hand()
    question = asked(hand.tell(ChunkWanted(1, CHUNKS[0], (KEYS[1],), True)))
    hand.tell(Undelivered(question.peer))
    assert asked(hand.until(hand.now + PACING.again_ms)).peer == question.peer
    greeted = said(hand.tell(MembersKnown(KEYS, KEYS[1:], 3)))
    assert greeted == [(question.peer, ChunkHolding(NAME, (), ()))]


def test_a_store_that_began_anew_is_given_all_again_and_what_was_said_of_the_old_counts_no_more() -> None:
    hand, chunk = Hand(KEYS[:3]), CHUNKS[0]
    hand.shelf.held.add(chunk)
    for key in KEYS[1:3]:
        hand.tell(ReplicaSaid(key, holding(chunk)))
    hand.until(hand.now + PACING.gather_ms)
    assert not hand.machine.offering.lacks(chunk)
    hand.tell(ReplicaSaid(KEYS[2], ChunkHolding(b"another store 16", (), ())))
    assert hand.machine.offering.lacks(chunk) == [KEYS[2]]
    assert (KEYS[2], ChunkOffer((chunk,))) in said(hand.until(hand.now + PACING.gather_ms))


def test_a_store_keeps_its_name_over_restarts() -> None:
    hand = Hand()
    again = Replicator(ME, b"never used 16 by", hand.store, hand.shelf, PACING)
    assert not [each for each in again.handle(BEGIN_MS, Started()) if isinstance(each, Store)] and again.name == NAME


def test_a_clock_that_is_put_back_stops_nothing_for_longer_than_usual() -> None:
    hand = Hand()
    hand.until(hand.now + 3_600_000)
    hand.tell(ChunkWanted(1, CHUNKS[0], (KEYS[1],), True))
    hand.now -= 3_000_000
    hand.tell(MembersKnown(KEYS, KEYS[1:], 3))
    assert hand.timer_ms <= hand.now + PACING.answer_ms


def test_answers_that_nobody_asked_for_change_nothing() -> None:
    hand, chunk = Hand(), CHUNKS[0]
    for request in (0, 7):
        stray = PartCame(peer=KEYS[1], request=request, chunk=chunk, size=5, segment=0, length=5, data=b"")
        assert hand.tell(stray) == []
    question = asked(hand.tell(ChunkWanted(1, chunk, (KEYS[1],), True)))
    assert hand.part(Send(KEYS[2], question.data)) == [], "another peer answers"
    assert hand.tell(FetchEnded(0, FetchOutcome.KEPT)) == []


def test_while_something_lacks_copies_nothing_else_is_looked_at() -> None:
    hand = Hand()
    *rest, late = CHUNKS
    hand.shelf.held.update(CHUNKS)
    for key in KEYS[1:]:
        hand.tell(ReplicaSaid(key, ChunkHolding(bytes(16), tuple(rest), ())))
    hand.until(hand.now + PACING.gather_ms)
    assert list(hand.machine.offering.lacking) == [late]
    hand.shelf.pages = 0
    offers = said(hand.until(hand.now + 10 * PACING.soon_ms))
    assert len(offers) == 10 * len(hand.machine.offering.lacks(late)), "again every time"
    assert {message for _, message in offers} == {ChunkOffer((late,))} and hand.shelf.pages == 0
    hand.until(hand.now + PACING.look_ms)
    assert hand.shelf.pages == 1, "and everything once in a long while"


def test_of_one_peer_so_many_offers_are_looked_at_in_a_second() -> None:
    """Each costs the placement of all its chunks, whoever sends it."""
    hand = Hand()
    hand.now = BEGIN_MS // 1_000 * 1_000
    flood = ReplicaSaid(KEYS[1], ChunkOffer(tuple(CHUNKS[:9])))
    answers = [said(hand.tell(flood)) for _ in range(3 * OFFERS_A_SECOND)]
    heard = [any(isinstance(message, ChunkHolding) for _, message in each) for each in answers]
    assert heard == [True] * OFFERS_A_SECOND + [False] * 2 * OFFERS_A_SECOND
    assert said(hand.tell(ReplicaSaid(KEYS[2], flood.message))), "others are heard"
    hand.now += 1_000
    assert said(hand.tell(flood))


def test_a_peer_is_offered_no_more_in_a_second_than_it_takes(monkeypatch: Any) -> None:
    monkeypatch.setattr(offering, "PAGE", 1)
    hand = Hand()
    hand.shelf.held.update(CHUNKS)
    hand.machine.offering.look_again(hand.now)
    counts: Counter[tuple[bytes, int]] = Counter()
    offered: set[bytes] = set()
    for _ in range(4_000):
        hand.now = max(hand.now, hand.timer_ms)
        for peer, message in said(hand.tell(TimerFired(REPLICATE_TIMER))):
            counts[peer, hand.now // 1_000] += 1
            offered.update(message.chunks)
        if offered == set(CHUNKS):
            break
    assert offered == set(CHUNKS)
    assert offering.OFFERS_A_SECOND <= max(counts.values()) <= offering.OFFERS_A_SECOND + 2 < OFFERS_A_SECOND


def test_what_lacks_copies_is_offered_again_page_by_page_until_it_has_them_or_is_gone(monkeypatch: Any) -> None:
    monkeypatch.setattr(offering, "PAGE", 7)
    hand = Hand()
    hand.shelf.held.update(CHUNKS)
    hand.until(hand.now + PACING.gather_ms + 20 * REST_MS * len(CHUNKS))
    assert sorted(hand.machine.offering.lacking) == sorted(each for each in CHUNKS if hand.machine.offering.lacks(each))
    gone, lost = CHUNKS[:2]
    hand.shelf.held.discard(gone)
    hand.shelf.bad.add(lost)
    again = said(hand.until(hand.now + PACING.soon_ms + 20 * REST_MS * len(CHUNKS)))
    offers = [message for _, message in again if isinstance(message, ChunkOffer)]
    offered = {chunk for message in offers for chunk in message.chunks}
    assert offered == hand.machine.offering.lacking.keys() == set(CHUNKS) - {gone, lost}
    for message in offers:
        assert list(message.chunks) == sorted(message.chunks)


def test_more_than_is_kept_in_mind_is_found_by_looks_through_everything(monkeypatch: Any) -> None:
    monkeypatch.setattr(offering, "MAX_FRESH", 3)
    monkeypatch.setattr(offering, "MAX_LACKING", 5)
    hand = Hand()
    hand.until(hand.now + PACING.gather_ms)
    for chunk in CHUNKS[:9]:
        hand.shelf.held.add(chunk)
        hand.tell(ChunkStored(chunk))
    for _ in range(3):
        offered = {chunk for _, message in said(hand.until(hand.now + PACING.soon_ms)) for chunk in message.chunks}
    assert offered == set(CHUNKS[:9]) and len(hand.machine.offering.lacking) == 5


def test_what_is_stored_in_the_middle_of_a_look_through_all_still_lacks_copies_after_it(monkeypatch: Any) -> None:
    monkeypatch.setattr(offering, "PAGE", 20)
    hand = Hand()
    first, *rest = sorted(CHUNKS)
    hand.shelf.held.update(rest)
    hand.machine.offering.look_again(hand.now)
    hand.until(hand.now + PACING.gather_ms)
    hand.shelf.held.add(first)  # where the look has been already
    hand.tell(ChunkStored(first))
    hand.until(hand.now + PACING.gather_ms + 20 * REST_MS * len(CHUNKS))
    assert first in hand.machine.offering.lacking
