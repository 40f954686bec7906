"""What lying replicas try with the machine of replication: to drip, to lie fast, to fill its queues, to make it begin
anew for ever. None of it may keep chunks of others from being copied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lucid.chain.hashing import chunk_tree_digest
from lucid.machines.effects import (
    BeginFetch,
    Effects,
    EndFetch,
    FetchEnded,
    FetchOutcome,
    MembersKnown,
    ReplicaSaid,
    Send,
)
from lucid.machines.replicamessages import PART_BYTES, ChunkHolding, ChunkOffer, ChunkRequest, decode_replica
from lucid.machines.replication.machine import MAX_WISHES
from lucid.machines.replication.offering import PAGE
from tests.machines.test_replicator import KEYS, ME, PACING, Hand, said

LIAR, HONEST = KEYS[1], KEYS[2]
LARGE = 200 * PART_BYTES
A_MINUTE_MS = 60_000


def invented(hand: Hand, begin: int = 0) -> Iterator[bytes]:
    """Chunks that belong here, if there were any."""
    number = begin
    while True:
        chunk = chunk_tree_digest(number.to_bytes(8, "big"))
        if ME in hand.machine.neighborhood.wanted(chunk):
            yield chunk
        number += 1


class World:
    """A node's peers: one drips or lies, one has what it offers, the others have nothing."""

    def __init__(self, drips: bool = True) -> None:
        self.hand = Hand()
        self.drips = drips
        self.honest: set[bytes] = set()
        self.asked: dict[bytes, list[bytes]] = {}
        self._answers: list[tuple[int, Send]] = []
        self._begun: dict[int, bytes] = {}

    def say(self, peer: bytes, *chunks: bytes) -> None:
        """A peer offers chunks."""
        if peer == HONEST:
            self.honest |= set(chunks)
        for first in range(0, len(chunks), 256):
            self._take(self.hand.tell(ReplicaSaid(peer, ChunkOffer(chunks[first : first + 256]))))

    def run(self, for_ms: int) -> None:
        """Let time go by."""
        end = self.hand.now + for_ms
        while self._answers or self.hand.timer_ms < end:
            at_ms = min([self.hand.timer_ms, *[at for at, _ in self._answers]])
            if at_ms >= end:
                break
            due = [send for at, send in self._answers if at <= at_ms]
            self._answers = [(at, send) for at, send in self._answers if at > at_ms]
            self._take(self.hand.until(max(self.hand.now, at_ms)))
            for send in due:
                self._answer(send)
        self.hand.now = end

    def _take(self, effects: Effects) -> None:
        for effect in effects:
            match effect:
                case Send() if isinstance(question := decode_replica(effect.data), ChunkRequest):
                    self.asked.setdefault(question.chunk, []).append(effect.peer)
                    late_ms = PACING.answer_ms - 1 if effect.peer == LIAR and self.drips else 5
                    self._answers.append((self.hand.now + late_ms, effect))
                case BeginFetch():
                    self._begun[effect.fetch] = effect.chunk
                case EndFetch(whole=True):
                    chunk = self._begun[effect.fetch]
                    if chunk in self.honest:
                        self.hand.shelf.held.add(chunk)
                        self.hand.shelf.bad.discard(chunk)
                    outcome = FetchOutcome.KEPT if chunk in self.honest else FetchOutcome.FALSE
                    self._take(self.hand.tell(FetchEnded(effect.fetch, outcome)))
                case _:
                    pass

    def _answer(self, send: Send) -> None:
        question = decode_replica(send.data)
        assert isinstance(question, ChunkRequest)
        if send.peer == LIAR:
            self._take(self.hand.part(send, LARGE if self.drips else 2_000))
        elif send.peer == HONEST and question.chunk in self.honest:
            self._take(self.hand.part(send))
        else:
            self._take(self.hand.part(send, 0, 0))


def test_who_drips_is_left_for_one_that_does_not() -> None:
    world = World()
    chunk = next(invented(world.hand))
    world.honest.add(chunk)
    world.say(LIAR, chunk)
    world.run(2 * A_MINUTE_MS)
    assert world.asked[chunk][0] == LIAR and chunk in world.hand.shelf.held


