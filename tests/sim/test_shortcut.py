"""The shortcut for messages that only pass through the manager: it comes to what the long way comes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lucid.machines.decodedmessages import decode_message
from lucid.machines.effects import Effects, Forward, Received
from lucid.machines.engine import Engine
from lucid.machines.manager import Manager
from lucid.machines.messages import CertificateMessage, VoteMessage
from sim.network import Network
from sim.runner import Runner
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.sending import Sending
from sim.world import World
from tests.runs import FAST, run

LOSSY = [{"kind": "loss", "percent": 5}, {"kind": "crash", "node": 1, "at": "20s", "until": "40s"}]
TRAITOR = [{"kind": "flood", "node": 3, "at": "10s"}]
SCENARIOS = {
    "calm": changed(Scenario(), nodes=7, duration="60s", parameters=FAST),
    "faults": changed(Scenario(), nodes=5, duration="90s", parameters=FAST, fault=LOSSY),
    "traitor": changed(Scenario(), nodes=4, duration="40s", parameters=FAST, fault=TRAITOR),
}


class ViewAll:
    """A tap that needs to know of every event."""

    votes = True

    def __init__(self, machine: type[Manager] | type[Engine]) -> None:
        self.machine = machine
        self.votes_seen = 0

    def __call__(self, runner: Runner, now: int, event: Any, effects: Effects) -> None:
        heard = decode_message(event.data) if type(event) is Received else event
        self.votes_seen += type(heard) is VoteMessage


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_the_long_way_has_the_same_trace(name: str) -> None:
    """A tap that does nothing makes every message go the long way."""
    plain = run(SCENARIOS[name]).result
    taps = [ViewAll(Manager), ViewAll(Engine)]
    tapped = run(SCENARIOS[name], lambda world: world.taps.extend(taps)).result
    assert min(tap.votes_seen for tap in taps) > 100
    assert (plain.trace_hash, plain.state_root) == (tapped.trace_hash, tapped.state_root)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_what_passes_on_is_what_the_manager_says_of_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are asked of each message, in either order: the same answer, and the same knowledge of peers."""
    passed: dict[type, int] = {}
    handle = Manager.handle

    def both(self: Manager, now: int, event: Any) -> Any:
        if type(event) is not Received:
            return handle(self, now, event)
        message = self.passed_on(now, event)
        seen, views = repr(self.sightings.latest), dict(self.book.peer_views)
        effects = handle(self, now, event)
        if message is not None:
            passed[type(message)] = passed.get(type(message), 0) + 1
            assert effects == ([Forward(message)] if type(message) is VoteMessage else [])
            assert (repr(self.sightings.latest), dict(self.book.peer_views)) == (seen, views)
        return effects

    plain = run(SCENARIOS[name]).result.trace_hash
    monkeypatch.setattr(Manager, "handle", both)
    monkeypatch.setattr(Runner, "receive", lambda runner, event: runner.step(event))
    assert run(SCENARIOS[name]).result.trace_hash == plain
    assert passed[VoteMessage] > 100 and passed[CertificateMessage] > 20


def test_what_a_lossy_network_carries_goes_as_a_whole_or_singly_with_one_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    wholes: list[int] = []
    scatter = Network._scatter

    def counted(self: Network, connections: Any, sender: int, key: bytes, data: bytes, delays_us: Any) -> None:
        wholes.append(len(delays_us))
        scatter(self, connections, sender, key, data, delays_us)

    monkeypatch.setattr(Network, "_scatter", counted)
    whole = run(SCENARIOS["faults"]).result.trace_hash
    assert max(wholes) > 1
    monkeypatch.setattr("sim.network.Scattering", type("Nothing", (), {}))
    assert run(SCENARIOS["faults"]).result.trace_hash == whole
    monkeypatch.setattr(Network, "_transmit_all", _each)
    wholes.clear()
    assert run(SCENARIOS["faults"]).result.trace_hash == whole and not wholes


def _each(self: Network, sender: int, key: bytes, sendings: Sequence[Sending]) -> None:
    """`_transmit_all`, every message by itself."""
    for each in sendings:
        self.transmit(sender, key, each.receivers, each.data, each.delay_us)


def test_a_vote_of_another_goes_the_long_way_and_is_refused() -> None:
    worlds: list[World] = []
    run(SCENARIOS["calm"], worlds.append)
    [manager, *_] = [node.manager.machine for node in worlds[0].nodes if node.manager is not None]
    assert isinstance(manager, Manager)
    assert manager.passed_on(0, Received(bytes(32), b"\x92\x02\xc0")) is None, "no message"
