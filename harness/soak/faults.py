"""What is done to a devnet under trial: each kind of fault is a function that hurts, looks, and puts right again."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import httpx

from harness.soak.asking import chunk_files, health, height, states
from harness.soak.trial import SoakFault, SoakTrial
from lucid.chain.chunks import chunk_id
from lucid.services.devnode import SERVICES, DevNode

NOTICED_S = 8.0
"""How long what hangs, or has no room, may go unnoticed."""
HOLD_S = 12.0
HEALED_S = 15.0
"""How long after the end of a fault its node may be unwell."""
FETCHED_S = 120.0
"""How long it may be after it begins with an empty store, beside the time that the chain's blocks take."""
FETCHED_BLOCKS_PER_S = 10
"""How fast a node fetches and judges blocks at least, on a machine that it shares with seven others."""
CONNECTED_S = 45.0
"""How long it may take to be connected again: a handshake that got no answer, and the longest wait between two."""
STOP_S = 8.0
PAGES_LOST = 3
STORE_PAGE_BYTES = 1_024


class FaultKind(NamedTuple):
    """How a kind of fault is done, to which services, and how long its node may be unwell after it."""

    do: Callable[[SoakTrial, SoakFault], None]
    services: tuple[str, ...] = SERVICES
    healed_s: float = HEALED_S


def kinds(trial: SoakTrial) -> dict[str, FaultKind]:
    """The kinds that this network can be hurt by."""
    found = {
        "kill": FaultKind(kill),
        "pause": FaultKind(pause),
        "stop": FaultKind(stop),
        "cut": FaultKind(cut, ("links",), CONNECTED_S),
        "mistype": FaultKind(mistype, ("data",)),
        "corrupt chunk": FaultKind(corrupt_chunk, ("data",)),
    }
    if trial.small:
        found["fill"] = FaultKind(fill, ("disk",))
    if trial.mongods:
        found |= {f"{name} MongoDB": FaultKind(do, ("MongoDB",)) for name, do in _MONGOD}
    else:
        found["corrupt store"] = FaultKind(corrupt_store, ("manager",), FETCHED_S + trial.blocks / FETCHED_BLOCKS_PER_S)
        found["put back"] = FaultKind(put_back, ("engine",), 3 * trial.epoch_s + HEALED_S)
    return found


def kill(trial: SoakTrial, fault: SoakFault) -> None:
    """kill -9, and a start a little later."""
    _end(fault.node, fault.service, gently=False)
    time.sleep(trial.chance.uniform(0, 3))
    fault.node.start(fault.service)


def stop(trial: SoakTrial, fault: SoakFault) -> None:
    """SIGTERM, which must end the process soon and well."""
    process = fault.node.processes[fault.service]
    process.terminate()
    began = time.monotonic()
    if process.wait(10) != 0:
        trial.say(f"{fault}: it ends with status {process.returncode}")
    if time.monotonic() - began > STOP_S:
        trial.say(f"{fault}: it took {time.monotonic() - began:.1f} s to stop")
    fault.node.start(fault.service)


def pause(trial: SoakTrial, fault: SoakFault) -> None:
    """A process that hangs must be noticed by its sibling."""
    process = fault.node.processes[fault.service]
    process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(NOTICED_S)
        sibling = {"manager": "engine", "engine": "manager"}.get(fault.service)
        if sibling is not None:
            _must_be_unwell(trial, fault, sibling)
        time.sleep(HOLD_S - NOTICED_S)
    finally:
        process.send_signal(signal.SIGCONT)


def cut(trial: SoakTrial, fault: SoakFault) -> None:
    """A node without the others: a cable that is out, or a network that refuses. It must say that it is halted, and the
    others go on."""
    number = trial.network.nodes.index(fault.node)
    others = [each for each in trial.network.nodes if each is not fault.node]
    silently = trial.chance.random() < 0.5
    with httpx.Client(timeout=2, trust_env=False) as client:
        before = max(height(client, each) or 0 for each in others)
        trial.links.cut(number, silently)
        try:
            time.sleep(2)  # what was on its way
            alone = height(client, fault.node)
            time.sleep(trial.allowed_s + NOTICED_S / 2)
            _must_be_unwell(trial, fault, "manager")
            if (now := height(client, fault.node)) != alone:
                trial.say(f"{fault}: it went on, from height {alone} to {now}: was it cut off?")
            if not _grows(client, others, before, CONNECTED_S):
                trial.say(f"{fault}: the others stand still at height {before}")
        finally:
            trial.links.mend(number)


