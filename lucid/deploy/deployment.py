"""A node on a host, from nothing to healthy and back: a plan of steps, each of which an operator could type."""

from __future__ import annotations

import io
import json
import shlex
import tarfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from lucid.deploy import release, settings
from lucid.deploy.host import DeployError, Host
from lucid.deploy.preflight import Facts, look, requirements

PROJECT = "lucid"
USER = 65532
PORTS = {"manager": 8086, "engine": 8084, "anchoring": 8085, "data": 8087}
UP_S = 1_800.0
"""The first start may have to fetch MongoDB's image over a slow line."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Step:
    """One thing to do: what for, the command that does it on the host, and its doing."""

    title: str
    command: str
    act: Callable[[], object]


@dataclass(frozen=True)
class Wanted:
    """What an operator asked for."""

    genesis: Path | None = None
    key: Path | None = None
    peers: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    registry: str = ""
    archive: Path | None = None


class Deployment:
    """One host's node. Every method raises `DeployError` with one sentence."""

    def __init__(self, host: Host, folder: str = PROJECT, healthy_s: float = 180.0) -> None:
        """Compose keeps its files in `folder`, relative to the user's home there; a start may take `healthy_s`."""
        self.host = host
        self.folder = folder
        self.healthy_s = healthy_s
        self.facts: Facts | None = None
        self._settings: dict[str, str] = {}

    def check(self) -> Facts:
        """Look at the host; what it lacks is named all at once."""
        self.facts = facts = look(self.host, self.folder)
        lacking = [f"{each.name}: {each.lacking} (found: {each.found})" for each in requirements(facts) if each.lacking]
        if lacking:
            raise DeployError(f"{self.host.name} can't take a node: {'; '.join(lacking)}")
        if facts.installed:
            self._settings = settings.parse(self.host.run(f"cat {self._path('.env')}"))
        return facts

    def _path(self, name: str) -> str:
        return shlex.quote(f"{self.folder}/{name}")

    def settings(self) -> dict[str, str]:
        """The settings that the node on the host has; `check` comes first."""
        if not self._settings:
            raise DeployError(f"{self.host.name}: no node is installed in ~/{self.folder} there")
        return self._settings

    # -- the way up -----------------------------------------------------------------------------------------------

    def plan(self, wanted: Wanted, before_start: Sequence[Step] = ()) -> list[Step]:
        """The steps that lead from what is on the host to what is wanted; only what differs is sent."""
        facts = self.facts or self.check()
        held = settings.settle(self._settings, facts.profile, wanted.peers, wanted.extras, wanted.given)
        steps = self._image_steps(wanted, held)
        steps += self._key_steps(wanted)
        compose = files("images").joinpath("compose.yaml").read_bytes()
        place = shlex.quote(self.folder)
        keep = (
            f"mkdir -p {place} && cd {place} && "
            "for f in compose.yaml .env; do test ! -f $f || cp -p $f $f.previous; done"
        )
        steps.append(Step("keep the settings that were", keep, lambda: self.host.run(keep)))
        for name, content in (("compose.yaml", compose), (".env", settings.write(held).encode())):
            command = f"umask 077 && cat >{self._path(name)}"
            steps.append(Step(f"write {name}", command, lambda c=command, b=content: self.host.run(c, b)))  # type: ignore[misc]
        steps += before_start
        up = self.compose("up -d --remove-orphans")
        steps.append(Step("start", up, lambda: self.host.run(up, within_s=UP_S)))
        steps.append(Step("wait until all four are healthy", self._states_command(), self.await_healthy))
        return steps

    def _image_steps(self, wanted: Wanted, held: dict[str, str]) -> list[Step]:
        names = release.current()
        before = release.there(self.host, [*names, held["LUCID_MONGODB"]])
        remember = []
        if self._settings and all(name in before for name in names):
            keep = release.keep_command()
            remember.append(Step("remember the images that run", keep, lambda: self.host.run(keep)))
        if wanted.registry:
            pull = release.pull_command(wanted.registry)
            return [*remember, Step("fetch the images", pull, lambda: self.host.run(pull, within_s=release.PULL_S))]
        archive = wanted.archive
        held_here = release.here([*names, held["LUCID_MONGODB"]]) if archive is None else release.in_archive(archive)
        if missing := [name for name in names if name not in held_here and name not in before]:
            raise DeployError(
                f"{missing[0]} is neither here nor on {self.host.name}: build it, or name --images or a --registry"
            )
        fresh = [name for name, identity in held_here.items() if before.get(name) != identity]
        if not fresh:
            return []
        if archive is not None:
            command = f"ssh {self.host.name} docker load --quiet <{archive}"
            load = "docker load --quiet"
            return [*remember, Step(f"send {len(fresh)} images", command, lambda: self.host.send(archive, load))]
        command = f"docker save {' '.join(fresh)} | ssh {self.host.name} docker load"
        return [*remember, Step(f"send {len(fresh)} images", command, lambda: release.stream(self.host, fresh))]

    def _key_steps(self, wanted: Wanted) -> list[Step]:
        """The key and the genesis document go into a volume that only the services' user can read."""
        if self.facts is not None and self.facts.installed:
            if wanted.key is not None or wanted.genesis is not None:
                self._same_key(wanted)
            return []
        if wanted.key is None or wanted.genesis is None:
            raise DeployError(f"{self.host.name}: no node is installed there: name its --genesis and its --key")
        key, genesis = wanted.key, wanted.genesis
        for path in (key, genesis):
            if not path.is_file():
                raise DeployError(f"there is no file {path}")
        image = release.current()[0]
        command = (
            f"docker rm -f lucid-config >/dev/null 2>&1; "
            f"docker create --name lucid-config --platform linux/arm64 -v {PROJECT}_config:/config {image} >/dev/null"
            " && docker cp - lucid-config:/config && docker rm lucid-config >/dev/null"
        )
        return [Step("put key and genesis into their volume", command, lambda: self._put_key(key, genesis, command))]

    def _put_key(self, key: Path, genesis: Path, command: str) -> None:
        mark = key.with_name(f"{key.name}.unused")
        self.host.run(command, _archive(key, genesis, mark))
        # Were the mark left here, the key could be put on another host as one that never signed.
        mark.unlink(missing_ok=True)

    def _same_key(self, wanted: Wanted) -> None:
        from lucid.chain.keys import ed25519_public_key  # noqa: PLC0415 - only when a key is given again
        from lucid.services.keyfile import read_key  # noqa: PLC0415

        if wanted.key is None:
            raise DeployError(f"{self.host.name}: a node is installed there; its genesis can't be changed")
        given = ed25519_public_key(read_key(wanted.key)).hex()
        held = self.in_container("manager", "-m lucid.cli.main keys show /config/node.key").strip()
        if held != given:
            raise DeployError(f"{self.host.name}: the node there is {held}, and {wanted.key} is of {given}")

    def back_steps(self) -> list[Step]:
        """The steps back to the release before. Raises `DeployError` when there is none."""
        previous = [f"{name}:{release.PREVIOUS}" for name in release.IMAGES.values()]
        if len(release.there(self.host, previous)) < len(previous):
            raise DeployError(f"{self.host.name}: no release before this one is kept there")
        swap = release.swap_command()
        files_back = f"cd {shlex.quote(self.folder)} && " + " && ".join(
            f"if test -f {name}.previous; then mv {name} {name}.swap && mv {name}.previous {name}"
            f" && mv {name}.swap {name}.previous; fi"
            for name in ("compose.yaml", ".env")
        )
        up = self.compose("up -d --remove-orphans")
        return [
            Step("bring the images before back", swap, lambda: self.host.run(swap)),
            Step("bring the settings before back", files_back, lambda: self.host.run(files_back)),
            Step("start", up, lambda: self.host.run(up, within_s=UP_S)),
            Step("wait until all four are healthy", self._states_command(), self.await_healthy),
        ]

    # -- what runs ------------------------------------------------------------------------------------------------

    def compose(self, words: str) -> str:
        """A Compose command as the host knows it."""
        assert self.facts is not None, "the host was looked at"
        return f"cd {shlex.quote(self.folder)} && {self.facts.compose} {words}"

    def in_container(self, service: str, words: str, options: str = "") -> str:
        """Run Python's `words` in a container of its own like a service's; what it printed."""
        command = self.compose(f"run --rm -T --no-deps {options} {service} {words}")
        return self.host.run(command, within_s=1_800.0)

    def states(self) -> dict[str, str]:
        """Each service's state, as Docker says it: `Up 5 minutes (healthy)`."""
        lines = self.host.run(self._states_command()).splitlines()
        return dict(line.partition(" ")[::2] for line in sorted(lines))

    @staticmethod
    def _states_command() -> str:
        form = '{{.Label "com.docker.compose.service"}} {{.Status}}'
        label = f"label=com.docker.compose.project={PROJECT}"
        return f"docker ps -a --filter {label} --filter label=com.docker.compose.oneoff=False --format '{form}'"

    def await_healthy(self) -> None:
        """Wait until all four services are; the one that is not is named with what it said last."""
        deadline = time.monotonic() + self.healthy_s
        while True:
            states = self.states()
            wrong = [service for service in PORTS if "(healthy)" not in states.get(service, "")]
            if not wrong:
                return
            if time.monotonic() > deadline:
                log = self.host.run(self.compose(f"logs --tail 5 {wrong[0]}")).strip().splitlines()
                said = log[-1] if log else "nothing"
                state = states.get(wrong[0], "not there")
                raise DeployError(f"{wrong[0]} is not healthy after {self.healthy_s:.0f} s ({state}); it said: {said}")
            time.sleep(1)

    def addresses(self) -> dict[str, tuple[str, int]]:
        """Where each service answers, as the host sees it."""
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
        script = "".join(
            f"echo {service} $(docker inspect --format '{form}' $({self._container(service)}))\n" for service in PORTS
        )
        found = {}
        for line in self.host.run(script).splitlines():
            service, *addresses = line.split()
            if not addresses:
                raise DeployError(f"{self.host.name}: {service} does not run")
            found[service] = (addresses[0], PORTS[service])
        return found

    @staticmethod
    def _container(service: str) -> str:
        labels = f"--filter label=com.docker.compose.project={PROJECT} --filter label=com.docker.compose.oneoff=False"
        return f"docker ps -q {labels} --filter label=com.docker.compose.service={service}"

    def genesis(self) -> bytes:
        """The chain's document, as the node there has it."""
        script = f"docker cp $({self._container('manager')}):/config/genesis.toml - | tar -xO"
        return self.host.run(script).encode()


