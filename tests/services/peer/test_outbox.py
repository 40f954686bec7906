"""Memory of what waits for peers: one bound for all, and who holds most loses first."""

from __future__ import annotations

from random import Random

import pytest

from lucid.services.peer import outbox
from lucid.services.peer.outbox import Message, Outboxes
from tests.services.peer.cut import Cut


def test_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "OUT_MESSAGES", 3)
    box = Outboxes(1_000).open(Cut())
    for number in range(5):
        box.put(Message(bytes([number])))
    assert box.dropped == 2 and box.size == 3
    assert box._queue.popleft().data == b"\x02"


def test_all_queues_share_one_budget_and_the_longest_pays() -> None:
    boxes = Outboxes(100)
    slow, fast = boxes.open(Cut()), boxes.open(Cut())
    for _ in range(9):
        slow.put(Message(bytes(10)))
    for _ in range(4):
        fast.put(Message(bytes(10)))
    assert boxes.held == 100
    assert slow.dropped == 3 and not fast.dropped


def test_a_message_to_many_counts_once() -> None:
    boxes = Outboxes(100)
    opened = [boxes.open(Cut()) for _ in range(20)]
    message = Message(bytes(60))
    for box in opened:
        box.put(message)
    assert boxes.held == 60 and not any(box.dropped for box in opened)
    for box in opened[1:]:
        boxes.close(box)
    assert boxes.held == 60
    boxes.close(opened[0])
    assert boxes.held == 0


async def test_a_peer_that_takes_nothing_is_cut_when_others_need_the_memory() -> None:
    boxes = Outboxes(100)
    cut = Cut()
    stuck, other = boxes.open(cut), boxes.open(Cut())
    stuck.put(Message(bytes(90)))
    assert await stuck.next(1) is not None
    other.put(Message(bytes(50)))
    assert cut.times == 1 and boxes.held == 50 and not other.dropped
    stuck.put(Message(bytes(10)))
    stuck.sent()
    assert boxes.held == 50, "nothing is taken for a connection that is over"


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_the_books_balance(seed: int) -> None:
    random = Random(seed)
    boxes = Outboxes(1_000)
    opened = [boxes.open(Cut()) for _ in range(4)]
    for _ in range(300):
        box = random.choice(opened)
        act = random.randrange(6)
        if act <= 2:
            message = Message(bytes(random.randrange(400)))
            for each in random.sample(opened, random.randint(1, 4)):
                each.put(message)
        elif act == 3 and box._going is None and box._queue:
            await box.next(0.1)
        elif act == 4:
            box.sent()
        elif box.closed or (act == 5 and not random.randrange(10)):
            boxes.close(box)
            opened[opened.index(box)] = boxes.open(Cut())
        held = {id(m): len(m.data) for each in opened for m in [*each._queue, *([each._going] if each._going else [])]}
        assert boxes.held == sum(held.values()) <= 1_000
    for box in opened:
        boxes.close(box)
    assert boxes.held == 0


async def test_bulk_goes_when_nothing_else_waits_and_is_dropped_first() -> None:
    boxes = Outboxes(1_000)
    box = boxes.open(Cut())
    for number in range(outbox.BULK_MESSAGES + 3):
        box.put_bulk(Message(b"bulk%d" % number))
    assert box.dropped == 3
    box.put(Message(b"vote"))
    assert await box.next(1.0) == b"vote", "however long the others have waited"
    box.sent()
    assert await box.next(1.0) == b"bulk3"
    box.sent()
    box.put(Message(b"v" * 990))
    assert [each.data for each in box._queue] == [b"v" * 990] and boxes.held <= boxes.limit
    box.clear()
    assert (boxes.held, box.size) == (0, 0)
