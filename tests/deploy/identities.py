"""Keys and chains of nodes, for tests of what goes to a host."""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid.chain.ed25519 import ed25519_public_key
from lucid.cli.main import main
from lucid.services.process.keyfile import read_key


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A folder with a key and a genesis that names it."""
    for name in ("node", "other"):
        (tmp_path / name).mkdir()
        assert main(["keys", "new", str(tmp_path / name / "node.key")]) == 0
        identity = ed25519_public_key(read_key(tmp_path / name / "node.key")).hex()
        assert main(["genesis", "new", str(tmp_path / name / "genesis.toml"), "--node", f"pi={identity}"]) == 0
    return tmp_path / "node"
