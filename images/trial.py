"""The trial of `lucid deploy`: a look-alike Pi is given a node, a bad upgrade, a backup and a restore, and taken away.

`python -m images.trial --mongod PROGRAM [--engine DIR]`, after the images were built; an operator's own commands, one
after the other, against an sshd on loopback. Exit status 0 when all went as it should.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from images.build import IMAGES
from images.engine import DEFAULT_FOLDER, Engine, EngineError
from images.pi import MONGODB, Pi, load_mongodb

BROKEN = 'FROM {image}\nCMD ["-c", "raise SystemExit(3)"]\n'
WAIT = ["--wait", "120s"]


class TrialError(Exception):
    """Something did not go as it should; the text is one sentence."""


class Trial:
    """One Pi and the commands that an operator gives it."""

    def __init__(self, engine: Engine, pi: Pi, folder: Path) -> None:
        self.engine, self.pi, self.folder = engine, pi, folder

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

    def archive(self, name: str) -> Path:
        """The images as they are now, as a file that an operator was given."""
        path = self.folder / name
        self.engine.docker("save", "--output", str(path), *IMAGES.values(), MONGODB)
        return path

    def run(self) -> None:
        """All of it. Raises `TrialError`."""
        good = self.archive("good.tar")
        ids = {name: self._id(name) for name in IMAGES.values()}
        bad = self._broken()
        self.engine.docker("rmi", "--force", *IMAGES.values(), MONGODB)
        key, genesis = self.folder / "node.key", self.folder / "genesis.toml"
        node = self.lucid("keys", "new", str(key)).strip()
        self.lucid("genesis", "new", str(genesis), "--node", f"pi={node}")
        identity = ["--genesis", str(genesis), "--key", str(key), "--images", str(good)]
        here = ["--set", f"LUCID_MONGODB={MONGODB}", "--set", "LUCID_PUBLISH=127.0.0.1", *WAIT]
        plan = self.deploy("install", *identity, *here, "--dry-run")
        _must("send 5 images" in plan and not self._containers(), "a dry run prints the plan and starts nothing")
        self.deploy("status", status=2)
        self.deploy("install", *identity, *here)
        _must(not (self.folder / "node.key.unused").exists(), "the mark of the key went with the key")
        self._refused_upgrade(bad, ids)
        self._backup_and_restore(identity, here)

    def _refused_upgrade(self, bad: Path, ids: dict[str, str]) -> None:
        self.deploy("upgrade", "--images", str(bad), "--wait", "45s", "--try", "health", status=1)
        _must({name: self._id(name) for name in IMAGES.values()} == ids, "the images before are back")
        status = json.loads(self.deploy("status", "--json"))
        _must(status["healthy"], "the node is healthy after a bad upgrade")
        self.deploy("rollback", "--dry-run")

    def _backup_and_restore(self, identity: list[str], here: list[str]) -> None:
        copy = self.folder / "copy"
        height = self._height()
        self.deploy("backup", str(copy), *WAIT)
        self.remove()
        self.deploy("install", *identity, *here, "--try", "health", "--restore", str(copy))
        _must(self._height() >= height > 0, f"the restored node has its {height} blocks")
        files = sorted(path.name for path in copy.iterdir())
        _must(not any("key" in name for name in files), f"the backup holds no key: {files}")

    def _broken(self) -> Path:
        image = IMAGES["data"]
        self.engine.docker("tag", image, "lucid.invalid/data:good")
        dockerfile = self.folder / "Dockerfile"
        dockerfile.write_text(BROKEN.format(image="lucid.invalid/data:good"))
        self.engine.docker("build", "--quiet", "--platform", "linux/arm64", "--tag", image, "--file",
                           str(dockerfile), str(self.folder / "empty"))  # fmt: skip
        made = self.archive("bad.tar")
        self.engine.docker("rmi", "lucid.invalid/data:good")
        return made

    def _id(self, name: str) -> str:
        return self.engine.docker("image", "inspect", "--format", "{{.Id}}", name).strip()

    def _containers(self) -> str:
        return self.engine.docker("ps", "--all", "--quiet", "--filter", "label=com.docker.compose.project=lucid")

    def _height(self) -> int:
        import httpx  # noqa: PLC0415 - the engine's commands need none

        blocks = httpx.get("http://127.0.0.1:8086/blocks?limit=1", timeout=10).json()["blocks"]
        return int(blocks[0]["height"]) if blocks else 0

    def remove(self) -> None:
        """Take everything of the node away, as a lost card would."""
        label = "label=com.docker.compose.project=lucid"
        if containers := self._containers().split():
            self.engine.docker("rm", "--force", "--volumes", *containers, check=False)
        if volumes := self.engine.docker("volume", "ls", "--quiet", "--filter", "name=lucid_").split():
            self.engine.docker("volume", "rm", *volumes, check=False)
        if networks := self.engine.docker("network", "ls", "--quiet", "--filter", label).split():
            self.engine.docker("network", "rm", *networks, check=False)
        subprocess.run([*self.pi.ssh.split(), "localhost", "rm -rf lucid"], capture_output=True, check=False)


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise TrialError(f"not so: {what}")
    print(f"ok: {what}", flush=True)


@contextmanager
def _pi(engine: Engine) -> Iterator[Trial]:
    with TemporaryDirectory(prefix="lucid-trial-") as folder:
        (Path(folder) / "empty").mkdir()
        with Pi(engine, Path(folder)) as pi:
            trial = Trial(engine, pi, Path(folder))
            try:
                yield trial
            finally:
                trial.remove()


def main() -> int:
    """Exit status 1 when something did not go as it should, 2 when it could not be tried."""
    parser = argparse.ArgumentParser(prog="images.trial", description="Try lucid deploy on a look-alike Pi.")
    parser.add_argument("--engine", type=Path, default=DEFAULT_FOLDER, metavar="DIR", help="folder of the engine")
    parser.add_argument("--mongod", required=True, metavar="PROGRAM", help="what the Pi's MongoDB is made of")
    options = parser.parse_args()
    try:
        engine = Engine(options.engine)
        load_mongodb(engine, options.mongod)
        with _pi(engine) as trial:
            trial.run()
    except EngineError as error:
        print(f"trial: {error}", file=sys.stderr)
        return 2
    except TrialError as error:
        print(f"trial: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
