"""The volumes on a host where a node's key and its chain's document lie: looked at there, filled, and moved between."""

from __future__ import annotations

import io
import shlex
import tarfile

from lucid.deploy.host import DeployError, Host
from lucid.deploy.identity import NodeIdentity
from lucid.deploy.images import PLATFORM
from lucid.deploy.release import PROJECT, current

USER = 65532
CONFIG, KEY = "config", "key"
"""The volumes: what all services read, and what is the engine's alone."""
_WHO = """\
from pathlib import Path
from lucid.chain.document import parse_genesis
from lucid.chain.keys import ed25519_public_key
from lucid.services.process.keyfile import read_key
config, key = Path("/config"), Path("/key")
node = config / "node.id"
for held in (key / "node.key", config / "node.key"):
    if held.exists():
        print("node", node.read_text().strip() if node.exists() else ed25519_public_key(read_key(held)).hex())
        break
genesis = config / "genesis.toml"
print("chain", parse_genesis(genesis.read_text()).chain_id.hex() if genesis.exists() else "-")
"""
"""Earlier releases had the key where all services could read it. What is imported is where every release has it."""
_MOVE = """\
import os, sys
from pathlib import Path
config, key = Path("/config"), Path("/key")
old, new = (config, key) if sys.argv[1] == "apart" else (key, config)
source, mark = old / "node.key", "node.key.unused"
def write(path, data):
    part = path.with_name(path.name + ".new")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
if source.exists():
    if not (config / "node.id").exists():
        from lucid.chain.keys import ed25519_public_key
        from lucid.services.process.keyfile import read_key
        write(config / "node.id", (ed25519_public_key(read_key(source)).hex() + chr(10)).encode())
    if (old / mark).exists():
        (new / mark).touch()
    else:
        (new / mark).unlink(missing_ok=True)
    write(new / "node.key", source.read_bytes())
    (old / mark).unlink(missing_ok=True)
    source.unlink()
"""
"""Moves the key to where the release expects it. Cut short anywhere, it leaves a whole key, and no mark too many."""


def _volume(name: str) -> str:
    return f"{PROJECT}_{name}"


def _run(volumes: str, script: str, words: str = "") -> str:
    """Run a script in the newest image there, on some of the volumes."""
    options = f"--rm --pull never --network none --platform {PLATFORM} {volumes}"
    return f"docker run {options} {current()[0]} -c {shlex.quote(script)}{words}"


def who_command() -> str:
    """Ask whose key and document lie in the volumes; the key itself stays where it is."""
    # Docker makes a volume that it is told of: one of the key's is looked at only where there is one.
    key = f"docker volume inspect {_volume(KEY)} >/dev/null 2>&1 && echo --volume {_volume(KEY)}:/key:ro"
    return _run(f"--volume {_volume(CONFIG)}:/config:ro $({key})", _WHO)


def held(host: Host) -> tuple[str, str]:
    """Node and chain of what lies in the volume there; empty where there is none. Raises `DeployError`."""
    said = dict(line.split() for line in host.run(who_command()).splitlines() if len(line.split()) == 2)
    node, chain = said.get("node", "-"), said.get("chain", "-")
    return node.strip("-"), chain.strip("-")


def judge(host: Host, identity: NodeIdentity) -> bool:
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


def put_command(folder: str, volume: str) -> str:
    """Files into a volume of their own, which was looked at: it holds no key."""
    name, helper = _volume(volume), f"{PROJECT}-{volume}"
    return "\n".join(
        (
            "set -e",
            f"docker rm -f {helper} >/dev/null 2>&1 || true",
            # A mark that an attempt before this one left must not lie beside a key that has signed.
            f"docker volume rm -f {name} >/dev/null",
            _create(folder, volume),
            f"docker create --name {helper} --platform {PLATFORM} -v {name}:/{volume} {current()[0]} >/dev/null",
            f"docker cp - {helper}:/{volume}",
            f"docker rm {helper} >/dev/null",
        )
    )


def _create(folder: str, volume: str) -> str:
    labels = {
        "com.docker.compose.project": PROJECT,
        "com.docker.compose.volume": volume,
        "lucid.folder": folder,
    }
    labeled = " ".join(f"--label {shlex.quote(f'{name}={value}')}" for name, value in labels.items())
    return f"docker volume create {labeled} {_volume(volume)} >/dev/null"


def place_command(folder: str, place: str) -> str:
    """Move the key to where the Compose file in `place` looks for it: its own volume, or config in earlier releases."""
    volumes = f"--volume {_volume(CONFIG)}:/config --volume {_volume(KEY)}:/key"
    return "\n".join(
        (
            "set -e",
            f"cd {shlex.quote(place)}",
            "if grep -q key:/key compose.yaml; then way=apart; else way=together; fi",
            f"if ! docker volume inspect {_volume(KEY)} >/dev/null 2>&1; then",
            "  test $way = apart || exit 0",
            f"  {_create(folder, KEY)}",
            "fi",
            _run(volumes, _MOVE, " $way"),
        )
    )


def put(host: Host, identity: NodeIdentity, folder: str) -> None:
    """Bring key and document there, unless they are. Raises `DeployError`."""
    if not (_has_volumes(host) and judge(host, identity)):
        for volume, contents in packed(identity).items():
            host.run(put_command(folder, volume), contents)
        if not judge(host, identity):
            raise DeployError(f"{host.name}: key and genesis were sent and are not there")
    # Were the mark left here, the key could be put on another host as one that never signed.
    identity.mark.unlink(missing_ok=True)


def _has_volumes(host: Host) -> bool:
    looks = (f"docker volume inspect {_volume(name)} >/dev/null 2>&1 && echo yes; true" for name in (CONFIG, KEY))
    return "yes" in host.run("\n".join(looks))


def packed(identity: NodeIdentity) -> dict[str, bytes]:
    """An archive for each volume, as the services' user may read it, and nobody else; the key last."""
    key = {"node.key": identity.key.read_bytes()}
    if identity.mark.exists():
        key = {"node.key.unused": b"", **key}
    config = {"genesis.toml": identity.genesis.read_bytes(), "node.id": f"{identity.node}\n".encode()}
    return {CONFIG: _archive(config), KEY: _archive(key)}


def _archive(contents: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for name, data in contents.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.uid, info.gid = len(data), 0o600, USER, USER
            tar.addfile(info, io.BytesIO(data))
    return written.getvalue()