def fill(trial: SoakTrial, fault: SoakFault) -> None:
    """A disk without a byte left: said, reads go on, a service starts, and nothing is taken that cannot be kept."""
    node, filler = fault.node, trial.small[fault.node.name] / "filler"
    session = trial.stored(node)
    try:
        _fill(filler)
        time.sleep(NOTICED_S)
        _must_be_unwell(trial, fault, "data")
        if trial.chance.random() < 0.5:
            service = trial.chance.choice(SERVICES)
            _end(node, service, gently=True)
            node.start(service)
            if _ended_or_ready(node, service) is not None:
                trial.say(f"{fault}: its {service} does not start: {node.last_words(service)}")
                filler.unlink()
                node.start(service)
        elif session is not None:
            name = chunk_id(session.chunk).hex()
            with httpx.Client(timeout=5, trust_env=False) as client, suppress(httpx.HTTPError):
                answer = client.get(f"{node.url('data')}/chunks/{name}")
                if answer.content != session.chunk:
                    trial.say(f"{fault}: a chunk that it holds is not served ({answer.status_code})")
        time.sleep(HOLD_S - NOTICED_S)
    finally:
        filler.unlink(missing_ok=True)


def mistype(trial: SoakTrial, fault: SoakFault) -> None:
    """A start with another store: refused, and nothing is lost."""
    node = fault.node
    _end(node, "data", gently=True)
    config = node.folder / "node.toml"
    before, files = config.read_text(encoding="utf-8"), chunk_files(node)
    lines = [line for line in before.splitlines() if not line.startswith("store = ")]
    config.write_text("\n".join([*lines, f'store = "sqlite:{node.folder / "typo.sqlite"}"\n']), encoding="utf-8")
    node.start("data")
    ended = _ended_or_ready(node, "data")
    if files and ended != 2:
        trial.say(f"{fault}: it goes on with an empty store ({ended})")
    if ended is None:
        _end(node, "data", gently=True)
    if not files <= chunk_files(node):
        trial.say(f"{fault}: chunk files are gone")
    config.write_text(before, encoding="utf-8")
    for each in node.folder.glob("typo.sqlite*"):
        each.unlink()
    node.start("data")


def corrupt_chunk(trial: SoakTrial, fault: SoakFault) -> None:
    """A byte of a chunk that changes is never handed out; it is put back, or fetched from the others."""
    session = trial.stored(fault.node)
    if session is None:
        return
    data = session.chunk
    name = chunk_id(data).hex()
    path = fault.node.folder / "chunks" / name[:2] / name
    kept = path.with_suffix(".kept")
    with suppress(FileNotFoundError):  # the node is still looking for one that was corrupted before
        shutil.copy2(path, kept)
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with httpx.Client(timeout=2, trust_env=False) as client, suppress(httpx.HTTPError):
            answer = client.get(f"{fault.node.url('data')}/chunks/{name}")
            if answer.status_code == 200 and answer.content != data:
                trial.say(f"{fault}: damaged bytes were handed out")
        if trial.chance.random() < 0.5:
            kept.replace(path)
        else:
            kept.unlink()
        _clear_quarantine(trial, fault, data)


def _clear_quarantine(trial: SoakTrial, fault: SoakFault, data: bytes) -> None:
    """What its operator does: asks for the chunk until it is there again, and removes what was set aside meanwhile."""
    node, name = fault.node, chunk_id(data).hex()
    deadline = time.monotonic() + FETCHED_S
    with httpx.Client(timeout=5, trust_env=False) as client:
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                served = client.get(f"{node.url('data')}/chunks/{name}").content == data
                aside = list((node.folder / "chunks" / "quarantine").glob("*"))
                for each in aside:
                    each.unlink()
                if served and (node.folder / "chunks" / name[:2] / name).exists() and not aside:
                    return
            time.sleep(1)
    trial.say(f"{fault}: it is not fetched from the others within {FETCHED_S:.0f} s")


def corrupt_store(trial: SoakTrial, fault: SoakFault) -> None:
    """Pages of a manager's store are lost: it says so in one sentence or answers what it can, and begins anew."""
    node = fault.node
    _end(node, "manager", gently=False)
    path = node.folder / "manager.sqlite"
    with path.open("r+b") as file:
        pages = path.stat().st_size // STORE_PAGE_BYTES
        for page in trial.chance.sample(range(1, pages), min(PAGES_LOST, pages - 1)):
            file.seek(page * STORE_PAGE_BYTES)
            file.write(bytes(STORE_PAGE_BYTES))
    node.start("manager")
    if (status := _ended_or_ready(node, "manager")) not in (None, 2):
        trial.say(f"{fault}: it ends with status {status}: {node.last_words('manager')}")
    with httpx.Client(timeout=5, trust_env=False) as client, suppress(httpx.HTTPError):
        answer = client.get(f"{node.url('manager')}/blocks?limit=100")
        if answer.status_code not in (200, 503):
            trial.say(f"{fault}: it answers {answer.status_code}: {answer.text[:200]}")
    _end(node, "manager", gently=True)
    for each in node.folder.glob("manager.sqlite*"):
        each.unlink()
    node.start("manager")


