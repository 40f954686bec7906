"""Nothing of msgspec's is left to be built by threads, of which two at once end the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lucid.services.devnet import Devnet

SERVICE = """
import sys
from pathlib import Path
from lucid.services.process.config import load_config
from lucid.services.manager import ManagerService
service = ManagerService(load_config(file=Path(sys.argv[1])))
"""
CLIENT = "import lucid.client\n"
RECORDING = "import lucid.client.recording\n"
# What is built is not looked up again: annotations that lead nowhere are noticed only where something is not.
CHECK = """
import msgspec
kinds, structs = [msgspec.Struct], []
while kinds:
    kind = kinds.pop()
    kinds += kind.__subclasses__()
    if kind.__module__.startswith("lucid."):
        structs.append(kind)
for kind in structs:
    kind.__annotations__ = dict.fromkeys(kind.__annotations__, "Nowhere")
for kind in structs:
    msgspec.json.Decoder(kind)
print(len(structs))
"""


@pytest.mark.parametrize("start", [SERVICE, CLIENT, RECORDING], ids=["service", "client", "recording"])
def test_all_that_decoding_needs_is_built_before_there_are_threads(tmp_path: Path, start: str) -> None:
    node = Devnet(tmp_path, 1, 1_000).nodes[0]
    command = [sys.executable, "-c", start + CHECK, str(node.folder / "node.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 3
