"""How long real nodes may take after the calm: the bound of protocol section 9, and what real connections cost."""

from __future__ import annotations

from harness.bounds import slowest_ms, within_ms
from harness.calibration.delays import links_us
from lucid.chain.parameters import Parameters
from lucid.machines.engine.timeout import MAX_FACTOR, SLOW_TO_GROW
from lucid.services.peer.conversation import SILENT_S, STALLED_S
from lucid.services.peer.peers import BACKOFF_S, HANDSHAKE_S
from sim.faults.delay import Delay
from sim.faults.fault import UNLIKELY, Fault
from sim.faults.loss import Loss
from sim.faults.partition import Partition
from sim.faults.reset import Reset
from sim.scenario import Scenario

VIEWS = 2
"""Views that the bound allows where no leader is faulty: one that is over, and one that ends well."""
HELD_MS = int(min(SILENT_S, STALLED_S) * 1_000)
"""A connection bears to be held for so long; then whoever waits ends it."""
TRIES_HELD = 8
"""Segments lost in a row that hold a connection for so long (`harness.proxied.linkfaults`): 20 ms, 0.2 s, 0.4 s ..."""


def bound_ms(scenario: Scenario, slow_ms: int) -> int:
    """How long after the calm a block may take, on processes by which a view took `slow_ms` longer than it should."""
    return section_ms(scenario) + redial_ms(scenario) + VIEWS * slow_ms


def section_ms(scenario: Scenario) -> int:
    """Section 9 without a faulty leader: timeouts as they may have grown by then, an interval, what messages take.

    While links are disturbed each view may be slow, and lasts a timeout at least; four of them double it.
    """
    parameters = Parameters(**scenario.parameters)
    base_ms = parameters.slot_timeout_ms
    disturbed_ms = scenario.calm_ms - min((each.at_ms for each in scenario.fault), default=scenario.calm_ms)
    factor, slow_ms = 1, SLOW_TO_GROW * base_ms
    while factor < MAX_FACTOR and slow_ms <= disturbed_ms:
        factor *= 2
        slow_ms += SLOW_TO_GROW * factor * base_ms
    longest_ms = slowest_ms(links_us(scenario), scenario)
    return int(within_ms(0, factor * base_ms, longest_ms, parameters.block_interval_ms))


def redial_ms(scenario: Scenario) -> int:
    """How long nodes may take to be connected again, if the faults can have ended a connection; else none.

    Waits double from one try to the next, and half of each at least is waited: so the last is no longer than twice
    what all before it took. Where a connection can be made, and says nothing, its handshake is waited for as well.
    """
    ends_ms = [_ends_ms(fault, scenario) for fault in scenario.fault]
    first_ms = min([each for each in ends_ms if each is not None], default=None)
    if first_ms is None:
        return 0
    least_s, most_s = BACKOFF_S
    wait_ms = min(most_s * 1_000, 2 * (least_s * 1_000 + scenario.calm_ms - first_ms))
    mute = any(type(each) is not Reset and _until_ms(each, scenario) > first_ms for each in scenario.fault)
    return int(wait_ms + mute * HANDSHAKE_S * 1_000)


def _ends_ms(fault: Fault, scenario: Scenario) -> int | None:
    """From when on this fault can have ended connections, if it can at all."""
    match fault:
        case Reset():
            return fault.at_ms
        case Loss() if (fault.percent / 100) ** TRIES_HELD >= UNLIKELY:
            return fault.at_ms
        case Partition() if _until_ms(fault, scenario) - fault.at_ms >= HELD_MS:
            return fault.at_ms + HELD_MS
        case Delay() if fault.most_ms >= HELD_MS:
            return fault.at_ms + HELD_MS
        case _:
            return None


def _until_ms(fault: Fault, scenario: Scenario) -> int:
    return scenario.calm_ms if fault.until_ms is None else fault.until_ms
