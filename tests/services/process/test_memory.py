"""Memory goes back to the system after a burst, which it did not: a flooded manager stayed at twice its size."""

from __future__ import annotations

import subprocess
import sys

BURST = """
import sys
from pathlib import Path
from random import Random
from lucid.services.process.memory import give_back
if sys.argv[1] == "back":
    give_back()
def rss_mib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if "VmRSS" in line).split()[1]) / 1024
before, kept, random = rss_mib(), [], Random(1)
for _ in range(30):
    parts = [bytes(65_536) for _ in range(384)]
    whole = b"".join(parts)
    kept.append(bytes(random.randrange(20_000, 60_000)))  # what the machine goes on with lies between
    del parts, whole
print(rss_mib() - before)
"""


def left_mib(word: str) -> float:
    """What is held after messages of 24 MiB came in parts and went."""
    done = subprocess.run([sys.executable, "-c", BURST, word], capture_output=True, text=True, check=True, timeout=60)
    return float(done.stdout)


def test_what_a_burst_took_is_given_back() -> None:
    assert left_mib("back") < 8
