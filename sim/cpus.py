"""How long a node's core takes for operations with keys, by kind of core."""

from __future__ import annotations

from typing import NamedTuple


class Cpu(NamedTuple):
    """Microseconds of one core for each operation with keys."""

    sign_us: int
    verify_us: int
    prove_us: int
    vrf_verify_us: int
    about: str

    def times(self, factor_ppm: int, about: str) -> Cpu:
        """The same operations on a core that takes so many ppm of the time."""
        sign, verify, prove, vrf_verify = (each * factor_ppm // 1_000_000 for each in self[:4])
        return Cpu(sign, verify, prove, vrf_verify, about)


FREE = Cpu(0, 0, 0, 0, "nothing: what signatures cost is part of other costs")
MEASURED = Cpu(31, 62, 322, 543, "PyNaCl on an x86-64 server core, measured when this was written")
CPUS = {
    "pi4": MEASURED.times(4_000_000, "Raspberry Pi 4: four times what a server core takes; assumed"),
    "pi5": MEASURED.times(1_900_000, "Raspberry Pi 5: 1.9 times what a server core takes; assumed"),
    "server": MEASURED,
}
"""Cores by name."""
