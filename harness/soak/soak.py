"""One soak of a devnet: a fault now and then under load and probes, until time is up; then whether all is well."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable

import httpx

from harness.soak.asking import height, reasons
from harness.soak.ending import settle
from harness.soak.faults import FaultKind, kinds
from harness.soak.load import load
from harness.soak.probe import probe
from harness.soak.trial import LEVEL_BLOCKS, LEVEL_S, PROBE_S, SoakFault, SoakTrial, tell
from lucid.services.devnode import SERVICES

HURT_EVERY_S = 20.0


def run(trial: SoakTrial, seconds: float, stopped: Callable[[], bool]) -> None:
    """Load, probe and hurt for that long, or until it is stopped, and then see whether all is well."""
    _await_blocks(trial)
    ended = threading.Event()
    threads = [threading.Thread(target=each, args=(trial, ended)) for each in (load, probe)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + seconds
    waiting: deque[str] = deque()
    try:
        while time.monotonic() + HURT_EVERY_S < until and not stopped():
            began = time.monotonic()
            _hurt(trial, waiting)
            while time.monotonic() < began + HURT_EVERY_S and not stopped():
                time.sleep(PROBE_S)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    settle(trial)


def _await_blocks(trial: SoakTrial) -> None:
    """A chain that never had a block waits, and calls itself healthy."""
    deadline = time.monotonic() + LEVEL_S
    with httpx.Client(timeout=5, trust_env=False) as client:
        while any((height(client, node) or 0) < LEVEL_BLOCKS for node in trial.network.nodes):
            assert time.monotonic() < deadline, "no blocks"
            time.sleep(PROBE_S)


def _hurt(trial: SoakTrial, waiting: deque[str]) -> None:
    """One fault, of the next kind in an order that is drawn anew each time that all were had."""
    possible, chance = kinds(trial), trial.chance
    if not waiting:
        waiting.extend(chance.sample(sorted(possible), len(possible)))
    name = waiting.popleft()
    kind: FaultKind = possible[name]
    nodes = [each for each in trial.network.nodes if name != "fill" or each.name in trial.small]
    fault = SoakFault(name, chance.choice(nodes), chance.choice(kind.services))
    _await_all_well(trial)
    tell(str(fault))
    trial.hurt = fault.node
    try:
        kind.do(trial, fault)
    except (OSError, subprocess.SubprocessError, httpx.HTTPError) as error:
        trial.say(f"{fault}: {error!r}")
    for service in fault.node.ended():
        trial.say(f"{fault}: its {service} has ended: {fault.node.last_words(service)}")
        fault.node.start(service)
    took_s = trial.await_well(fault.node, kind.healed_s)
    if took_s is None:
        with httpx.Client(timeout=2, trust_env=False) as client:
            said = {each: reasons(client, fault.node, each) for each in SERVICES}
        trial.say(f"{fault}: not well {kind.healed_s:.0f} s later: {said}")
    else:
        tell(f"    well after {took_s:.1f} s")
    trial.healed.setdefault(name, []).append(kind.healed_s if took_s is None else took_s)
    trial.hurt = None


def _await_all_well(trial: SoakTrial) -> None:
    """A chain of four goes on without one of them: of the next fault nothing can be said while another still heals."""
    unwell = [each.name for each in trial.network.nodes if trial.await_well(each, LEVEL_S) is None]
    if unwell:
        trial.say(f"{', '.join(unwell)}: not well {LEVEL_S:.0f} s after anything was done to a node")
