"""The mempool: bounds, fairness and eviction, each against a naive model that keeps a plain list."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.transactions import RetireNode, Transaction
from lucid.machines.engine.mempool import Mempool
from lucid.machines.limits import DEFAULT_LIMITS, Limits
from tests.builders import digest

OWN, *OTHERS = (bytes([number]) * 32 for number in range(4))
ENDORSERS = [OWN, *OTHERS]

ANY = range(2**53)


def make(number: int, endorser: bytes = OTHERS[0], weight: int = 0, valid_until: int = 100) -> Transaction:
    """A transaction of its own id; each unit of weight adds 66 bytes or so."""
    approvals = tuple((place, bytes(64)) for place in range(weight))
    return Transaction(RetireNode(digest(number), number, approvals), endorser, valid_until, bytes(64))


def size(transaction: Transaction) -> int:
    """Encoded bytes."""
    return len(encode(transaction))


SIZE = size(make(0))


def refusal(pool: Mempool, transaction: Transaction) -> Code:
    """The code with which a transaction is refused."""
    with pytest.raises(Refusal) as caught:
        pool.add(transaction.id, transaction)
    return caught.value.code


def fill(pool: Mempool, *transactions: Transaction) -> None:
    """Add transactions for which there is room."""
    for transaction in transactions:
        assert pool.add(transaction.id, transaction) == []


def test_a_transaction_is_known_once() -> None:
    pool = Mempool(OWN)
    fill(pool, make(1))
    assert make(1).id in pool and make(2).id not in pool
    assert refusal(pool, make(1, OTHERS[1])) is Code.MEMPOOL_KNOWN
    assert pool.transaction(make(1).id) == make(1)
    assert (len(pool), pool.total_bytes) == (1, SIZE)


def test_removing_gives_the_transaction_back_once() -> None:
    pool = Mempool(OWN)
    fill(pool, make(1), make(2))
    assert (pool.remove(make(1).id), pool.remove(make(1).id)) == (make(1), None)
    assert (len(pool), pool.total_bytes) == (1, SIZE)


# -- eviction ----------------------------------------------------------------------------------------------------


def test_a_flood_evicts_itself_newest_first() -> None:
    pool = Mempool(OWN, limits=Limits(mempool_transactions=4))
    fill(pool, *(make(number, OTHERS[0]) for number in range(3)), make(3, OTHERS[1]))
    assert pool.add(make(4, OTHERS[1]).id, make(4, OTHERS[1])) == [make(2).id]
    assert refusal(pool, make(5, OTHERS[1])) is Code.MEMPOOL_FULL, "both take the same room now"
    assert refusal(pool, make(5, OTHERS[0])) is Code.MEMPOOL_FULL


def test_one_large_transaction_evicts_several() -> None:
    pool = Mempool(OWN, Limits(mempool_bytes=10 * SIZE))
    fill(pool, *(make(number) for number in range(10)))
    large = make(10, OTHERS[1], weight=2)
    evicted = pool.add(large.id, large)
    assert evicted == [make(9).id, make(8).id]
    assert pool.total_bytes <= 10 * SIZE


def test_own_transactions_make_room_for_themselves_and_are_never_evicted() -> None:
    pool = Mempool(OWN, limits=Limits(mempool_transactions=2))
    fill(pool, make(1), make(2))
    assert pool.add(make(3, OWN).id, make(3, OWN)) == [make(2).id]
    assert pool.add(make(4, OWN).id, make(4, OWN)) == [make(1).id]
    assert refusal(pool, make(5, OWN)) is Code.MEMPOOL_FULL
    assert refusal(pool, make(6)) is Code.MEMPOOL_FULL


def test_what_is_refused_evicts_nothing() -> None:
    pool = Mempool(OWN, Limits(mempool_bytes=10 * SIZE))
    fill(pool, *(make(number, OTHERS[0]) for number in range(5)), *(make(5 + each, OTHERS[1]) for each in range(5)))
    bulky = make(10, OTHERS[2], weight=7)
    assert 4 * SIZE < size(bulky) < 5 * SIZE
    assert refusal(pool, bulky) is Code.MEMPOOL_FULL
    assert len(pool) == 10


# -- time --------------------------------------------------------------------------------------------------------


def test_what_may_enter_no_later_block_expires() -> None:
    pool = Mempool(OWN)
    fill(pool, make(1, valid_until=7), make(2, valid_until=8))
    assert pool.expire(7) == []
    assert pool.expire(8) == [make(1).id]
    assert len(pool) == 1


def test_three_refusals_of_builders_are_enough() -> None:
    pool = Mempool(OWN)
    fill(pool, make(1))
    assert [pool.reject(make(1).id) for _ in range(DEFAULT_LIMITS.rejections + 1)] == [False, False, True, False]
    assert len(pool) == 0


def test_a_new_endorsement_keeps_the_place_in_the_queue() -> None:
    pool = Mempool(OWN)
    fill(pool, make(1), make(2))
    renewed = make(1, valid_until=101)
    pool.replace(renewed.id, renewed)
    assert pool.candidates(9, 10_000, ANY) == (renewed, make(2))


def test_a_new_endorsement_is_weighed() -> None:
    pool = Mempool(OWN)
    fill(pool, make(1))
    renewed = make(1, valid_until=70_000)
    pool.replace(renewed.id, renewed)
    assert pool.total_bytes == size(renewed)


# -- candidates --------------------------------------------------------------------------------------------------


def test_endorsers_take_turns_and_an_unused_share_passes_on() -> None:
    pool = Mempool(OWN)
    fill(pool, *(make(number, OTHERS[0]) for number in range(5)), make(5, OTHERS[1]), make(6, OWN))
    numbers = [transaction.payload.sequence for transaction in pool.candidates(6, 10_000, ANY)]  # type: ignore[union-attr]
    assert numbers == [6, 0, 5, 1, 2, 3]


def test_what_has_no_room_is_passed_over() -> None:
    pool = Mempool(OWN)
    fill(pool, make(1), make(2, weight=9), make(3))
    assert pool.candidates(9, 2 * SIZE, ANY) == (make(1), make(3))
    assert pool.candidates(0, 2 * SIZE, ANY) == ()


def naive_candidates(waiting: list[Transaction], most: int, room: int) -> list[Transaction]:
    """The next is of whoever has the smallest share so far, of the bytes or of the number."""
    taken: list[Transaction] = []
    whole = room
    queues = {endorser: [each for each in waiting if each.endorser == endorser] for endorser in ENDORSERS}

    def share(endorser: bytes) -> tuple[int, bytes]:
        mine = [each for each in taken if each.endorser == endorser]
        return max(len(mine) * whole // most, sum(map(size, mine))), endorser

    while any(queues.values()) and len(taken) < most:
        endorser = min((each for each in queues if queues[each]), key=share)
        transaction = queues[endorser].pop(0)
        if size(transaction) <= room:
            taken.append(transaction)
            room -= size(transaction)
    return taken


def test_large_transactions_take_no_more_than_their_endorsers_share() -> None:
    """Three honest endorsers of small ones, one of the largest there may be: it gets a quarter of a block, at most."""
    pool = Mempool(OWN)
    fill(pool, *(make(number, endorser) for number, endorser in enumerate(ENDORSERS[:3] * 40)))
    held = len(pool)
    fill(pool, *(make(1_000 + number, b"junk" * 8, 300) for number in range(40)))
    room = 80_000
    taken = pool.candidates(1_000, room, ANY)
    junk = [each for each in taken if each.endorser == b"junk" * 8]
    assert len(taken) - len(junk) == held
    assert sum(map(size, junk)) <= room - sum(size(each) for each in taken if each not in junk)


def test_what_is_not_of_use_now_is_no_candidate() -> None:
    pool = Mempool(OWN)
    fill(pool, make(1, valid_until=4), make(2, valid_until=5), make(3, valid_until=9), make(4, valid_until=10))
    assert [each.valid_until for each in pool.candidates(9, 10_000, range(5, 10))] == [5, 9]


def test_what_was_accepted_before_a_restart_finds_room_again() -> None:
    """Endorsed anew it takes a byte or two more, which may be over the limit; that keeps no node from starting."""
    pool = Mempool(OWN, Limits(mempool_transactions=1, mempool_bytes=SIZE))
    for number in (1, 2):
        pool.restore(make(number).id, make(number))
    assert len(pool) == 2
    assert refusal(pool, make(3)) is Code.MEMPOOL_FULL


@given(
    st.lists(st.tuples(st.sampled_from(ENDORSERS), st.integers(0, 3)), max_size=20),
    st.integers(0, 12),
    st.integers(0, 20 * SIZE),
)
def test_candidates_are_dealt_out_by_share(kinds: list[tuple[bytes, int]], most: int, room: int) -> None:
    pool = Mempool(OWN)
    waiting = [make(number, *kind) for number, kind in enumerate(kinds)]
    fill(pool, *waiting)
    taken = list(pool.candidates(most, room, ANY))
    assert taken == naive_candidates(waiting, most, room)
    assert sum(map(size, taken)) <= room


class Pool(RuleBasedStateMachine):
    """A small mempool beside a list of what should be in it; all sizes are equal, so one eviction is enough."""

    def __init__(self) -> None:
        super().__init__()
        self.most = self.room = 0
        self.pool = Mempool(OWN)
        self.waiting: list[Transaction] = []
        self.rejections: dict[bytes, int] = {}
        self.number = 0

    @initialize(most=st.integers(1, 6), room=st.integers(1, 6))
    def limit(self, most: int, room: int) -> None:
        self.most, self.room = most, room * SIZE
        self.pool = Mempool(OWN, Limits(mempool_transactions=self.most, mempool_bytes=self.room))

    def room_of(self, endorser: bytes) -> int:
        return sum(size(each) for each in self.waiting if each.endorser == endorser)

    def full(self) -> bool:
        return len(self.waiting) >= self.most or sum(map(size, self.waiting)) + SIZE > self.room

    def drop(self, transaction: Transaction) -> None:
        self.waiting.remove(transaction)
        self.rejections.pop(transaction.id, None)

    @rule(endorser=st.sampled_from(ENDORSERS), valid_until=st.integers(0, 9))
    def add(self, endorser: bytes, valid_until: int) -> None:
        self.number += 1
        newcomer = make(self.number % 128, endorser, valid_until=valid_until)
        if newcomer.id in self.pool:
            assert refusal(self.pool, newcomer) is Code.MEMPOOL_KNOWN
            return
        evicted: list[bytes] = []
        if self.full():
            others = {each.endorser for each in self.waiting} - {OWN}
            largest = max(sorted(others), key=self.room_of, default=None)
            wanted = 0 if endorser == OWN else self.room_of(endorser) + SIZE
            if largest is None or endorser == largest or wanted >= self.room_of(largest):
                assert refusal(self.pool, newcomer) is Code.MEMPOOL_FULL
                return
            newest = [each for each in self.waiting if each.endorser == largest][-1]
            self.drop(newest)
            evicted.append(newest.id)
        assert self.pool.add(newcomer.id, newcomer) == evicted
        self.waiting.append(newcomer)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        transaction = data.draw(st.sampled_from(self.waiting))
        assert self.pool.remove(transaction.id) == transaction
        self.drop(transaction)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def reject(self, data: st.DataObject) -> None:
        transaction = data.draw(st.sampled_from(self.waiting))
        count = self.rejections[transaction.id] = self.rejections.get(transaction.id, 0) + 1
        assert self.pool.reject(transaction.id) == (count == DEFAULT_LIMITS.rejections)
        if count == DEFAULT_LIMITS.rejections:
            self.drop(transaction)

    @rule(height=st.integers(0, 9))
    def expire(self, height: int) -> None:
        gone = [each for each in self.waiting if each.valid_until < height]
        assert sorted(self.pool.expire(height)) == sorted(each.id for each in gone)
        for each in gone:
            self.drop(each)

    @rule(most=st.integers(0, 8), room=st.integers(0, 6 * SIZE))
    def candidates(self, most: int, room: int) -> None:
        assert list(self.pool.candidates(most, room, ANY)) == naive_candidates(self.waiting, most, room)

    @invariant()
    def holds_what_it_should_within_bounds(self) -> None:
        assert len(self.pool) == len(self.waiting) <= self.most
        assert self.pool.total_bytes == sum(map(size, self.waiting)) <= self.room
        assert all(self.pool.transaction(each.id) == each for each in self.waiting)


TestPool = Pool.TestCase
pytest.mark.slow(TestPool)
TestPool.settings = settings(max_examples=60, stateful_step_count=40)
