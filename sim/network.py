"""The simulated network: jitter, links with a rate, cuts, and what faults do to messages.

With `connections` messages go over one ordered connection a pair, else each goes its own way, as datagrams do.

One event object carries a broadcast from receiver to receiver, so that the event queue holds one entry a message on
its way and not one a delivery.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random

from lucid.machines.effects import PeerJoined, Received
from sim.clock import TAG_BITS, Moment, VirtualClock
from sim.connections import Connections
from sim.disktime import quantile_table
from sim.flights import RECEIVERS, Flight, Volley
from sim.latency import PPM, Profile
from sim.links import AccessLink
from sim.queuing import Queuing
from sim.segments import wire_bytes
from sim.sending import DeliverHook, Scattering, SendHook, Sending
from sim.trace import Trace

JITTER_MASK = 1_023


class Network:
    """Carries messages between nodes by index and counts them by kind (the message's tag)."""

    def __init__(
        self,
        clock: VirtualClock,
        base_us: Sequence[Sequence[int]],
        profile: Profile,
        links: Sequence[AccessLink],
        random: Random,
        trace: Trace,
    ) -> None:
        self.clock = clock
        self.base_us = base_us
        self.size = len(base_us)
        self.messages = [0] * 64
        self.bytes = [0] * 64
        self.wire_bytes = 0
        self.deliveries = 0
        self._sent = 0
        self.cut: set[tuple[int, int]] = set()
        self.connections: Connections | None = None
        self.length: Callable[[bytes], int] = len
        """The bytes of a message on the wire; of some kinds not all are there (`sim.wirelength`)."""
        self.handling_us: Callable[[int], int] | None = None
        """Draws what both ends take for a message of a kind, beside its link."""
        self.queuing: Queuing | None = None
        """What the traffic of others adds to the delays of links."""
        self.on_send: tuple[SendHook, ...] = ()
        self.on_deliver: tuple[DeliverHook, ...] = ()
        self.receivers: list[Callable[[Received | PeerJoined], None]] = []
        self._factors = quantile_table(profile.jitter)
        """Of a message, what it takes of its link's latency (ppm), by the dice: one small table for all links."""
        self._plain = links
        self._links = list(links)
        self._caps: list[list[int]] = [[] for _ in links]
        self._down_bps = [link.down_bps for link in links]
        self._uplink_free = [0] * self.size
        self._downlink_free = [0] * self.size
        self._bytes = random.randbytes
        self._bits = random.getrandbits
        self._trace = trace
        self._note = trace.note
        self._writing = trace.writing

    def send(self, sender: int, key: bytes, receivers: Sequence[int], data: bytes) -> None:
        """Send `data` from a node (with its id) to each receiver; copies queue at the sender's uplink."""
        hooks = self.on_send
        if hooks:
            only = hooks[0]
            if len(hooks) == 1 and isinstance(only, Scattering) and self.connections is not None:
                self._scatter(self.connections, sender, key, data, only.delays_us(sender, receivers, data))
                return
            sendings: Sequence[Sending] = (Sending(receivers, data),)
            for hook in hooks:
                sendings = [each for sending in sendings for each in hook(sender, sending)]
            self._transmit_all(sender, key, sendings)
        else:
            self.transmit(sender, key, receivers, data)

    def cap(self, node: int, up_bps: int) -> Callable[[], None]:
        """Let a node's uplink carry no more than so much; returns what undoes that."""
        self._caps[node].append(up_bps)
        self._slow(node)

        def undo() -> None:
            self._caps[node].remove(up_bps)
            self._slow(node)

        return undo

    @property
    def behind_us(self) -> int:
        """How long the fullest uplink takes until what was handed to it has left, at the rates that it had then."""
        return max(map(self.uplink_behind_us, range(self.size)), default=0)

    def uplink_behind_us(self, node: int) -> int:
        """The same of one node's uplink."""
        return max(0, self._uplink_free[node] - self.clock.now_us)

    def _slow(self, node: int) -> None:
        plain = self._plain[node]
        self._links[node] = plain._replace(up_bps=min([plain.up_bps, *self._caps[node]]))

    def apart(self) -> set[tuple[int, int]]:
        """The ordered pairs of nodes between which nothing passes now: cut, or not connected."""
        return self.cut if self.connections is None else self.cut | self.connections.down

    def set_cut(self, cut: set[tuple[int, int]]) -> None:
        """Let nothing pass between these ordered pairs, and no others, from now on."""
        before, self.cut = self.cut, cut
        if self.connections is not None and before != cut:
            self.connections.cut_changed(before)

    def transmit(self, sender: int, key: bytes, receivers: Sequence[int], data: bytes, delay_us: int = 0) -> None:
        """Put `data` on the wire, past what faults do to a sending."""
        receivers = self._reached(sender, receivers)
        count = len(receivers)
        if not count:
            return
        dice = array("H", self._bytes(2 * count))
        if sys.byteorder == "big":
            dice.byteswap()
        base_us, factors = self.base_us[sender], self._factors
        length = self.length(data)
        wire = wire_bytes(length)
        latencies = [
            base_us[each] * factors[die & JITTER_MASK] // PPM + delay_us
            for each, die in zip(receivers, dice, strict=True)
        ]
        if self.queuing is not None:
            latencies = self._queued(self.queuing, sender, receivers, latencies)
        if self.connections is None:
            copy_us = max(1, wire * 8_000_000 // self._links[sender].up_bps)
            depart = max(self._uplink_free[sender], self.clock.now_us)
            free = self._uplink_free[sender] = depart + copy_us * count
            departures = range(depart + copy_us << TAG_BITS, (free << TAG_BITS) + 1, copy_us << TAG_BITS)
            arrivals = [
                (latency_us << TAG_BITS) + at + each
                for each, latency_us, at in zip(receivers, latencies, departures, strict=True)
            ]
        else:
            if self.handling_us is not None:
                latencies = [max(0, each + self.handling_us(data[1])) for each in latencies]
            arrivals = self._carried(self.connections, sender, receivers, length, wire, latencies)
        now = self.clock.now_us
        self._count(data[1], length, wire, count)
        self._trace.sent(now, self._sent + 1, sender, count, data)
        arrivals.sort(reverse=True)
        self._sent += 1
        flight = Flight(self._arrive, Received(key, data), sender, self._sent, now, wire * 8_000_000, arrivals)
        self.clock.put(flight, arrivals[-1] >> TAG_BITS)

    def _transmit_all(self, sender: int, key: bytes, sendings: Sequence[Sending]) -> None:
        """Transmit each in order. What a fault split into single messages goes as one volley, which is the same."""
        at = 0
        while at < len(sendings):
            first = sendings[at]
            end = at + 1
            while end < len(sendings) and sendings[end].data is first.data and len(sendings[end].receivers) == 1:
                end += 1
            if self.connections is None or end - at == 1 or len(first.receivers) != 1:
                self.transmit(sender, key, first.receivers, first.data, first.delay_us)
                at += 1
            else:
                delays_us = {each.receivers[0]: each.delay_us for each in sendings[at:end]}
                self._scatter(self.connections, sender, key, first.data, delays_us)
                at = end

    def _scatter(
        self, connections: Connections, sender: int, key: bytes, data: bytes, delays_us: Mapping[int, int]
    ) -> None:
        """What `transmit` to each of these receivers by itself, the one after the other, would come to."""
        if len(delays_us) == 1:
            [(receiver, delay_us)] = delays_us.items()
            self.transmit(sender, key, (receiver,), data, delay_us)
            return
        receivers = self._reached(sender, [*delays_us])
        count = len(receivers)
        if not count:
            return
        length = self.length(data)
        base_us, factors, wire, draw = self.base_us[sender], self._factors, wire_bytes(length), self._bits
        latencies = [base_us[each] * factors[draw(16) & JITTER_MASK] // PPM + delays_us[each] for each in receivers]
        if self.queuing is not None:
            latencies = self._queued(self.queuing, sender, receivers, latencies)
        arrivals = self._carried(connections, sender, receivers, length, wire, latencies)
        now, first = self.clock.now_us, self._sent + 1
        self._count(data[1], length, wire, count)
        self._trace.sent_singly(now, first, count, sender, data)
        self._sent += count
        ids = self.clock.draw_ids(count)
        times = sorted((code - receivers[place] + place for place, code in enumerate(arrivals)), reverse=True)
        ordered = [ids[code & (RECEIVERS - 1)] for code in times]
        event = Received(key, data)
        load = wire * 8_000_000
        self.clock.put_each(
            Volley(self._arrive_volley, event, sender, first, now, load, times, ids=ordered, receivers=receivers)
        )

    @staticmethod
    def _queued(queuing: Queuing, sender: int, receivers: Sequence[int], latencies: Sequence[int]) -> list[int]:
        """The latencies to these receivers, with what the traffic of others adds."""
        return [each + queuing.wait_us(sender, to) for to, each in zip(receivers, latencies, strict=True)]

    def _reached(self, sender: int, receivers: Sequence[int]) -> Sequence[int]:
        """Those of the receivers to whom there is a way now."""
        if self.connections is not None:
            return self.connections.connected(sender, receivers)
        return [each for each in receivers if (sender, each) not in self.cut] if self.cut else receivers

    def _carried(
        self,
        connections: Connections,
        sender: int,
        receivers: Sequence[int],
        length: int,
        wire: int,
        latencies: Sequence[int],
    ) -> list[int]:
        """When each receiver has its copy of so many bytes, by connections, after those before it on the uplink."""
        copy_us = max(1, wire * 8_000_000 // self._links[sender].up_bps)
        depart = max(self._uplink_free[sender], self.clock.now_us)
        self._uplink_free[sender] = depart + copy_us * len(receivers)
        return connections.arrivals(sender, receivers, depart, copy_us, length, latencies)

    def _count(self, kind: int, length: int, wire: int, copies: int) -> None:
        self.messages[kind] += copies
        self.bytes[kind] += copies * length
        self.wire_bytes += copies * wire

    def _arrive(self, flight: Flight) -> None:
        """One receiver has it now; the flight goes on to the next one."""
        code = flight.code
        receiver = code & (RECEIVERS - 1)
        connections = self.connections
        if connections is not None:
            # Each of the three is empty but for some seconds around a fault.
            disturbed = connections.resets or connections.held or self.cut
            if disturbed and not connections.arrive(flight, receiver):
                return
            # Its last bit is here now, so its first came a copy's time ago, if the downlink was free then.
            now, free = self.clock._now, self._downlink_free
            began_us, free_us = now - flight.load // self._down_bps[receiver], free[receiver]
            if free_us > began_us:
                # It waits for those before it.
                free[receiver] = done_us = now + free_us - began_us
                self.clock.put(
                    Moment(partial(self.deliver, flight.number, flight.sender, receiver, flight.event)), done_us
                )
                return
            free[receiver] = now
        note = self._note
        note(code)
        note(flight.number)
        if self._writing or self.on_deliver:
            self._hand_over(code >> TAG_BITS, flight.number, flight.sender, receiver, flight.event)
            return
        self.deliveries += 1
        self.receivers[receiver](flight.event)

    def _arrive_volley(self, volley: Volley) -> None:
        """The next of its messages is at its receiver."""
        place = volley.code & (RECEIVERS - 1)
        receiver = volley.receivers[place]
        volley.number = volley.first + place
        volley.code += receiver - place
        self._arrive(volley)

    def deliver(self, number: int, sender: int, receiver: int, event: Received, _: Moment | None = None) -> None:
        """Deliver a message that had waited for its link."""
        now = self.clock.now_us
        self._note((now << TAG_BITS) + receiver)
        self._note(number)
        self._hand_over(now, number, sender, receiver, event)

    def _hand_over(self, now_us: int, number: int, sender: int, receiver: int, event: Received) -> None:
        if self._writing:
            self._trace.delivered(now_us, number, sender, receiver, event.data[1])
        self.deliveries += 1
        for hook in self.on_deliver:
            heard = hook(receiver, event)
            if heard is None:
                return
            event = heard
        self.receivers[receiver](event)
