"""The images of a node on a host: which are there, how new ones get there, and how the ones before come back."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from lucid.deploy.host import DeployError, Host

IMAGES = {
    "engine": "pickme/lucid-blockchain-engine",
    "anchoring": "pickme/lucid-session-anchoring",
    "manager": "pickme/lucid-block-manager",
    "data": "pickme/lucid-data-chain",
}
LATEST, PREVIOUS, FAILED = "latest-arm64", "previous-arm64", "failed-arm64"
PULL_S = 1_800.0


def current() -> list[str]:
    """The names under which the Compose file finds the four images."""
    return [f"{name}:{LATEST}" for name in IMAGES.values()]


def here(names: Sequence[str]) -> dict[str, str]:
    """The ids of images in this machine's engine; those that it lacks are left out. Raises `DeployError`."""
    found = {}
    for name in names:
        try:
            done = subprocess.run(
                ["docker", "image", "inspect", "--format", "{{.Id}}", name], capture_output=True, text=True, check=False
            )
        except FileNotFoundError:
            raise DeployError("there is no docker here to send images with: name a registry by --registry") from None
        if done.returncode == 0:
            found[name] = done.stdout.strip()
        elif "no such image" not in done.stderr.lower():
            raise DeployError(f"the images can't be read here: {done.stderr.strip().splitlines()[-1]}")
    return found


def in_archive(path: Path) -> dict[str, str]:
    """The ids of the images in an archive that `docker save` wrote. Raises `DeployError`."""
    try:
        with tarfile.open(path) as tar:
            member = tar.extractfile("manifest.json")
            entries = json.loads(member.read()) if member is not None else []
        return {
            name: f"sha256:{entry['Config'].rpartition('/')[2].removesuffix('.json')}"
            for entry in entries
            for name in entry["RepoTags"] or ()
        }
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise DeployError(f"{path} is no archive of images as docker save writes it: {error}") from None


def there(host: Host, names: Sequence[str]) -> dict[str, str]:
    """The ids of images on the host; those that it lacks are left out. Raises `DeployError`."""
    script = "".join(
        f"echo {name}=$(docker image inspect --format '{{{{.Id}}}}' {name} 2>/dev/null)\n" for name in names
    )
    lines = (line.rpartition("=") for line in host.run(script).splitlines())
    return {name: identity for name, _, identity in lines if identity}


def keep_command() -> str:
    """The command that remembers the images that run now as those before."""
    return _tag(LATEST, PREVIOUS)


def swap_command() -> str:
    """The command that brings the images before back, and keeps those that ran as the ones before."""
    return "\n".join((_tag(LATEST, FAILED), _tag(PREVIOUS, LATEST), _tag(FAILED, PREVIOUS), _forget(FAILED)))


def stream(host: Host, names: Sequence[str]) -> None:
    """Send images from this machine's engine to the host's. Raises `DeployError`."""
    host.feed(["sh", "-c", 'docker save "$@" | gzip -1', "sh", *names], "gzip -dc | docker load --quiet")


def pull_command(registry: str) -> str:
    """The command that fetches the four images from a registry under the names that the Compose file has."""
    lines = []
    for name in IMAGES.values():
        source = f"{registry.rstrip('/')}/{name.partition('/')[2]}:{LATEST}"
        lines.append(f"docker pull --quiet --platform linux/arm64 {source} && docker tag {source} {name}:{LATEST}")
    return " && ".join(lines)


def _tag(old: str, new: str) -> str:
    return "\n".join(f"docker tag {name}:{old} {name}:{new} || exit 1" for name in IMAGES.values())


def _forget(tag: str) -> str:
    names = " ".join(f"{name}:{tag}" for name in IMAGES.values())
    return f"docker rmi {names} >/dev/null 2>&1; true"
