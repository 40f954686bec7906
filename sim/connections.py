"""Reliable transport: one ordered connection for each pair of nodes, as `lucid/services` keeps them.

What the model takes from real connections, each with its source: delivery in order, so that a segment lost holds back
what follows it; loss as delay, by tail loss probe and then the retransmission timeout (RFC 8985, section 7.2; RFC 6298,
section 5); what is on its way when a link is cut waits there and comes with the first retransmission after the link is
back; a connection that got nothing through for `STALLED_US` ends, and so does one of a process that ends; whoever dials
waits between tries, doubling (`lucid/services/peer/peers.py`). Ends of connections lose messages, nothing else does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import NamedTuple, Protocol

from lucid.machines.effects import PeerJoined, Received
from sim.clock import TAG_BITS, Moment, VirtualClock
from sim.flights import Flight
from sim.segments import segments

STALLED_US = 20_000_000
"""A connection ends when what was sent has not arrived for this long (`STALLED_S` of the services)."""
HANDSHAKE_US = 10_000_000
"""How long a dialer waits for an answer."""
HANDSHAKE_DELAYS = 5
"""One-way delays from dialing to the first message: TCP's three, and two of the handshake of section 8."""
BACKOFF_US = (200_000, 30_000_000)
"""A dialer's first and longest wait; half of it, or less, is taken off by chance."""
LEAST_TIMEOUT_US = 200_000
"""The least retransmission timeout, as Linux has it; RFC 6298 recommends a second."""
LEAST_PROBE_US = 20_000
"""The least delay of a tail loss probe that is worth telling apart: two delayed acknowledgements."""
QUEUE_MESSAGES = 4_096
"""Messages that wait for one peer; then the oldest is dropped."""
QUEUE_BYTES = 32 * 1024 * 1024
"""Bytes that wait for one peer."""
FIRST_WINDOW = 10
"""Segments that an idle connection sends at once (RFC 6928)."""
IDLE_US = 1_000_000
"""After so long without sending, a window is back at its first size (RFC 5681, section 4.1, by a usual timeout)."""
EVER = 1 << 62

Pair = tuple[int, int]


class Wires(Protocol):
    """What connections run over: nodes by index, with one-way delays between them, some of them cut off."""

    clock: VirtualClock
    size: int
    base_us: Sequence[Sequence[int]]
    cut: set[Pair]
    receivers: list[Callable[[Received | PeerJoined], None]]

    def deliver(self, number: int, sender: int, receiver: int, event: Received) -> None:
        """Hand over a message that had waited for its link."""


class HeldMessages(NamedTuple):
    """What has come to a cut and waits for the link: since when, and the messages in order, each with its number.

    `lost`: it waits for a segment that will not come, so the connection ends whether the link is back or not.
    """

    since_us: int
    events: list[tuple[int, Received]]
    lost: bool = False


class ResetPair(NamedTuple):
    """Connections of a pair ended at `at_us`: what was sent by then and arrives at `lost_from_us` or later is lost."""

    at_us: int
    lost_from_us: int


