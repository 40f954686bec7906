"""All fuzzers at once against one node, for as long as wanted: it must live, answer, and give its memory back."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from random import Random
from typing import NamedTuple

import httpx
import trio

from fuzz import targets
from fuzz.hostile import Hostile, key_above
from fuzz.node import MAX_RSS_MIB, RSS_SLACK, attacked, check, peak_mib, rss_mib
from fuzz.targets import Attempt, http1, json_bodies, peer_dialed, peer_port
from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES, DevNode
from lucid.services.process.ports import free_ports

LISTENERS = 8
"""Hostile nodes that wait to be dialed: a manager that lost one waits ever longer, half a minute at most."""
IDLE_S = 30.0
AFTER_S = 60.0
SAMPLE_S = 1.0
SAID_S = 300.0
REST_S = 0.02
"""After each case of what attacks no node: most of the time is for those that do."""
ON_THE_NODE = ("http1", "json_bodies", "peer_port")
"""The targets that attack a node; the others take what they need with them."""


class Memory(NamedTuple):
    """A service's memory in MiB: before the attack, at most in it, and a minute after it."""

    idle: int
    most: int
    after: int


def run(seed: int, seconds: float) -> int:
    """Attack for that long, and print what came of it; returns 1 where something did not hold."""
    hostile: list[Hostile] = []
    ports = free_ports(LISTENERS)

    def prepare(network: Devnet) -> None:
        node = network.nodes[0]
        hostile.extend(peer_port.dialers(network))
        listeners = [Hostile(network.genesis.chain_id, key_above(node.key)) for _ in range(LISTENERS)]
        addresses = {each.key: f"tcp://127.0.0.1:{port}" for each, port in zip(listeners, ports, strict=True)}
        peer_port.configure_peers(node, {each.key: "tcp://127.0.0.1:1" for each in hostile} | addresses)
        hostile.extend(listeners)

    with attacked(prepare=prepare) as node, ExitStack() as stack:
        dialers, listeners = hostile[: peer_port.PEERS], hostile[peer_port.PEERS :]
        time.sleep(IDLE_S)
        idle = {service: rss_mib(node, service) for service in SERVICES}
        attempts = {
            "http1": http1.against(node),
            "json_bodies": stack.enter_context(json_bodies.against(node)),
            "peer_port": peer_port.against(node, dialers),
            **{name: stack.enter_context(targets.opened(name)) for name in targets.names() if name not in ON_THE_NODE},
        }
        attack = Attack(seed, attempts)
        with listening(seed, node, listeners, ports, attack.answered):
            attack.on(node, seconds)
        for service in SERVICES:
            check(node, service)
        time.sleep(AFTER_S)
        memory = {each: Memory(idle[each], peak_mib(node, each), rss_mib(node, each)) for each in SERVICES}
        peer_port.check_peers(node)
        return attack.report(memory)


class Attack:
    """One attack: a thread for each fuzzer, until the time is over or the node is."""

    def __init__(self, seed: int, attempts: dict[str, Attempt]) -> None:
        self.seed = seed
        self.attempts = attempts
        self.cases: Counter[str] = Counter()
        self.failures: list[str] = []
        self.slowest_s = 0.0
        self._over = threading.Event()

    def answered(self) -> None:
        """The node has dialed a hostile one."""
        self.cases["dialed by the node"] += 1

    def on(self, node: DevNode, seconds: float) -> None:
        """Attack a node for that long, or until one of its services ends."""
        threads = [threading.Thread(target=self._go_on, args=(name,)) for name in self.attempts]
        for thread in threads:
            thread.start()
        try:
            self._watch(node, time.monotonic() + seconds)
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _go_on(self, name: str) -> None:
        while not self._over.is_set():
            case = self.cases[name]
            try:
                self.attempts[name](Random(f"{name} {self.seed} {case}"))
            except Exception as error:
                self.failures.append(f"{name}: case {case}: {type(error).__name__}: {error}")
                print(self.failures[-1], file=sys.stderr, flush=True)
            self.cases[name] += 1
            if name not in ON_THE_NODE:
                self._over.wait(REST_S)

    def _watch(self, node: DevNode, until: float) -> None:
        said = time.monotonic()
        while (now := time.monotonic()) < until and not node.ended():
            for service in SERVICES:
                self._ask(node, service)
            if now - said > SAID_S:
                said = now
                held = {service: rss_mib(node, service) for service in SERVICES}
                print(f"{until - now:.0f} s to go: {dict(self.cases)}; {held} MiB", flush=True)
            time.sleep(SAMPLE_S)
        self.failures += [f"the {service} ended with status {status}" for service, status in node.ended().items()]

    def _ask(self, node: DevNode, service: str) -> None:
        began = time.monotonic()
        try:
            httpx.get(f"{node.url(service)}/health", timeout=30.0, trust_env=False)
        except httpx.HTTPError as error:
            self.failures.append(f"the {service} does not answer: {type(error).__name__}")
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)

    def report(self, memory: dict[str, Memory]) -> int:
        """Print what came of it; returns 1 where something did not hold."""
        for name, cases in sorted(self.cases.items()):
            print(f"{name}: {cases} cases of seed {self.seed}")
        for service, each in memory.items():
            print(f"{service}: {each.idle} MiB idle, {each.most} at most, {each.after} a minute after")
            if each.most > MAX_RSS_MIB:
                self.failures.append(f"the {service} held {each.most} MiB")
            if each.after > each.idle * RSS_SLACK:
                self.failures.append(f"the {service} kept {each.after} MiB of {each.idle}")
        print(f"slowest answer of /health: {self.slowest_s:.2f} s")
        for failure in self.failures:
            print(f"not so: {failure}", file=sys.stderr)
        return 1 if self.failures else 0


@contextmanager
def listening(
    seed: int, node: DevNode, hostile: list[Hostile], ports: list[int], answered: Callable[[], None]
) -> Iterator[None]:
    """Hostile nodes that the node may dial."""
    over = threading.Event()

    async def serve(number: int, who: Hostile) -> None:
        random = Random(f"listener {seed} {number}")

        async def one(stream: trio.SocketStream) -> None:
            answered()
            with trio.move_on_after(peer_dialed.CASE_S):
                await peer_dialed.answer(random, stream, who, node.key)

        await trio.serve_tcp(one, ports[number], host="127.0.0.1")

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for number, who in enumerate(hostile):
                nursery.start_soon(partial(serve, number, who))
            await trio.to_thread.run_sync(over.wait)
            nursery.cancel_scope.cancel()

    thread = threading.Thread(target=trio.run, args=(main,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
