"""The mempool: endorsed transactions that wait for a block, bounded, fair between endorsers (protocol section 6)."""

from __future__ import annotations

from heapq import heappop, heappush

from lucid.chain.errors import Code, Refusal
from lucid.chain.transactions import Transaction
from lucid.machines.limits import DEFAULT_LIMITS, Limits

ANY_HEIGHT = range(2**53 + 1)
"""All heights that `MAX_NATURAL` allows: for callers that ask for whatever waits."""


class Waiting:
    """One transaction, its encoded size in bytes, and how often a builder refused it."""

    __slots__ = ("rejections", "size", "transaction")

    def __init__(self, transaction: Transaction, size: int) -> None:
        self.transaction = transaction
        self.size = size
        self.rejections = 0


class Mempool:
    """Transactions by endorser, oldest first.

    When full, the newest transaction of the endorser that takes most room goes; if that is the newcomer's own
    endorser, the newcomer is refused with `MEMPOOL_FULL`. So a flood evicts itself. What `own` endorsed is never
    evicted: its clients were told that it is accepted.
    """

    def __init__(self, own: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
        self._own = own
        self._queues: dict[bytes, dict[bytes, Waiting]] = {}
        self._endorsers: dict[bytes, bytes] = {}
        self._bytes: dict[bytes, int] = {}
        self._limits = limits
        self.total_bytes = 0

    def __len__(self) -> int:
        return len(self._endorsers)

    def __contains__(self, transaction: bytes) -> bool:
        return transaction in self._endorsers

    def add(self, identity: bytes, transaction: Transaction) -> list[bytes]:
        """Add a transaction; returns the ids of those evicted for it. Raises `MEMPOOL_KNOWN` or `MEMPOOL_FULL`."""
        # By the id of its payload: one endorsed anew is the same one, and `replace` is for that (section 6).
        if identity in self._endorsers:
            raise Refusal(Code.MEMPOOL_KNOWN)
        size = transaction.size
        endorser = transaction.endorser
        evicted: list[bytes] = []
        limits = self._limits
        if len(self) >= limits.mempool_transactions or self.total_bytes + size > limits.mempool_bytes:
            evicted = self._make_room(endorser, size)
            for each in evicted:
                self.remove(each)
        self._insert(identity, transaction, size)
        return evicted

    def _make_room(self, newcomer: bytes, size: int) -> list[bytes]:
        """Whom to evict for `size` bytes more of an endorser's; raises `MEMPOOL_FULL` and has then evicted nobody."""
        # By key, so that of endorsers with equal bytes no order of arrival decides (section 2).
        held = {endorser: used for endorser, used in sorted(self._bytes.items()) if endorser != self._own}
        newest = {endorser: iter(reversed(self._queues[endorser].items())) for endorser in held}
        mine = 0 if newcomer == self._own else held.get(newcomer, 0) + size
        count, total = len(self), self.total_bytes
        evicted: list[bytes] = []
        while count >= self._limits.mempool_transactions or total + size > self._limits.mempool_bytes:
            largest = max(held, key=lambda endorser: held[endorser], default=b"")
            # Who would then hold most is the newcomer's own endorser: a flood drives out nobody's but its own.
            if not held or largest == newcomer or mine >= held[largest]:
                raise Refusal(Code.MEMPOOL_FULL)
            identity, waiting = next(newest[largest])
            evicted.append(identity)
            held[largest] -= waiting.size
            count -= 1
            total -= waiting.size
        return evicted

    def transaction(self, identity: bytes) -> Transaction:
        """A waiting transaction by its id."""
        return self._queues[self._endorsers[identity]][identity].transaction

    def held(self, identity: bytes) -> Waiting | None:
        """What waits under an id, or None."""
        endorser = self._endorsers.get(identity)
        return None if endorser is None else self._queues[endorser][identity]

    def restore(self, identity: bytes, transaction: Transaction) -> None:
        """Add what was accepted before a restart: there is room for it, whatever the limits are."""
        self._insert(identity, transaction, transaction.size)

    def _insert(self, identity: bytes, transaction: Transaction, size: int) -> None:
        endorser = transaction.endorser
        self._endorsers[identity] = endorser
        self._queues.setdefault(endorser, {})[identity] = Waiting(transaction, size)
        self._bytes[endorser] = self._bytes.get(endorser, 0) + size
        self.total_bytes += size

    def replace(self, identity: bytes, transaction: Transaction) -> None:
        """Put a new endorsement of the same payload, by the same endorser, in a transaction's place."""
        endorser = self._endorsers[identity]
        waiting = self._queues[endorser][identity]
        growth = transaction.size - waiting.size
        waiting.transaction = transaction
        waiting.size += growth
        self._bytes[endorser] += growth
        self.total_bytes += growth

    def remove(self, identity: bytes) -> Transaction | None:
        """Take a transaction out; returns it, or None if it was not there."""
        endorser = self._endorsers.pop(identity, None)
        if endorser is None:
            return None
        waiting = self._queues[endorser].pop(identity)
        self._bytes[endorser] -= waiting.size
        self.total_bytes -= waiting.size
        if not self._queues[endorser]:
            del self._queues[endorser], self._bytes[endorser]
        return waiting.transaction

    def reject(self, identity: bytes) -> bool:
        """Count a builder's refusal; after `rejections` of them the transaction goes, and the answer is True.

        More than one is needed, because a refusal may rest on a block that never becomes final.
        """
        endorser = self._endorsers.get(identity)
        if endorser is None:
            return False
        waiting = self._queues[endorser][identity]
        waiting.rejections += 1
        if waiting.rejections < self._limits.rejections:
            return False
        self.remove(identity)
        return True

    def expire(self, height: int) -> list[bytes]:
        """Drop what may no longer enter a block at `height`; returns the ids."""
        gone = [
            identity
            for queue in self._queues.values()
            for identity, waiting in queue.items()
            if waiting.transaction.valid_until < height
        ]
        for identity in gone:
            self.remove(identity)
        return gone

    def candidates(self, most: int, room: int, expiries: range = ANY_HEIGHT) -> tuple[Transaction, ...]:
        """Up to `most` transactions of at most `room` bytes in all, whose last height is in `expiries`; oldest first.

        The next is of the endorser with the smallest share so far, of the bytes or of the number, whichever is larger
        for it: so nobody's transactions, be they large or many, take more than an equal part from the others.
        """
        taken: list[Transaction] = []
        whole = room
        # By key where shares are equal (section 6): no order of arrival, which nobody could check, decides.
        queues = [iter(self._queues[endorser].values()) for endorser in sorted(self._queues)]
        used = [[0, 0] for _ in queues]
        shares = [(0, place) for place in range(len(queues))]
        while shares and len(taken) < most:
            _, place = heappop(shares)
            for waiting in queues[place]:
                if waiting.size <= room and waiting.transaction.valid_until in expiries:
                    taken.append(waiting.transaction)
                    room -= waiting.size
                    used[place][0] += 1
                    used[place][1] += waiting.size
                    heappush(shares, (max(used[place][0] * whole // most, used[place][1]), place))
                    break
        return tuple(taken)
