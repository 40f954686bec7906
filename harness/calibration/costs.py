"""What this machine takes for what a node does around its protocol: measured on real nodes, for the simulator."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from math import sqrt
from pathlib import Path
from statistics import fmean, pvariance
from typing import Any, NamedTuple

from lucid.chain.codec import decode
from lucid.chain.genesis import read_genesis_record
from lucid.machines.effects import Broadcast, EngineEvent, Forward, ManagerEvent, Received, Send, Store
from lucid.machines.journal import Entry, JournalHeader, mark
from lucid.storage.journal import read_journal
from sim.costs import Costs
from sim.samples import Spread, spread

_STORE = mark(Store(()))[0]


class WantedCost(NamedTuple):
    """An effect in a journal: when its machine took its event in hand (ms), and whether a write stood before it."""

    at_ms: int
    stored: bool


Wants = dict[tuple[int, bytes], deque[WantedCost]]


def costs_of(
    journals: Sequence[Path], write_us: Sequence[int], link_us: Callable[[int, int], int], from_ms: int = 0
) -> Costs:
    """The costs that the journals of a chain's nodes show from a moment on (ms since 1970), as processes that start
    take longer. Their links took exactly `link_us` from one to another.

    `write_us` are how long writes took: where one stood before an effect, that is no part of what the effect took.
    Raises `JournalError`.
    """
    managers: dict[bytes, list[Entry]] = {}
    engines: dict[bytes, list[Entry]] = {}
    order: dict[bytes, int] = {}
    for path in journals:
        head, entries = read_journal(path)
        order = order or {node.key: place for place, node in enumerate(read_genesis_record(head.genesis).nodes)}
        _of(head, managers, engines).setdefault(head.key, []).extend(each for each in entries if each.now >= from_ms)
    write = tuple(sorted(write_us))
    tells: dict[str, list[tuple[int, bool]]] = defaultdict(list)
    for key in sorted(managers.keys() & engines.keys(), key=order.__getitem__):
        _tells(managers[key], engines[key], EngineEvent, tells)
        _tells(engines[key], managers[key], ManagerEvent, tells)
    messages = _messages(managers, lambda sender, receiver: link_us(order[sender], order[receiver]))
    return Costs(
        write=write,
        tells={kind: without(samples, write) for kind, samples in sorted(tells.items())},
        messages={tag: without(samples, write) for tag, samples in sorted(messages.items())},
    )


def _of(head: JournalHeader, managers: dict[Any, Any], engines: dict[Any, Any]) -> dict[bytes, list[Entry]]:
    return managers if head.machine == "manager" else engines


def _wants(entries: Iterable[Entry]) -> Wants:
    """The effects of a journal by their marks, each in order."""
    found: Wants = defaultdict(deque)
    for each in entries:
        stored = False
        for effect in each.effects:
            stored = stored or effect[0] == _STORE
            found[effect].append(WantedCost(each.now, stored))
    return found


def _tells(from_: Iterable[Entry], to: Iterable[Entry], kind: Any, found: dict[str, list[tuple[int, bool]]]) -> None:
    """Add how long each event took from one machine of a node to the other, and whether a write was in between."""
    wants = _wants(from_)
    for each in to:
        event = decode(each.event, kind)
        waiting = wants.get(mark(Forward(event)))
        if waiting:
            wanted = waiting.popleft()
            found[type(event).__name__].append(((each.now - wanted.at_ms) * 1_000, wanted.stored))


def _messages(
    managers: dict[bytes, list[Entry]], link_us: Callable[[bytes, bytes], int]
) -> dict[int, list[tuple[int, bool]]]:
    """How long each message took from one manager to another beside the link, by tag, and whether a write was in
    between."""
    found: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    for receiver, entries in managers.items():
        # Each receiver of a broadcast takes its own copy.
        wants = {sender: _wants(managers[sender]) for sender in managers if sender != receiver}
        for each in entries:
            event: Any = decode(each.event, ManagerEvent)  # type: ignore[arg-type]
            if not isinstance(event, Received) or event.peer not in wants:
                continue
            sent = wants[event.peer]
            waiting = sent.get(mark(Broadcast(event.data))) or sent.get(mark(Send(receiver, event.data)))
            if waiting:
                wanted = waiting.popleft()
                took_us = (each.now - wanted.at_ms) * 1_000 - link_us(event.peer, receiver)
                found[event.data[1]].append((took_us, wanted.stored))
    return found


def without(samples: Sequence[tuple[int, bool]], write: Sequence[int]) -> tuple[int, ...]:
    """The samples in order, less what a write took where there was one (True).

    Nobody sees both parts of such a sample, so they are drawn together until what is left has the mean, and the
    variance, that make those of the samples when a write is added that has nothing to do with it.
    """
    plain = [took_us for took_us, waited in samples if not waited]
    stored = [took_us for took_us, waited in samples if waited]
    if stored and write:
        mean, variance = fmean(stored), pvariance(stored)
        share = sqrt(max(0.0, 1 - pvariance(write) / variance)) if variance else 0.0
        least = mean - fmean(write)
        stored = [max(0, round(least + (took_us - mean) * share)) for took_us in stored]
    return tuple(sorted([*plain, *stored]))


def summary(costs: Costs) -> dict[str, Spread]:
    """How the samples spread, by what they are of: `write`, events by name, messages as `message` and their tag."""
    return {
        "write": spread(costs.write),
        **{kind: spread(samples) for kind, samples in costs.tells.items()},
        **{f"message {tag}": spread(samples) for tag, samples in costs.messages.items()},
    }
