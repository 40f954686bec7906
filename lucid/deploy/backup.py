"""A node's data in a folder, and back: exports of its stores and its chunks, never its key nor its log of votes."""

from __future__ import annotations

import json
import tarfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from lucid.deploy.deployment import USER, Deployment, Say, Step
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


def restore_steps(deployment: Deployment, folder: Path) -> list[Step]:
    """The steps that read a backup into a node that has never run, before it does. Raises `DeployError`."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        whole = about["format"] == FORMAT and all((folder / f"{service}.export").is_file() for service in STORES)
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise DeployError(f"{folder} holds no backup of a node")
    run = deployment.host.run
    prepare, create = (
        deployment.compose("run --rm -T replica-set"),
        deployment.compose(f"up --no-start --no-deps {' '.join(STORES)}"),
    )
    steps = [
        Step("prepare the stores", prepare, lambda: run(prepare, within_s=600)),
        Step("make the services' volumes", create, lambda: run(create, within_s=600)),
    ]
    for service in STORES:
        words = "-m lucid.cli.main store import /data/export STORE"
        shown = deployment.compose(f"run --rm -T --no-deps {service} {words}")
        steps.append(Step(f"import the store of {service}", shown, partial(_import, deployment, service, folder)))
    chunks = f"docker cp - {_stopped('data')}:/data"
    steps.append(Step("copy the chunks", chunks, lambda: _write(deployment, "data", folder / "chunks.tar")))
    return steps


def _import(deployment: Deployment, service: str, folder: Path) -> None:
    with TemporaryDirectory(prefix="lucid-restore-") as here:
        _write(deployment, service, _owned(folder / f"{service}.export", Path(here) / "export.tar"))
    deployment.in_container(service, f"-m lucid.cli.main store import /data/export {_store(deployment, service)}")
    _remove(deployment, service, "export")


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
