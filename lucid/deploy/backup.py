"""A node's data in a folder, and back: exports of its stores and its chunks, never its key nor its log of votes."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import tarfile
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from lucid.deploy.deployment import UP_S, Deployment
from lucid.deploy.host import SENDING_S, DeployError
from lucid.deploy.identity import NodeIdentity
from lucid.deploy.images import PLATFORM
from lucid.deploy.plan import Step
from lucid.deploy.release import LABELS, PROJECT, current
from lucid.deploy.volumes import USER, held

STORES = ("manager", "anchoring", "data")
"""The engine keeps nothing that is worth a copy: its votes must not be copied, what waits is handed in again."""
ABOUT, CHUNKS, LATER = "backup.json", "chunks.tar", "chunks-later.tar"
_FILES = {ABOUT, CHUNKS, LATER, *(f"{service}.export" for service in STORES)}
FORMAT = "lucid node backup"
MARK = "restoring"
_SWEEP = """\
import glob, os, shutil
for path in [*glob.glob("/stores/*/export"), *glob.glob("/stores/*/.export.*")]:
    shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
"""
"""An export that was cut short stays in the volume and would be in the way of the next."""
_CHUNKS = """\
import os, sys, tarfile
known = set(sys.stdin.read().split())
os.chdir("/data")
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as tar:
    for folder, folders, names in os.walk("chunks"):
        folders[:] = sorted(name for name in folders if name != "incoming")
        tar.add(folder, recursive=False)
        for path in sorted(os.path.join(folder, name) for name in names):
            try:
                if path not in known:
                    tar.add(path, recursive=False)
            except FileNotFoundError:
                pass