class Connections:
    """All pairs' connections. `down` has the ordered pairs that are not connected; `dropped` counts what was lost.

    With neither `held` nor `resets`, and no cut, whatever arrives is delivered.
    """

    def __init__(self, network: Wires, keys: Sequence[bytes], random: Random, slow_start: bool) -> None:
        self.network = network
        self.down: set[Pair] = set()
        self.dropped = 0
        self.held_back = 0
        self.most_queued = 0
        self.loss: list[float] = []
        """The shares of segments that are lost on every link, by the faults that are on."""
        size = network.size
        self._keys = keys
        self._random = random
        self._last = [[0] * size for _ in range(size)]
        self.held: dict[Pair, HeldMessages] = {}
        self.resets: dict[Pair, ResetPair] = {}
        self._reset_until_us = 0
        """When the last of what was on its way at a reset would have come: from then on no reset matters."""
        self._up = [False] * size
        self._dialing: dict[Pair, int] = {}
        self._dialings = 0
        self._windows: dict[Pair, tuple[int, int]] | None = {} if slow_start else None

    def arrivals(
        self, sender: int, receivers: Sequence[int], departs_us: int, copy_us: int, size: int, latencies: Sequence[int]
    ) -> list[int]:
        """When each receiver has its copy, with the receiver as tag; those not connected are left out.

        The first copy leaves at `departs_us + copy_us`; `latencies` are one-way microseconds by receiver.
        """
        last, found, at_us = self._last[sender], [], departs_us
        for receiver, latency_us in zip(receivers, latencies, strict=True):
            at_us += copy_us
            arrives_us = at_us + latency_us
            if self._windows is not None:
                arrives_us += self._slow_start_us(sender, receiver, segments(size))
            if arrives_us <= last[receiver]:
                arrives_us = last[receiver] + 1
                self.held_back += 1
            last[receiver] = arrives_us
            found.append((arrives_us << TAG_BITS) + receiver)
        return found

    def connected(self, sender: int, receivers: Sequence[int]) -> Sequence[int]:
        """Those of the receivers that a message can be handed to the connection of."""
        if not self.down:
            return receivers
        up = [each for each in receivers if (sender, each) not in self.down]
        self.dropped += len(receivers) - len(up)
        return up

    def arrive(self, flight: Flight, receiver: int) -> bool:
        """Whether a message that has come is delivered now; else it is lost, or waits for its link."""
        pair = (flight.sender, receiver)
        reset = self.resets.get(pair)
        now = self.network.clock.now_us
        if reset is not None and flight.sent_us <= reset.at_us and now >= reset.lost_from_us:
            self.dropped += 1
            return False
        if self.resets and now > self._reset_until_us:
            self.resets.clear()
        held = self.held.get(pair)
        if held is None:
            if pair not in self.network.cut:
                return True
            held = self._hold(pair, HeldMessages(now, []))
        held.events.append((flight.number, flight.event))
        self._bound(held)
        return False

    def give_up(self, sender: int, receiver: int) -> None:
        """A segment is lost too often: what follows it waits in vain, and the connection ends."""
        pair = (sender, receiver)
        if pair not in self.held and pair not in self.down:
            self._hold(pair, HeldMessages(self.network.clock.now_us, [], lost=True))

    def reset(self, one: int, other: int) -> None:
        """The connection of a pair ends now, if there is one: what is on its way is lost, and it is dialed anew.

        Before the first moment there is none.
        """
        there = self._up[one] and self._up[other] and (one, other) not in self.down
        if there and self._keys[one] != self._keys[other]:
            now = self.network.clock.now_us
            for pair in ((one, other), (other, one)):
                self._lose(pair, ResetPair(now, now))
            self._disconnect(one, other)

    def cut_changed(self, before: set[Pair]) -> None:
        """The network's cuts are others than `before`: links that are back carry what waited, after a timeout."""
        now, network = self.network.clock.now_us, self.network
        for pair in sorted(before - network.cut):
            held = self.held.get(pair)
            if held is not None and not held.lost:
                one_way_us = network.base_us[pair[0]][pair[1]]
                wait_us = LEAST_TIMEOUT_US + 2 * one_way_us
                at_us = held.since_us + wait_us
                while at_us < now:
                    wait_us *= 2
                    at_us += wait_us
                network.clock.put(Moment(partial(self._thaw, pair, held)), at_us + one_way_us)

    def begin(self, up: Sequence[int]) -> None:
        """The first moment: the nodes that run are connected with each other, the others have to be dialed."""
        for node in up:
            self._up[node] = True
        for one in range(self.network.size):
            for other in range(one):
                if self._keys[one] != self._keys[other] and not (self._up[one] and self._up[other]):
                    self._disconnect(one, other)

    def started(self, node: int) -> None:
        """A node's process runs again: it dials those whom it has to dial, and can be dialed."""
        if self._up[node]:
            return
        self._up[node] = True
        for other in range(self.network.size):
            if (node, other) in self.down and self._dialer(node, other)[0] == node:
                self._dial((node, other))

    def stopped(self, node: int) -> None:
        """A node's process has ended: peers learn of it a one-way delay later, and what was on its way is lost."""
        self._up[node] = False
        now, base_us = self.network.clock.now_us, self.network.base_us
        for other in range(self.network.size):
            if other == node or (node, other) in self.down:
                continue
            self._lose((node, other), ResetPair(now, now + base_us[node][other]))
            self._lose((other, node), ResetPair(now, now))
            self._disconnect(node, other)

    @property
    def settling_us(self) -> int:
        """How long until a message between any two nodes is carried without delay, if nothing more goes wrong.

        What was lost before holds back what follows it, and who dials may just have begun its longest wait.
        """
        behind_us = max((at_us for row in self._last for at_us in row), default=0) - self.network.clock.now_us
        dialing_us = (STALLED_US if self.held else 0) + (BACKOFF_US[1] if self.down or self.held else 0)
        return max(behind_us, 0) + dialing_us

    def retransmission_us(self, sender: int, receiver: int, losses: int) -> int:
        """How much later a segment comes that was lost so many times in a row."""
        round_trip_us = 2 * self.network.base_us[sender][receiver]
        total_us, wait_us = 0, max(2 * round_trip_us, LEAST_PROBE_US)
        for _ in range(losses):
            total_us += wait_us
            wait_us = max(2 * wait_us, LEAST_TIMEOUT_US + round_trip_us)
        return total_us

    def _slow_start_us(self, sender: int, receiver: int, count: int) -> int:
        """Round trips that a connection takes to open its window for so many segments."""
        assert self._windows is not None
        now = self.network.clock.now_us
        window, used_us = self._windows.get((sender, receiver), (FIRST_WINDOW, -EVER))
        if now - used_us > IDLE_US:
            window = FIRST_WINDOW
        rounds, sent = 0, window
        while sent < count:
            window *= 2
            sent += window
            rounds += 1
        self._windows[sender, receiver] = (window, now)
        return rounds * 2 * self.network.base_us[sender][receiver]

    def _hold(self, pair: Pair, held: HeldMessages) -> HeldMessages:
        self.held[pair] = held
        self.network.clock.after(STALLED_US, partial(self._stalled, pair, held))
        return held

    def _bound(self, held: HeldMessages) -> None:
        """Drop the oldest of what waits for a link, beyond what a peer's queue holds."""
        size = sum(len(event.data) for _, event in held.events)
        while len(held.events) > QUEUE_MESSAGES or size > QUEUE_BYTES:
            size -= len(held.events.pop(0)[1].data)
            self.dropped += 1
        self.most_queued = max(self.most_queued, size)

    def _thaw(self, pair: Pair, held: HeldMessages, _: Moment) -> None:
        """What waited for a link comes with the first retransmission, in order."""
        if self.held.get(pair) is not held or pair in self.network.cut:
            return
        del self.held[pair]
        for number, event in held.events:
            self.network.deliver(number, pair[0], pair[1], event)

    def _stalled(self, pair: Pair, held: HeldMessages, _: Moment) -> None:
        """Nothing came through for too long: the connection ends, and is dialed anew."""
        if self.held.get(pair) is not held or not (held.lost or pair in self.network.cut):
            return
        self.reset(*pair)

    def _lose(self, pair: Pair, reset: ResetPair) -> None:
        """What is on its way is lost; it would have come by the time that is the last one noted for the pair."""
        self.resets[pair] = reset
        self._reset_until_us = max(self._reset_until_us, self._last[pair[0]][pair[1]])

    def _disconnect(self, one: int, other: int) -> None:
        """End the connection of a pair; whoever dials begins to."""
        for pair in ((one, other), (other, one)):
            self.down.add(pair)
            held = self.held.pop(pair, None)
            self.dropped += len(held.events) if held is not None else 0
        self._dial(self._dialer(one, other))

    def _dialer(self, one: int, other: int) -> Pair:
        """The pair with who dials first: of the two, the node with the lower id."""
        return (one, other) if self._keys[one] < self._keys[other] else (other, one)

    def _dial(self, pair: Pair) -> None:
        """Begin to dial, anew if the dialer did so in a former life; one that is down dials when it starts."""
        if self._up[pair[0]]:
            self._dialings += 1
            self._dialing[pair] = self._dialings
            self._try(pair, self._dialings, BACKOFF_US[0], None)

    def _try(self, pair: Pair, dialing: int, wait_us: int, _: Moment | None) -> None:
        dialer, other = pair
        network = self.network
        if self._dialing.get(pair) != dialing or not self._up[dialer]:
            return
        one_way_us = network.base_us[dialer][other]
        if pair in network.cut or (other, dialer) in network.cut or self._handshake_lost():
            taken_us = HANDSHAKE_US
        elif self._up[other]:
            network.clock.after(HANDSHAKE_DELAYS * one_way_us, partial(self._answered, pair, dialing, wait_us))
            return
        else:
            taken_us = 2 * one_way_us  # refused
        self._again(pair, dialing, wait_us, taken_us)

    def _handshake_lost(self) -> bool:
        """Whether a handshake loses so many segments that it is not over in time: four times one of its first two."""
        passes = 1.0
        for share in self.loss:
            passes *= (1 - share) * (1 - share)
        fails = (1 - passes) * (1 - passes)
        return fails > 0 and self._random.random() < fails * fails

    def _answered(self, pair: Pair, dialing: int, wait_us: int, _: Moment) -> None:
        """The handshake is over, if both are still there."""
        dialer, other = pair
        cut = self.network.cut
        if self._dialing.get(pair) != dialing:
            return
        if self._up[dialer] and self._up[other] and pair not in cut and (other, dialer) not in cut:
            del self._dialing[pair]
            self.down -= {pair, (other, dialer)}
            for one, peer in (pair, (other, dialer)):
                self.network.receivers[one](PeerJoined(self._keys[peer]))
        else:
            self._again(pair, dialing, wait_us, HANDSHAKE_US)

    def _again(self, pair: Pair, dialing: int, wait_us: int, taken_us: int) -> None:
        pause_us = self._random.randrange(wait_us // 2, wait_us + 1)
        longer_us = min(2 * wait_us, BACKOFF_US[1])
        self.network.clock.after(taken_us + pause_us, partial(self._try, pair, dialing, longer_us))
