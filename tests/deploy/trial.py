"""The trial of `lucid deploy`: a look-alike Pi is given a node, upgrades, ways back, a backup and a restore.

`python -m tests.deploy.trial --mongod PROGRAM [--engine DIR]`, after the images were built; an operator's own
commands, one after the other, against an sshd on loopback. Exit status 0 when all went as it should. The engine's
images are those from before at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from images.build import IMAGES
from images.laboratory.engine import DEFAULT_FOLDER, DockerEngine, EngineError
from images.laboratory.mongodb import MONGODB, load_mongodb
from images.laboratory.pi import Pi
from lucid.deploy import release

NEWER = "LABEL trial=newer"
BROKEN = 'CMD ["-c", "raise SystemExit(3)"]'
WAIT = ["--wait", "240s"]
HEALTH = ["--try", "health", *WAIT]
GOOD = "lucid.invalid/data:good"
NOBODY = "7" * 64


class TrialError(Exception):
    """Something did not go as it should; the text is one sentence."""


class Trial:
    """One Pi and the commands that an operator gives it."""

    def __init__(self, engine: DockerEngine, pi: Pi, folder: Path) -> None:
        self.engine, self.pi, self.folder = engine, pi, folder
        self._first: dict[str, str] = {}

    def lucid(self, *words: str, status: int = 0) -> str:
        """Run a `lucid` command that must end with `status`; its output. Raises `TrialError`."""
        began = time.monotonic()
        # Without an engine of its own: what comes to the Pi comes over SSH.
        environment = {**os.environ, "DOCKER_HOST": "unix:///nowhere"}
        command = [sys.executable, "-m", "lucid.cli.main", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
        shown = " ".join(word for word in words[:3])
        if done.returncode != status:
            said = (done.stderr.strip() or done.stdout.strip())[-1500:]
            raise TrialError(f"lucid {shown} ended with {done.returncode}, not {status}: {said}")
        print(f"lucid {shown}: {status} after {time.monotonic() - began:.0f} s", flush=True)
        return done.stdout

    def deploy(self, action: str, *words: str, status: int = 0) -> str:
        """Run `lucid deploy ACTION` against the Pi."""
        return self.lucid("deploy", action, "localhost", *words, "--ssh", self.pi.ssh, status=status)

    def interrupted(self, action: str, *words: str, at: str) -> None:
        """Run `lucid deploy ACTION` and press Ctrl-C when it begins a step. Raises `TrialError`."""
        environment = {**os.environ, "DOCKER_HOST": "unix:///nowhere"}
        command = [sys.executable, "-m", "lucid.cli.main", "deploy", action, "localhost", *words, "--ssh", self.pi.ssh]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None, "it was asked for"
            for line in process.stderr:
                if at in line:
                    process.send_signal(signal.SIGINT)
                    break
            said = process.stderr.read()
        _must(process.returncode == 130 and "once more" in said, f"Ctrl-C says how to go on: {said.strip()}")

    def archive(self, name: str) -> Path:
        """The images as they are now, as a file that an operator was given."""
        path = self.folder / name
        self.engine.docker("save", "--output", str(path), *IMAGES.values(), MONGODB)
        return path

    def run(self, short: bool) -> None:
        """All of it, or what needs a host most. Raises `TrialError`."""
        good = self.archive("good.tar")
        try:
            changed = [] if short else [self._changed("newer", NEWER), self._changed("bad", BROKEN)]
            self.engine.docker("rmi", "--force", *IMAGES.values(), MONGODB)
            # Each trial tries one release in full; the rest is healthy and no more, which is faster.
            identity = self._install(good, "full" if short else "health")
            if changed:
                newer, bad = changed
                self._good_upgrade(newer)
                self._bad_upgrade(bad)
                self._back_and_settings_alone()
            self._backup_and_restore(identity)
        finally:
            self.remove()
            tags = (release.BEFORE, release.PREVIOUS)
            kept = [f"{name}:{tag}" for name in release.IMAGES.values() for tag in tags]
            self.engine.docker("rmi", "--force", *IMAGES.values(), *kept, MONGODB, check=False)
            self.engine.docker("load", "--quiet", "--input", str(good))
            self.engine.docker("rmi", MONGODB, check=False)

    def _install(self, good: Path, how: str) -> list[str]:
        key, genesis = self.folder / "node.key", self.folder / "genesis.toml"
        node = self.lucid("keys", "new", str(key)).strip()
        self.lucid("genesis", "new", str(genesis), "--node", f"pi={node}")
        settings = ["--set", f"LUCID_MONGODB={MONGODB}", "--set", "LUCID_PUBLISH=127.0.0.1"]
        identity = ["--genesis", str(genesis), "--key", str(key), "--images", str(good), *settings, *HEALTH]
        plan = self.deploy("install", *identity, "--dry-run")
        _must("send 5 images" in plan and not self._containers(), "a dry run prints the plan and starts nothing")
        self.deploy("status", status=2)
        self.deploy("install", *identity, "--try", how)
        _must(not (self.folder / "node.key.unused").exists(), "the mark of the key went with the key")
        self.deploy("rollback", status=2)
        return identity

    def _good_upgrade(self, newer: Path) -> None:
        self._first = self._running()
        self.deploy("upgrade", "--images", str(newer), *WAIT)
        second = self._running()
        changed = {service for service in second if self._first[service] != second[service]}
        _must(changed == {"data"}, "an upgrade, tried in full, brings the new image")

    def _bad_upgrade(self, bad: Path) -> None:
        ran = self._running()
        self.deploy("upgrade", "--images", str(bad), "--wait", "10s", "--try", "health", status=1)
        _must(self._running() == ran, "a bad upgrade goes back")
        _must(json.loads(self.deploy("status", "--json"))["healthy"], "the node is healthy after a bad upgrade")

    def _back_and_settings_alone(self) -> None:
        self.deploy("rollback", *WAIT)
        _must(self._running() == self._first, "a rollback after it brings the release before back")
        words = ["--keep-images", "--peer", f"{NOBODY}@tcp://192.0.2.1:8088", *HEALTH]
        images = self._running()
        self.interrupted("upgrade", *words, at=" start")
        self.deploy("upgrade", *words)
        peers = self._environment("manager").get("LUCID_PEERS", "")
        _must(NOBODY in peers and self._running() == images, "settings alone change, at the second try")

    def _backup_and_restore(self, identity: list[str]) -> None:
        copy = self.folder / "copy"
        height = self._height()
        # That it is not healthy again yet is a warning.
        self.deploy("backup", str(copy), "--wait", "1s")
        self.deploy("remove", "--with-data")
        _must(not self._volumes(), "nothing of the node is left")
        self.deploy("install", *identity, "--restore", str(copy))
        _must(self._height() >= height > 0, f"the restored node has its {height} blocks")
        files = sorted(path.name for path in copy.iterdir())
        _must(not any("key" in name for name in files), f"the backup holds no key: {files}")

    def _changed(self, name: str, line: str) -> Path:
        """An archive of the images, the data chain's with one more line."""
        image = IMAGES["data"]
        self.engine.docker("tag", image, GOOD)
        dockerfile = self.folder / "Dockerfile"
        dockerfile.write_text(f"FROM {GOOD}\n{line}\n")
        self.engine.docker("build", "--quiet", "--platform", "linux/arm64", "--tag", image, "--file",
                           str(dockerfile), str(self.folder / "empty"))  # fmt: skip
        made = self.archive(f"{name}.tar")
        self.engine.docker("tag", GOOD, image)
        self.engine.docker("rmi", GOOD)
        return made

    def _running(self) -> dict[str, str]:
        """The image that each service's container is of."""
        form = '{{index .Config.Labels "com.docker.compose.service"}} {{.Image}}'
        lines = self.engine.docker("inspect", "--format", form, *self._containers().split()).splitlines()
        found = dict(line.split() for line in lines)
        return {service: found.get(service, "") for service in IMAGES}

    def _environment(self, service: str) -> dict[str, str]:
        label = f"label=com.docker.compose.service={service}"
        container = self.engine.docker("ps", "--quiet", "--filter", label).split()[0]
        form = "{{range .Config.Env}}{{println .}}{{end}}"
        lines = self.engine.docker("inspect", "--format", form, container).splitlines()
        return dict(line.partition("=")[::2] for line in lines)

    def _volumes(self) -> list[str]:
        return self.engine.docker("volume", "ls", "--quiet", "--filter", "name=lucid_").split()

    def _containers(self) -> str:
        return self.engine.docker("ps", "--all", "--quiet", "--filter", "label=com.docker.compose.project=lucid")

    def _height(self) -> int:
        import httpx  # noqa: PLC0415 - the engine's commands need none

        blocks = httpx.get("http://127.0.0.1:8086/blocks?limit=1", timeout=10, trust_env=False).json()["blocks"]
        return int(blocks[0]["height"]) if blocks else 0

    def remove(self) -> None:
        """Take everything of the node away, as a lost card would."""
        label = "label=com.docker.compose.project=lucid"
        if containers := self._containers().split():
            self.engine.docker("rm", "--force", "--volumes", *containers, check=False)
        if volumes := self._volumes():
            self.engine.docker("volume", "rm", *volumes, check=False)
        if networks := self.engine.docker("network", "ls", "--quiet", "--filter", label).split():
            self.engine.docker("network", "rm", *networks, check=False)
        subprocess.run([*self.pi.ssh.split(), "localhost", "rm -rf lucid"], capture_output=True, check=False)


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise TrialError(f"not so: {what}")
    print(f"ok: {what}", flush=True)


@contextmanager
def _pi(engine: DockerEngine) -> Iterator[Trial]:
    with TemporaryDirectory(prefix="lucid-trial-") as folder:
        (Path(folder) / "empty").mkdir()
        with Pi(engine, Path(folder)) as pi:
            trial = Trial(engine, pi, Path(folder))
            yield trial


def main() -> int:
    """Exit status 1 when something did not go as it should, 2 when it could not be tried."""
    parser = argparse.ArgumentParser(prog="tests.deploy.trial", description="Try lucid deploy on a look-alike Pi.")
    parser.add_argument("--engine", type=Path, default=DEFAULT_FOLDER, metavar="DIR", help="folder of the engine")
    parser.add_argument("--mongod", required=True, metavar="PROGRAM", help="what the Pi's MongoDB is made of")
    parser.add_argument("--short", action="store_true", help="an install, a backup and a restore alone")
    options = parser.parse_args()
    try:
        engine = DockerEngine(options.engine)
        load_mongodb(engine, options.mongod)
        with _pi(engine) as trial:
            trial.run(options.short)
    except EngineError as error:
        print(f"trial: {error}", file=sys.stderr)
        return 2
    except TrialError as error:
        print(f"trial: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