"""
"""Chunks never change, so most are copied while the node runs; what is swept away meanwhile is not missed."""


class NotStarted(DeployError):
    """The node was stopped for a backup and could not be started again."""


def back_up(deployment: Deployment, folder: Path) -> None:
    """Write a node's data to a new folder; its services stand still meanwhile. Raises `DeployError` and `OSError`."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DeployError(f"{folder} is not empty")
    part = folder.with_name(f"{folder.name}.part")
    if part.exists():
        if {path.name for path in part.iterdir()} - _FILES:
            raise DeployError(f"{part} is in the way, and is not a half of a backup")
        deployment.say(f"removing {part}, which a backup before this one did not finish")
        shutil.rmtree(part)
    part.mkdir(parents=True)
    node, _ = held(deployment.host)
    if not node:
        raise DeployError(f"{deployment.host.name}: there is no key of a node")
    deployment.say("copying the chunks")
    _copy_chunks(deployment, part / CHUNKS, b"")
    start = deployment.compose("up -d")
    deployment.say(f"the node stands still from here on; it is started again whatever happens (by hand: {start})")
    try:
        with deployment.host.at_the_end(start, UP_S):
            _copy_standing(deployment, part)
            about = {"format": FORMAT, "node": node, "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
            (part / ABOUT).write_text(json.dumps(about) + "\n", encoding="utf-8")
            part.rename(folder)
    except DeployError as error:
        if not (folder / ABOUT).exists():
            raise
        raise NotStarted(f"{folder} is whole, but the node was not started again: {error}; by hand: {start}") from None
    try:
        deployment.await_healthy()
    except DeployError as error:
        deployment.say(f"warning: the backup is whole, and {error}")


def _copy_standing(deployment: Deployment, folder: Path) -> None:
    deployment.host.run(deployment.compose("stop manager engine anchoring data"))
    _sweep(deployment)
    try:
        for service in STORES:
            deployment.say(f"exporting the store of {service}")
            url = _store(deployment, service)
            deployment.in_container(service, f"-m lucid.cli.main store export {url} /data/export")
            export = f"docker cp {_container(service)}:/data/export - | tar -xO"
            deployment.host.collect(export, folder / f"{service}.export")
    finally:
        _sweep(deployment)
    deployment.say("copying the chunks that came meanwhile")
    with tarfile.open(folder / CHUNKS) as tar:
        known = "\n".join(tar.getnames()).encode()
    _copy_chunks(deployment, folder / LATER, known)


def _sweep(deployment: Deployment) -> None:
    volumes = " ".join(f"--volume {PROJECT}_{service}:/stores/{service}" for service in STORES)
    options = f"--rm --pull never --network none --platform {PLATFORM} {volumes}"
    deployment.host.run(f"docker run {options} {current()[0]} -c {shlex.quote(_SWEEP)}")


def _copy_chunks(deployment: Deployment, path: Path, known: bytes) -> None:
    volume = f"--volume {PROJECT}_data:/data:ro"
    options = f"--rm -i --pull never --network none --platform {PLATFORM} {volume}"
    deployment.host.collect(f"docker run {options} {current()[0]} -c {shlex.quote(_CHUNKS)}", path, known)


def mark_of(folder: Path) -> str:
    """What tells a backup from another. Raises `DeployError` for a folder that holds none."""
    _about(folder)
    return hashlib.sha256((folder / ABOUT).read_bytes()).hexdigest()


def _about(folder: Path) -> dict[str, str]:
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        files = [CHUNKS, *(f"{service}.export" for service in STORES)]
        whole = about["format"] == FORMAT and all((folder / name).is_file() for name in files)
        node = str(about["node"])
    except (OSError, ValueError, KeyError, TypeError):
        whole, node = False, ""
    if not whole:
        raise DeployError(f"{folder} holds no backup of a node")
    return {"node": node}


def begin_steps(deployment: Deployment, folder: Path, who: NodeIdentity) -> list[Step]:
    """The step that marks a host as one into which a backup of the node `who` is read. Raises `DeployError`."""
    facts, mark = deployment.facts, mark_of(folder)
    if (of := _about(folder)["node"]) != who.node:
        raise DeployError(f"{folder} is of the node {of}, and {who.key} of {who.node}")
    if who.mark.exists():
        raise DeployError(f"{who.mark} says that the key never signed, but its node has a backup: take the file away")
    if facts.restoring:
        if facts.restoring[0] != mark:
            raise DeployError(f"{deployment.host.name}: another backup was begun to be read in; repeat that, or remove")
        return []
    if facts.installed or facts.data:
        raise DeployError(
            f"{deployment.host.name}: a node's data is there; a backup is read into a new one only "
            "(lucid deploy remove --with-data takes it away)"
        )
    place = shlex.quote(deployment.folder)
    command = f"mkdir -p {place} && cd {place} && echo {mark} >{MARK}.new && mv {MARK}.new {MARK}"
    return [Step("mark that a backup is being read in", command, lambda: deployment.host.run(command))]


def restore_steps(deployment: Deployment, folder: Path) -> list[Step]:
    """The steps that read a backup into a node that has never run, before it does; those that are done are left out."""
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
        if service in deployment.facts.restoring[1:]:
            continue
        words = "-m lucid.cli.main store import /data/export STORE"
        shown = deployment.compose(f"run --rm -T --no-deps {service} {words} && echo {service} >>{MARK}")
        steps.append(Step(f"import the store of {service}", shown, partial(_import, deployment, service, folder)))
    for name in (CHUNKS, LATER):
        if (folder / name).is_file():
            steps.append(
                Step(
                    f"copy {name}",
                    f"docker cp - {_container('data')}:/data",
                    partial(_write, deployment, "data", folder / name),
                )
            )
    done = f"rm -f {shlex.quote(deployment.folder)}/{MARK}"

    def end() -> None:
        _sweep(deployment)
        run(done)

    return [*steps, Step("take the mark away: all of it is there", done, end)]


def _import(deployment: Deployment, service: str, folder: Path) -> None:
    with TemporaryDirectory(prefix="lucid-restore-") as here:
        _write(deployment, service, _owned(folder / f"{service}.export", Path(here) / "export.tar"))
    words = f"-m lucid.cli.main store import /data/export {_store(deployment, service)}"
    # In one command: a store that was read in and not noted could not be read in again.
    command = deployment.compose(f"run --rm -T --no-deps {service} {words} && echo {service} >>{MARK}")
    deployment.host.run(command, within_s=SENDING_S)


def _store(deployment: Deployment, service: str) -> str:
    """The URL of a service's store."""
    form = "{{range .Config.Env}}{{println .}}{{end}}"
    said = deployment.host.run(f"docker inspect --format '{form}' {_container(service)}")
    found = [line.partition("=")[2] for line in said.splitlines() if line.startswith("LUCID_STORE=")]
    return shlex.quote((found[0] if found else "") or f"sqlite:/data/{service}.sqlite")


def _write(deployment: Deployment, service: str, archive: Path) -> None:
    deployment.host.send(archive, f"docker cp - {_container(service)}:/data")


def _owned(export: Path, archive: Path) -> Path:
    """An archive of an export as a file that the services' user may read."""
    with tarfile.open(archive, "w") as tar, export.open("rb") as file:
        info = tar.gettarinfo(arcname="export", fileobj=file)
        info.uid = info.gid = USER
        info.mode = 0o600
        tar.addfile(info, file)
    return archive


def _container(service: str) -> str:
    return f"$(docker ps -aq {LABELS}={service})"