def test_a_slow_node_that_alone_has_a_chunk_is_waited_for() -> None:
    world = World()
    chunk = next(invented(world.hand))
    world.say(LIAR, chunk)
    world.run(10 * A_MINUTE_MS)
    questions = world.asked[chunk]
    world.run(A_MINUTE_MS)
    assert len(world.asked[chunk]) > len(set(questions)) + 1 and world.asked[chunk][-1] == LIAR


def test_who_drips_keeps_nobody_else_waiting() -> None:
    world = World()
    made_up = invented(world.hand)
    world.say(LIAR, *[next(made_up) for _ in range(100)])
    chunk = next(made_up)
    world.say(HONEST, chunk)
    world.run(2 * A_MINUTE_MS)
    assert chunk in world.hand.shelf.held


def test_whose_bytes_were_false_is_asked_last_for_a_while() -> None:
    world = World(drips=False)
    made_up = invented(world.hand)
    first, second = next(made_up), next(made_up)
    world.say(LIAR, first)
    world.run(1_000)
    assert world.asked[first][0] == LIAR
    world.honest.add(second)
    world.say(LIAR, second)
    world.run(1_000)
    assert LIAR not in world.asked[second] and second in world.hand.shelf.held


def test_who_was_silent_once_is_trusted_again_once_it_gives_a_chunk() -> None:
    world = World(drips=False)
    hand, made_up = world.hand, invented(world.hand)
    for _ in range(3):
        hand.tell(ReplicaSaid(HONEST, ChunkOffer((next(made_up),))))  # nobody hears the questions
    hand.until(hand.now + A_MINUTE_MS)
    assert hand.machine.fetching.doubts(hand.now, HONEST)
    world.run(10 * A_MINUTE_MS)
    chunks = [next(made_up) for _ in range(20)]
    hand.machine.fetching._doubt(hand.now, HONEST)
    world.say(HONEST, *chunks)
    world.run(5_000)
    assert set(chunks) <= hand.shelf.held and not hand.machine.fetching.doubts(hand.now, HONEST)


def test_who_offers_what_there_is_not_leaves_room_for_others() -> None:
    world = World()
    made_up = invented(world.hand)
    world.say(LIAR, *[next(made_up) for _ in range(MAX_WISHES + 10)])
    assert world.hand.machine.wishes < MAX_WISHES
    chunk = next(made_up)
    world.say(HONEST, chunk)
    world.run(2 * A_MINUTE_MS)
    assert chunk in world.hand.shelf.held


def test_a_repair_that_drips_does_not_keep_the_others_waiting() -> None:
    world = World()
    lost = sorted(next(invented(world.hand, 100 * number)) for number in range(8))
    world.hand.shelf.held |= set(lost)
    world.hand.shelf.bad |= set(lost)
    world.honest |= set(lost[1:])  # of the first one the liar alone says that it has it
    world.run(5 * A_MINUTE_MS)
    assert world.hand.shelf.bad == {lost[0]}


@pytest.mark.slow
def test_nobody_makes_a_node_look_at_its_first_chunks_for_ever() -> None:
    """Whose store has another name all the time, or who comes and goes: what follows is looked at all the same."""
    hand = Hand()
    chunks = sorted(chunk_tree_digest(number.to_bytes(8, "big")) for number in range(3 * PAGE))
    hand.shelf.held |= set(chunks)
    offered: set[bytes] = set()
    for number in range(1_000):
        name = number.to_bytes(16, "big")
        effects = hand.tell(ReplicaSaid(LIAR, ChunkHolding(name, (), ())))
        effects += hand.tell(MembersKnown(KEYS, KEYS[2:] if number % 2 else KEYS[1:], 3))
        effects += hand.until(hand.now + PACING.gather_ms // 2)
        offered |= {chunk for _, each in said(effects) if isinstance(each, ChunkOffer) for chunk in each.chunks}
    due = {chunk for chunk in chunks if set(hand.machine.neighborhood.wanted(chunk)) - {ME, LIAR}}
    assert not due - offered
