"""A node's data in a folder, and back: exports of its stores and its chunks, never its key nor its log of votes."""

from __future__ import annotations

import json
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from lucid.deploy.deployment import USER, Deployment, Say
from lucid.deploy.host import DeployError

STORES = ("manager", "anchoring", "data")
"""The engine keeps nothing that is worth a copy: its votes must not be copied, what waits is handed in again."""
ABOUT = "backup.json"
FORMAT = "lucid node backup"


def back_up(deployment: Deployment, folder: Path, say: Say) -> None:
    """Write a node's data to a new folder; its services stand still meanwhile. Raises `DeployError` and `OSError`."""
    if folder.exists() and any(folder.iterdir()):
        raise DeployError(f"{folder} is not empty")
    folder.mkdir(parents=True, exist_ok=True)
    node = deployment.in_container("manager", "-m lucid.cli.main keys show /config/node.key").strip()

    def copy() -> None:
        for service in STORES:
            say(f"exporting the store of {service}")
            url = _store(deployment, service)
            deployment.in_container(service, f"-m lucid.cli.main store export {url} /data/export")
            deployment.host.collect(f"{_read(service, 'export')} | tar -xO", folder / f"{service}.export")
            _remove(deployment, service, "export")
        say("copying the chunks")
        deployment.host.collect(_read("data", "chunks"), folder / "chunks.tar")

    _standing_still(deployment, copy)
    about = {"format": FORMAT, "node": node, "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    (folder / ABOUT).write_text(json.dumps(about) + "\n", encoding="utf-8")


def restore(deployment: Deployment, folder: Path, say: Say) -> None:
    """Read a backup into a node that holds nothing yet. Raises `DeployError` and `OSError`."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise DeployError(f"{folder} holds no backup of a node ({ABOUT} is not there)") from None
    if about.get("format") != FORMAT:
        raise DeployError(f"{folder} holds no backup of a node")

    def copy() -> None:
        for service in STORES:
            say(f"importing the store of {service}")
            with TemporaryDirectory(prefix="lucid-restore-") as here:
                _write(deployment, service, _owned(folder / f"{service}.export", Path(here) / "export.tar"))
            url = _store(deployment, service)
            deployment.in_container(service, f"-m lucid.cli.main store import /data/export {url}")
            _remove(deployment, service, "export")
        say("copying the chunks")
        _write(deployment, "data", folder / "chunks.tar")

    _standing_still(deployment, copy)


def _standing_still(deployment: Deployment, copy: Callable[[], None]) -> None:
    """The services are stopped while a copy is made, and started again whatever came of it."""
    services = "manager engine anchoring data"
    deployment.host.run(deployment.compose(f"stop {services}"))
    try:
        copy()
    finally:
        deployment.host.run(deployment.compose("up -d"), within_s=600)
    deployment.await_healthy()


def _store(deployment: Deployment, service: str) -> str:
    """The URL of a service's store."""
    form = "{{range .Config.Env}}{{println .}}{{end}}"
    said = deployment.host.run(f"docker inspect --format '{form}' {_stopped(service)}")
    found = [line.partition("=")[2] for line in said.splitlines() if line.startswith("LUCID_STORE=")]
    return (found[0] if found else "") or f"sqlite:/data/{service}.sqlite"


def _read(service: str, name: str) -> str:
    return f"docker cp {_stopped(service)}:/data/{name} -"


def _write(deployment: Deployment, service: str, archive: Path) -> None:
    deployment.host.send(archive, f"docker cp - {_stopped(service)}:/data")


def _owned(export: Path, archive: Path) -> Path:
    """An archive of an export as a file that the services' user may read."""
    with tarfile.open(archive, "w") as tar, export.open("rb") as file:
        info = tar.gettarinfo(arcname="export", fileobj=file)
        info.uid = info.gid = USER
        info.mode = 0o600
        tar.addfile(info, file)
    return archive


def _remove(deployment: Deployment, service: str, name: str) -> None:
    code = f"import pathlib; pathlib.Path('/data/{name}').unlink()"
    deployment.in_container(service, f'-c "{code}"')


def _stopped(service: str) -> str:
    labels = "--filter label=com.docker.compose.project=lucid --filter label=com.docker.compose.oneoff=False"
    return f"$(docker ps -aq {labels} --filter label=com.docker.compose.service={service})"
