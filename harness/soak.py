"""A soak: a devnet of four under a session a second, while failures are injected again and again, by a seed.

`python -m harness.soak --minutes 60 --seed 1`. A probe compares what /health says with what is so. At the end all that
was accepted must be final, every chunk there, and all nodes level.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx

from lucid.chain.chunks import chunk_id
from lucid.chain.keys import ed25519_public_key
from lucid.chain.manifests import sign_manifest
from lucid.poot.crypto import Edwards25519
from lucid.services.devnet import SERVICES, Devnet, DevNode

NODES = 4
INTERVAL_MS = 1_000
HURT_EVERY_S = 20.0
PAUSE_S = 12.0
NOTICED_S = 8.0
"""How long a sibling that hangs may go unnoticed."""
HEALED_S = 15.0
"""How long after the end of a fault the node may be unwell."""
LEVEL_S = 60.0
OWNER = bytes(range(32))
SIBLINGS = {"manager": "engine", "engine": "manager"}


class Fault(NamedTuple):
    """Something done to a service of a node."""

    kind: str
    node: DevNode
    service: str

    def __str__(self) -> str:
        return f"{self.kind} {self.node.name}'s {self.service}"


class Session(NamedTuple):
    """A session that was accepted."""

    node: DevNode
    identity: str
    chunk: bytes


class Soak:
    """One run. `faults` are sentences on what went wrong; `healed` says how long each kind took to heal."""

    def __init__(self, network: Devnet, seed: int) -> None:
        self.network = network
        self.chance = random.Random(seed)
        self.faults: list[str] = []
        self.healed: dict[str, list[float]] = {}
        self.accepted: list[Session] = []
        self.refused = 0
        self._hurt: DevNode | None = None
        self._ended = threading.Event()
        self._kinds: deque[str] = deque()

    def run(self, seconds: float) -> None:
        """Load, probe and hurt for that long, and then see whether all is well."""
        threads = [threading.Thread(target=each) for each in (self._load, self._probe)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + seconds
        try:
            while time.monotonic() + HURT_EVERY_S < until:
                began = time.monotonic()
                self._hurt_something()
                time.sleep(max(0.0, HURT_EVERY_S - (time.monotonic() - began)))
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()
        self._settle()

    # -- load and probe ------------------------------------------------------------------------------------------

    def _load(self) -> None:
        """A session a second, at one node after the other."""
        chance, number, crypto = random.Random(self.chance.random()), 0, Edwards25519()
        with httpx.Client(timeout=3) as client:
            while not self._ended.wait(1):
                node = self.network.nodes[number % NODES]
                number += 1
                session, data = str(uuid.uuid4()), chance.randbytes(2_000)
                owner = ed25519_public_key(OWNER).hex()
                fields = {
                    "session": session,
                    "started_ms": 1,
                    "ended_ms": 2,
                    "chunks": [{"index": 0, "size": len(data), "id": chunk_id(data).hex()}],
                }
                body = sign_manifest(fields, OWNER, self.network.genesis.chain_id, crypto)
                headers = {"Authorization": f"Bearer {node.token}", "Content-Type": "application/octet-stream"}
                put = f"{node.url('data')}/chunks/{chunk_id(data).hex()}?session={session}&owner={owner}"
                try:
                    stored = client.put(put, content=data, headers=headers).status_code == 201
                    headers["Content-Type"] = "application/json"
                    anchored = stored and client.post(
                        f"{node.url('anchoring')}/anchor-session", content=body, headers=headers
                    )
                except httpx.HTTPError:
                    anchored = False
                if anchored is not False and anchored.status_code == 202:
                    self.accepted.append(Session(node, session, data))
                else:
                    self.refused += 1

    def _probe(self) -> None:
        """Whether nodes that nothing was done to are well, as they say."""
        unwell: dict[str, float] = {}
        with httpx.Client(timeout=2) as client:
            while not self._ended.wait(0.5):
                for node in self.network.nodes:
                    for service in SERVICES:
                        name = f"{node.name}'s {service}"
                        said = health(client, node, service)
                        if said == "healthy" or node is self._hurt:
                            unwell.pop(name, None)
                        elif time.monotonic() - unwell.setdefault(name, time.monotonic()) > HEALED_S:
                            self.faults.append(f"{name} says {said}, and nothing was done to it")
                            unwell[name] = time.monotonic() + 60

    # -- faults --------------------------------------------------------------------------------------------------

    def _hurt_something(self) -> None:
        node, service = self.chance.choice(self.network.nodes), self.chance.choice(SERVICES)
        kinds: dict[str, Callable[[Fault], None]] = {
            "kill": self._kill,
            "pause": self._pause,
            "stop": self._stop,
            "mistype": self._mistype,
            "rot": self._rot,
        }
        if not self._kinds:
            self._kinds.extend(self.chance.sample(sorted(kinds), len(kinds)))
        kind = self._kinds.popleft()
        fault = Fault(kind, node, "data" if kind in ("mistype", "rot") else service)
        print(f"{fault}", flush=True)
        self._hurt = node
        kinds[kind](fault)
        began = time.monotonic()
        with httpx.Client(timeout=2) as client:
            while any(health(client, node, each) != "healthy" for each in SERVICES):
                if time.monotonic() - began > HEALED_S:
                    said = {each: reasons(client, node, each) for each in SERVICES}
                    self.faults.append(f"{fault}: not well {HEALED_S:.0f} s later: {said}")
                    break
                time.sleep(0.1)
        self.healed.setdefault(f"{fault.kind} {fault.service}", []).append(time.monotonic() - began)
        self._hurt = None

    def _kill(self, fault: Fault) -> None:
        process = fault.node.processes[fault.service]
        process.kill()
        process.wait()
        time.sleep(self.chance.uniform(0, 3))
        fault.node.start(fault.service)

    def _stop(self, fault: Fault) -> None:
        process = fault.node.processes[fault.service]
        process.terminate()
        began = time.monotonic()
        if process.wait(10) != 0:
            self.faults.append(f"{fault}: it ends with status {process.returncode}")
        if time.monotonic() - began > 8:
            self.faults.append(f"{fault}: it took {time.monotonic() - began:.1f} s to stop")
        fault.node.start(fault.service)

    def _pause(self, fault: Fault) -> None:
        """A process that hangs must be noticed by its sibling."""
        process = fault.node.processes[fault.service]
        process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(NOTICED_S)
            sibling = SIBLINGS.get(fault.service)
            with httpx.Client(timeout=2) as client:
                if sibling is not None and health(client, fault.node, sibling) == "healthy":
                    self.faults.append(f"{fault}: its {sibling} says healthy {NOTICED_S:.0f} s later")
            time.sleep(PAUSE_S - NOTICED_S)
        finally:
            process.send_signal(signal.SIGCONT)

    def _mistype(self, fault: Fault) -> None:
        """A start with another store: refused, and nothing is lost."""
        node = fault.node
        process = node.processes["data"]
        process.terminate()
        process.wait(10)
        config = node.folder / "node.toml"
        before, files = config.read_text(encoding="utf-8"), chunk_files(node)
        config.write_text(before + f'store = "sqlite:{node.folder / "typo.sqlite"}"\n', encoding="utf-8")
        node.start("data")
        time.sleep(3)
        ended = node.processes["data"].poll()
        if files and ended != 2:
            self.faults.append(f"{fault}: it goes on with an empty store ({ended})")
        if ended is None:
            node.processes["data"].terminate()
            node.processes["data"].wait(10)
        if not files <= chunk_files(node):
            self.faults.append(f"{fault}: chunk files are gone")
        config.write_text(before, encoding="utf-8")
        for each in node.folder.glob("typo.sqlite*"):
            each.unlink()
        node.start("data")

    def _rot(self, fault: Fault) -> None:
        """A byte of a chunk that changes is never handed out, and put back it is."""
        mine = [each for each in self.accepted if each.node is fault.node]
        if not mine:
            return
        data = self.chance.choice(mine).chunk
        name = chunk_id(data).hex()
        path = fault.node.folder / "chunks" / name[:2] / name
        kept = path.with_suffix(".kept")
        shutil.copy2(path, kept)
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with httpx.Client(timeout=2) as client, suppress(httpx.HTTPError):
            answer = client.get(f"{fault.node.url('data')}/chunks/{name}")
            if answer.status_code == 200:
                self.faults.append(f"{fault}: damaged bytes were handed out")
        kept.replace(path)

    # -- the end -------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        deadline = time.monotonic() + LEVEL_S
        left = list(self.accepted)
        with httpx.Client(timeout=3) as client:
            while left and time.monotonic() < deadline:
                left = [each for each in left if not is_final(client, each)]
                time.sleep(0.5)
            self.faults += [f"session {each.identity}, accepted by {each.node.name}, is not final" for each in left]
            for each in self.accepted:
                answer = client.get(f"{each.node.url('data')}/chunks/{chunk_id(each.chunk).hex()}")
                if answer.content != each.chunk:
                    self.faults.append(f"a chunk of session {each.identity} is lost at {each.node.name}")
            heights = [each.height or 0 for each in self.network.standings(client)]
            if max(heights) - min(heights) > 3:
                self.faults.append(f"nodes are not level: {heights}")


def health(client: httpx.Client, node: DevNode, service: str) -> str:
    """What a service says of itself; `silent` where it does not answer in time."""
    try:
        return str(client.get(f"{node.url(service)}/health").json()["status"])
    except (httpx.HTTPError, ValueError, KeyError):
        return "silent"


def reasons(client: httpx.Client, node: DevNode, service: str) -> object:
    """Why it is unwell."""
    try:
        return client.get(f"{node.url(service)}/health").json().get("reasons", [])
    except (httpx.HTTPError, ValueError):
        return "silent"


def chunk_files(node: DevNode) -> set[Path]:
    """The chunk files of a node."""
    return {path for path in (node.folder / "chunks").glob("??/*") if path.is_file()}


def is_final(client: httpx.Client, session: Session) -> bool:
    """Whether its node says that a session is final."""
    with suppress(httpx.HTTPError, ValueError):
        return bool(
            client.get(f"{session.node.url('anchoring')}/sessions/{session.identity}").json()["status"] == "final"
        )
    return False


def main() -> int:
    """Run it; exit status 0 where nothing was lost and no /health was false."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="lucid-soak-") as folder, Devnet(Path(folder), NODES, INTERVAL_MS) as network:
        soak = Soak(network, options.seed)
        soak.run(options.minutes * 60)
        for node in network.nodes:
            for service in SERVICES:
                if "Traceback" in (text := (node.folder / f"{service}.log").read_text(errors="replace")):
                    place = text.index("Traceback")
                    soak.faults.append(f"{node.name}'s {service} logged a traceback: {text[place : place + 2_000]}")
    print(f"{len(soak.accepted)} sessions accepted, {soak.refused} refused")
    for kind, times in sorted(soak.healed.items()):
        print(f"{kind:16} {len(times):3} times, healed after {max(times):.1f} s at most")
    for fault in soak.faults:
        print(f"WRONG: {fault}")
    return 1 if soak.faults else 0


if __name__ == "__main__":
    sys.exit(main())
