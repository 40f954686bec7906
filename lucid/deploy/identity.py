"""Who a node is: its key and its chain's document, looked at here before they go, and there before they are trusted."""

from __future__ import annotations

import io
import shlex
import tarfile
from dataclasses import dataclass
from pathlib import Path

from lucid.deploy.host import DeployError, Host
from lucid.deploy.images import PLATFORM
from lucid.deploy.release import PROJECT, current

USER = 65532
VOLUME = f"{PROJECT}_config"
_HELPER = f"{PROJECT}-config"
_WHO = """\
from pathlib import Path
from lucid.chain.document import parse_genesis
from lucid.chain.keys import ed25519_public_key
from lucid.services.keyfile import read_key
key, genesis = Path("/config/node.key"), Path("/config/genesis.toml")
print("node", ed25519_public_key(read_key(key)).hex() if key.exists() else "-")
print("chain", parse_genesis(genesis.read_text()).chain_id.hex() if genesis.exists() else "-")
"""


@dataclass(frozen=True)
class Identity:
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


def read_identity(key: Path, genesis: Path) -> Identity:
    """Look at both files. Raises `DeployError` for a key that is none and a document that is none."""
    from lucid.chain.document import parse_genesis  # noqa: PLC0415 - only when they are given
    from lucid.chain.errors import LucidError  # noqa: PLC0415
    from lucid.chain.keys import ed25519_public_key  # noqa: PLC0415
    from lucid.services.keyfile import read_key  # noqa: PLC0415

    for path in (key, genesis):
        if not path.is_file():
            raise DeployError(f"there is no file {path}")
    try:
        node = ed25519_public_key(read_key(key))
        document = parse_genesis(genesis.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise DeployError(f"{genesis} is no genesis document: it is no text") from None
    except OSError as error:
        raise DeployError(f"{error.filename}: {error.strerror}") from None
    except LucidError as error:
        # The key's own errors name their file.
        named = error.detail if str(key) in error.detail else f"{genesis} is no genesis document: {error.detail}"
        raise DeployError(named) from None
    founder = any(each.key == node for each in document.nodes)
    return Identity(key, genesis, node.hex(), document.chain_id.hex(), founder)


def who_command() -> str:
    """Ask whose key and document lie in the volume; the key itself stays where it is."""
    options = f"--rm --pull never --network none --platform {PLATFORM} --volume {VOLUME}:/config:ro"
    return f"docker run {options} {current()[0]} -c {shlex.quote(_WHO)}"


def held(host: Host) -> tuple[str, str]:
    """Node and chain of what lies in the volume there; empty where there is none. Raises `DeployError`."""
    said = dict(line.split() for line in host.run(who_command()).splitlines() if len(line.split()) == 2)
    node, chain = said.get("node", "-"), said.get("chain", "-")
    return node.strip("-"), chain.strip("-")


def judge(host: Host, identity: Identity) -> bool:
    """Whether key and document are there already. Raises `DeployError` where others are."""
    node, chain = held(host)
    if node and node != identity.node:
        raise DeployError(
            f"{host.name}: the node there is {node}, and {identity.key} is of {identity.node}; "
            "lucid deploy remove --with-data takes that node away"
        )
    if node and chain and chain != identity.chain:
        raise DeployError(f"{host.name}: the node there is of the chain {chain}; {identity.genesis} is another's")
    return bool(node and chain)


def put_command(folder: str) -> str:
    """Key and document into a volume of their own, which was looked at: it holds no key."""
    labels = {
        "com.docker.compose.project": PROJECT,
        "com.docker.compose.volume": "config",
        "lucid.folder": folder,
    }
    labelled = " ".join(f"--label {shlex.quote(f'{name}={value}')}" for name, value in labels.items())
    return "\n".join(
        (
            "set -e",
            f"docker rm -f {_HELPER} >/dev/null 2>&1 || true",
            # A mark that an attempt before this one left must not lie beside a key that has signed.
            f"docker volume rm -f {VOLUME} >/dev/null",
            f"docker volume create {labelled} {VOLUME} >/dev/null",
            f"docker create --name {_HELPER} --platform {PLATFORM} -v {VOLUME}:/config {current()[0]} >/dev/null",
            f"docker cp - {_HELPER}:/config",
            f"docker rm {_HELPER} >/dev/null",
        )
    )


def put(host: Host, identity: Identity, folder: str) -> None:
    """Bring key and document there, unless they are. Raises `DeployError`."""
    if not (_has_volume(host) and judge(host, identity)):
        host.run(put_command(folder), packed(identity))
        if not judge(host, identity):
            raise DeployError(f"{host.name}: key and genesis were sent and are not there")
    # Were the mark left here, the key could be put on another host as one that never signed.
    identity.mark.unlink(missing_ok=True)


def _has_volume(host: Host) -> bool:
    return host.run(f"docker volume inspect {VOLUME} >/dev/null 2>&1 && echo yes; true").strip() == "yes"


def packed(identity: Identity) -> bytes:
    """Key and document as the services' user may read them, and nobody else; the key last, when all else is there."""
    written = io.BytesIO()
    contents = {"genesis.toml": identity.genesis.read_bytes(), "node.id": f"{identity.node}\n".encode()}
    if identity.mark.exists():
        contents["node.key.unused"] = b""
    contents["node.key"] = identity.key.read_bytes()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for name, data in contents.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.uid, info.gid = len(data), 0o600, USER, USER
            tar.addfile(info, io.BytesIO(data))
    return written.getvalue()