def put_back(trial: SoakTrial, fault: SoakFault) -> None:
    """An engine with an older copy of its store: it says so and signs nothing before an epoch that it sees begin."""
    node, kept = fault.node, fault.node.folder / "kept"
    _end(node, "engine", gently=trial.chance.random() < 0.5)
    kept.mkdir()
    for each in node.folder.glob("engine.sqlite*"):
        shutil.copy2(each, kept)
    node.start("engine")
    _ended_or_ready(node, "engine")
    time.sleep(NOTICED_S)
    _end(node, "engine", gently=trial.chance.random() < 0.5)
    for each in node.folder.glob("engine.sqlite*"):
        each.unlink()
    for each in kept.iterdir():
        shutil.copy2(each, node.folder)
    shutil.rmtree(kept)
    node.start("engine")
    _ended_or_ready(node, "engine")
    deadline = time.monotonic() + HEALED_S
    with httpx.Client(timeout=2, trust_env=False) as client:
        while "not signing" not in (said := states(client, node, "engine")):
            if time.monotonic() > deadline:
                trial.say(f"{fault}: it does not say that it signs nothing: {said}")
                return
            time.sleep(0.1)


# -- a node's MongoDB --------------------------------------------------------------------------------------------


def kill_mongod(trial: SoakTrial, fault: SoakFault) -> None:
    """kill -9 of a node's MongoDB, and a start a little later."""
    mongod = trial.mongods[fault.node.name]
    mongod.signal(signal.SIGKILL)
    mongod.stop()
    time.sleep(trial.chance.uniform(0, 3))
    mongod.start()


def stop_mongod(trial: SoakTrial, fault: SoakFault) -> None:
    """A node without its MongoDB for a while: said, and made up for."""
    mongod = trial.mongods[fault.node.name]
    mongod.stop()
    time.sleep(NOTICED_S)
    _must_be_unwell(trial, fault, "manager")
    mongod.start()


def pause_mongod(trial: SoakTrial, fault: SoakFault) -> None:
    """A MongoDB that hangs."""
    mongod = trial.mongods[fault.node.name]
    mongod.signal(signal.SIGSTOP)
    try:
        time.sleep(NOTICED_S)
        _must_be_unwell(trial, fault, "manager")
        time.sleep(HOLD_S - NOTICED_S)
    finally:
        mongod.signal(signal.SIGCONT)


_MONGOD = (("kill", kill_mongod), ("stop", stop_mongod), ("pause", pause_mongod))


# -- how ---------------------------------------------------------------------------------------------------------


def _end(node: DevNode, service: str, gently: bool) -> None:
    """End a process, which may have ended already."""
    process = node.processes[service]
    if gently:
        process.terminate()
    else:
        process.kill()
    process.wait(10)


def _ended_or_ready(node: DevNode, service: str) -> int | None:
    """The exit status of a process that ends instead of starting; None once it is ready."""
    deadline = time.monotonic() + FETCHED_S
    with httpx.Client(timeout=2, trust_env=False) as client:
        while (status := node.processes[service].poll()) is None and time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                if client.get(f"{node.url(service)}/ready").status_code == 200:
                    return None
            time.sleep(0.1)
    return status


def _must_be_unwell(trial: SoakTrial, fault: SoakFault, service: str) -> None:
    with httpx.Client(timeout=2, trust_env=False) as client:
        if health(client, fault.node, service) == "healthy":
            trial.say(f"{fault}: its {service} says healthy")


def _grows(client: httpx.Client, nodes: list[DevNode], height_before: int, within_s: float) -> bool:
    """Whether a chain grows: on a machine that is busy with other things, timeouts that do not fit it are had first."""
    until = time.monotonic() + within_s
    while max(height(client, each) or 0 for each in nodes) <= height_before:
        if time.monotonic() > until:
            return False
        time.sleep(0.5)
    return True


def _fill(path: Path) -> None:
    """Take every byte of a disk, also those that others let go meanwhile."""
    size = 1 << 30
    with path.open("wb", buffering=0) as file:
        while size:
            try:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), size)
            except OSError as error:
                assert error.errno == errno.ENOSPC
                size //= 2