def perform(steps: Sequence[Step], say: Say) -> None:
    """Do the steps, one after the other. Raises `DeployError` with the step that failed."""
    for number, step in enumerate(steps, 1):
        say(f"{number}/{len(steps)} {step.title}")
        step.act()


def _archive(key: Path, genesis: Path, mark: Path) -> bytes:
    """Key and genesis as the services' user may read them, and nobody else."""
    written = io.BytesIO()
    named = {"genesis.toml": genesis, "node.key": key, **({"node.key.unused": mark} if mark.exists() else {})}
    with tarfile.open(fileobj=written, mode="w") as tar:
        for name, path in named.items():
            data = path.read_bytes()
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.uid, info.gid = len(data), 0o600, USER, USER
            tar.addfile(info, io.BytesIO(data))
    return written.getvalue()


def client_settings(ports: dict[str, int], held: dict[str, str], genesis: Path) -> str:
    """The TOML settings of a client of the node, whose services answer at these ports of loopback."""
    lines = [
        f"genesis = {json.dumps(str(genesis))}",
        f"api_tokens = {json.dumps(held['LUCID_API_TOKENS'].split(','))}",
        *(f'{service}_url = "http://127.0.0.1:{port}"' for service, port in ports.items()),
    ]
    return "\n".join(lines) + "\n"
