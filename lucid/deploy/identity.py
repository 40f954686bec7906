"""Who a node is: its key and its chain's document, looked at here before they go anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lucid.deploy.host import DeployError


@dataclass(frozen=True)
class NodeIdentity:
    """A node's key and its chain's document, as files here, and whose they are."""

    key: Path
    genesis: Path
    node: str
    chain: str
    founder: bool
    """Whether the document names the node: one that registered later is not in it."""

    @property
    def mark(self) -> Path:
        """The file that says that nothing was signed with the key yet."""
        return self.key.with_name(f"{self.key.name}.unused")


def read_identity(key: Path, genesis: Path) -> NodeIdentity:
    """Look at both files. Raises `DeployError` for a key that is none and a document that is none."""
    from lucid.chain.document import parse_genesis  # noqa: PLC0415 - only when they are given
    from lucid.chain.ed25519 import ed25519_public_key  # noqa: PLC0415
    from lucid.chain.errors import LucidError  # noqa: PLC0415
    from lucid.services.process.keyfile import read_key  # noqa: PLC0415

    for path in (key, genesis):
        if not path.is_file():
            raise DeployError(f"there is no file {path}")
    try:
        node = ed25519_public_key(read_key(key))
        document = parse_genesis(genesis.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise DeployError(f"{genesis} is not a genesis document: it is not text") from None
    except OSError as error:
        raise DeployError(f"{error.filename}: {error.strerror}") from None
    except LucidError as error:
        # The key's own errors name their file.
        named = error.detail if str(key) in error.detail else f"{genesis} is not a genesis document: {error.detail}"
        raise DeployError(named) from None
    founder = any(each.key == node for each in document.nodes)
    return NodeIdentity(key, genesis, node.hex(), document.chain_id.hex(), founder)
