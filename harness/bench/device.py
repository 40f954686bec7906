"""What a device takes for signatures and durable writes: figures of its own for the profiles of `sim/cpus.py`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.bench.row import Row, Say
from lucid.poot.crypto import Edwards25519
from sim.cpus import CPUS, Cpu
from sim.disktime import STEPS

MODEL = Path("/proc/device-tree/model")
"""Where Linux says what board it runs on."""
ROUNDS = 300
WRITES = 2_000
QUANTILES = (0, 512, 922, 1_014, 1_023)
PAGE = bytes(4096)
SECRET = bytes(range(32))


def bench_device(say: Say, folder: Path | None = None, rounds: int = ROUNDS, writes: int = WRITES) -> list[Row]:
    """Measure this machine's core and the disk that `folder` is on, the current one if there is none.

    `say` is told the lines for `sim/cpus.py`.
    """
    say(f"core: {rounds} of each operation")
    cpu = measured_cpu(rounds)
    say(f"disk: {writes} writes")
    with TemporaryDirectory(prefix=".lucid-bench-", dir=folder or Path.cwd()) as place:
        took_us = durable_us(Path(place) / "probe", writes)
    points = quantiles(took_us)
    say(f"for CPUS: Cpu({', '.join(str(each) for each in cpu[:4])}, {cpu.about!r})")
    say(f"for DISKS: quantiles {points}")
    names = {name: getattr(cpu, f"{name}_us") for name in ("sign", "verify", "prove", "vrf_verify")}
    assumed = {
        name: ", ".join(f"{kind} {getattr(each, f'{name}_us')}" for kind, each in CPUS.items()) for name in names
    }
    return [
        *(Row("core", f"{name}, median: us", float(us), assumed[name], None) for name, us in names.items()),
        *(Row("disk", f"a page durable, quantile {at}/{STEPS}: us", float(us), "", None) for at, us in points),
    ]


def model() -> str:
    """What board this is, or the kind of machine where the system does not say."""
    if MODEL.is_file():
        return MODEL.read_text(encoding="utf-8", errors="replace").strip("\0 \n")
    return os.uname().machine


def measured_cpu(rounds: int) -> Cpu:
    """Medians of this machine's core for each operation with keys."""
    crypto = Edwards25519()
    key = crypto.public_key(SECRET)
    messages = [number.to_bytes(32, "big") for number in range(rounds)]
    signed = [crypto.sign(SECRET, each) for each in messages]
    proofs = [crypto.vrf_prove(SECRET, each) for each in messages]
    pairs, proven = list(zip(messages, signed, strict=True)), list(zip(messages, proofs, strict=True))
    return Cpu(
        _median_us([partial(crypto.sign, SECRET, each) for each in messages]),
        _median_us([partial(crypto.verify, key, *each) for each in pairs]),
        _median_us([partial(crypto.vrf_prove, SECRET, each) for each in messages]),
        _median_us([partial(crypto.vrf_verify, key, *each) for each in proven]),
        f"{model()}, measured by lucid bench pi",
    )


def durable_us(path: Path, writes: int) -> list[int]:
    """How long each of so many pages took to be appended to a file and be durable."""
    took_us = []
    with path.open("wb") as file:
        for _ in range(writes):
            began = time.perf_counter_ns()
            file.write(PAGE)
            file.flush()
            os.fsync(file.fileno())
            took_us.append((time.perf_counter_ns() - began) // 1_000)
    return took_us


def quantiles(samples: Sequence[int]) -> list[tuple[int, int]]:
    """(quantile in 1/1024, value), as a disk's profile has them; the last is the largest sample."""
    ordered = sorted(samples)
    return [(at, ordered[(len(ordered) - 1) * at // QUANTILES[-1]]) for at in QUANTILES]


def _median_us(calls: Sequence[Callable[[], object]]) -> int:
    took_ns = []
    for call in calls:
        began = time.perf_counter_ns()
        call()
        took_ns.append(time.perf_counter_ns() - began)
    return max(1, round(sorted(took_ns)[(len(took_ns) - 1) // 2] / 1_000))
